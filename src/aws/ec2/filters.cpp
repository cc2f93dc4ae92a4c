#include "aws/ec2/filters.hpp"

namespace weir::aws::ec2 {
namespace {

constexpr std::size_t values_max = 200;
constexpr std::string_view tag_prefix = "tag:";

// One unit of a pattern at `at`: its length, and whether it takes `c`.
struct Unit {
  std::size_t length;
  bool takes;
};
Unit unit_of(std::string_view pattern, std::size_t at, char c) {
  if (pattern[at] == '\\' && at + 1 < pattern.size()) return {2, pattern[at + 1] == c};
  return {1, pattern[at] == '?' || pattern[at] == c};
}

}  // namespace

// Where the rest does not match, the last `*` takes one character more; earlier ones need not.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t after_star = std::string_view::npos;
  std::size_t taken_to = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      taken_to = t;
      continue;
    }
    const Unit unit = p < pattern.size() ? unit_of(pattern, p, text[t]) : Unit{0, false};
    if (unit.takes) {
      p += unit.length;
      ++t;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      t = ++taken_to;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<std::vector<Filter>> filters_of(const Value& input) {
  std::vector<Filter> filters;
  std::size_t count = 0;
  for (const Value& each : input.list("Filters")) {
    Filter filter{each.text("Name"), each.texts("Values")};
    if (filter.name.empty()) {
      return fail("MissingParameter", "The request must contain the parameter Filter.Name");
    }
    if (filter.values.empty()) {
      return fail("InvalidParameterValue",
                  fmt::format("The filter '{}' has no value", filter.name.substr(0, 200)));
    }
    count += filter.values.size();
    filters.push_back(std::move(filter));
  }
  if (count > values_max) {
    return fail("FilterLimitExceeded", fmt::format("The maximum number of filter values "
                                                   "specified on a single call is {}",
                                                   values_max));
  }
  return filters;
}

bool matches_any(const Filter& filter, const Texts& values) {
  return std::ranges::any_of(values, [&](const std::string& value) {
    return std::ranges::any_of(filter.values,
                               [&](const std::string& pattern) { return matches(pattern, value); });
  });
}

bool is_about_tags(const Filter& filter) {
  return filter.name == "tag-key" || filter.name.starts_with(tag_prefix);
}

bool matches_tags(const Filter& filter, const model::Tags& tags) {
  if (filter.name == "tag-key") {
    Texts keys;
    for (const auto& [key, value] : tags) keys.push_back(key);
    return matches_any(filter, keys);
  }
  const auto found = tags.find(filter.name.substr(tag_prefix.size()));
  return found != tags.end() && matches_any(filter, {found->second});
}

}  // namespace weir::aws::ec2
