#include <algorithm>

#include "health/checker.hpp"
#include "model/limits.hpp"

namespace weir::health {
namespace {

// Exactly three digits, within the range that the API allows; else 0.
int parse_code(std::string_view text) {
  if (text.size() != 3) return 0;
  int code = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return 0;
    code = code * 10 + (digit - '0');
  }
  const bool is_allowed =
      code >= model::limits::health_code_min && code <= model::limits::health_code_max;
  return is_allowed ? code : 0;
}

}  // namespace

Result<CodeMatcher> CodeMatcher::parse(std::string_view codes) {
  CodeMatcher out;
  std::string_view rest = codes;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const std::size_t hyphen = part.find('-');
    const int first = parse_code(part.substr(0, hyphen));
    const int last = hyphen == std::string_view::npos ? first : parse_code(part.substr(hyphen + 1));
    if (first == 0 || last < first) {
      return fail("ValidationError",
                  "Health check matcher HTTP code '" + std::string(codes) +
                      "' must be codes or ranges of codes between 200 and 499",
                  "Write it like 200, 200,202 or 200-299.");
    }
    out.ranges_.emplace_back(first, last);
    if (comma == std::string_view::npos) return out;
    rest.remove_prefix(comma + 1);
  }
}

bool CodeMatcher::matches(int code) const {
  return std::ranges::any_of(ranges_, [&](const std::pair<int, int>& range) {
    return code >= range.first && code <= range.second;
  });
}

}  // namespace weir::health
