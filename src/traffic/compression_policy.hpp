// Which responses are compressed, and how (weir.compression.*).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traffic/accept_encoding.hpp"

namespace weir::traffic {

struct CompressionPolicy {
  std::vector<Encoding> algorithms;        // in our order of preference
  std::vector<std::string> content_types;  // lower case: "text/html", "text/*"
  std::uint64_t bytes_min = 1024;

  // `content_type`: the header's value, parameters and all.
  [[nodiscard]] bool is_for(std::string_view content_type) const;
};

}  // namespace weir::traffic
