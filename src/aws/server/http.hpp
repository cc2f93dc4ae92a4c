// A request to the endpoint and its answer, as values: what dispatch works on without a socket.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::aws {

struct HttpRequest {
  std::string method;                                        // POST
  std::string path;                                          // as sent, not decoded
  std::string query;                                         // what follows '?', as sent
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // nullptr: it is not there. The first where there are several.
  [[nodiscard]] const std::string* header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return &value;
    }
    return nullptr;
  }
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

}  // namespace weir::aws
