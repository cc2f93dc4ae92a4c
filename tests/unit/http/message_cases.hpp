// The cases of tests/conformance/messages/*.txt (format: its README.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::http::test {

enum class CaseKind { request, response, chunked };

struct MessageCase {
  std::string where;  // file:line
  std::string name;
  CaseKind kind = CaseKind::request;
  std::string method = "GET";  // that a response answers
  std::string bytes;
  std::vector<std::string> facts;  // of the '=' lines, escapes undone
};

// All cases, in order of file name. Throws std::runtime_error naming file and line.
[[nodiscard]] std::vector<MessageCase> load_message_cases(const std::string& folder);

[[nodiscard]] std::string unescape(std::string_view text);
[[nodiscard]] std::string escape(std::string_view bytes);

}  // namespace weir::http::test
