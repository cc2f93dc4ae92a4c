// Filters of Describe calls: reference §9.1.
//
// Each kind of record has a table from a filter's name to the values that a record has for it. The
// values of one filter are OR-ed, the filters AND-ed; `*` and `?` are wildcards, `\` takes their
// meaning away. `tag:KEY` and `tag-key` go for every record that has tags.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/value.hpp"
#include "base/result.hpp"
#include "control/registry.hpp"
#include "model/resources.hpp"

namespace weir::aws::ec2 {

using Texts = std::vector<std::string>;

// Linear in the product of the lengths at worst, which the description bounds.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);

template <typename Record>
struct Field {
  std::string_view filter;
  Texts (*values)(const control::State& state, const Record& record);
};

// Of the input, as they were given: at most 200 values in all ("FilterLimitExceeded").
struct Filter {
  std::string name;
  Texts values;
};
[[nodiscard]] Result<std::vector<Filter>> filters_of(const Value& input);

[[nodiscard]] bool matches_any(const Filter& filter, const Texts& values);
// nullptr tags: the record's kind has none. False where the filter is not about tags.
[[nodiscard]] bool is_about_tags(const Filter& filter);
[[nodiscard]] bool matches_tags(const Filter& filter, const model::Tags& tags);

template <typename Record>
[[nodiscard]] const Field<Record>* field_of(std::span<const Field<Record>> fields,
                                            std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field<Record>::filter);
  return found == fields.end() ? nullptr : &*found;
}

// "InvalidParameterValue": a filter that records of this kind do not have.
template <typename Record>
Status check_filters(const std::vector<Filter>& filters, std::span<const Field<Record>> fields) {
  for (const Filter& filter : filters) {
    if ((requires(const Record& record) { record.tags; }) && is_about_tags(filter)) continue;
    if (field_of(fields, filter.name) == nullptr) {
      return fail("InvalidParameterValue",
                  fmt::format("The filter '{}' is invalid", filter.name.substr(0, 200)));
    }
  }
  return {};
}

// The filters have been checked.
template <typename Record>
[[nodiscard]] bool passes(const control::State& state, const std::vector<Filter>& filters,
                          std::span<const Field<Record>> fields, const Record& record) {
  return std::ranges::all_of(filters, [&](const Filter& filter) {
    if constexpr (requires { record.tags; }) {
      if (is_about_tags(filter)) return matches_tags(filter, record.tags);
    }
    return matches_any(filter, field_of(fields, filter.name)->values(state, record));
  });
}

}  // namespace weir::aws::ec2
