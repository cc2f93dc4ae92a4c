// What a listener's attributes change about every response (reference §2.2): compiled once into a
// block of lines, so that a request only appends it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/resources.hpp"

namespace weir::routing {

struct ResponseHeaders {
  std::string lines;                    // "Name: value\r\n" each; empty where nothing is set
  std::vector<std::string_view> names;  // of the lines; a target's headers of these names go
  bool has_server = true;               // Server of the load balancer's own responses

  // Whether a target's header gives way to one of ours. Names are case-insensitive.
  [[nodiscard]] bool replaces(std::string_view name) const;
};

[[nodiscard]] ResponseHeaders compile_response_headers(const model::Attributes& attributes);

}  // namespace weir::routing
