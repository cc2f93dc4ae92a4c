#include "routing/shadowing.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "routing/ip_range.hpp"
#include "routing/pattern_cover.hpp"
#include "routing/text.hpp"

namespace weir::routing {
namespace {

using model::Condition;
using model::ConditionField;

// Each of `covered` is implied by one of `covering`.
template <typename Values, typename Implies>
bool each_is_implied(const Values& covered, const Values& covering, const Implies& implies) {
  return std::ranges::all_of(covered, [&](const auto& narrow) {
    return std::ranges::any_of(covering, [&](const auto& wide) { return implies(wide, narrow); });
  });
}

bool texts_cover(const Condition& covering, const Condition& covered, Case letter_case) {
  const bool takes_all =
      std::ranges::any_of(covering.values, [](const std::string& value) { return value == "*"; });
  return takes_all || (each_is_implied(covered.values, covering.values,
                                       [&](const std::string& wide, const std::string& narrow) {
                                         return pattern_covers(wide, narrow, letter_case);
                                       }) &&
                       each_is_implied(covered.regex_values, covering.regex_values,
                                       [](const std::string& wide, const std::string& narrow) {
                                         return wide == narrow;
                                       }));
}

bool pair_covers(const model::QueryStringPair& covering, const model::QueryStringPair& covered) {
  const auto covers_text = [](const std::string& wide, const std::string& narrow) {
    return pattern_covers(wide, narrow, Case::folded, Escapes::backslash);
  };
  return (!covering.key || covers_text(*covering.key, covered.key.value_or("*"))) &&
         covers_text(covering.value, covered.value);
}

bool range_covers(const std::string& covering, const std::string& covered) {
  const auto wide = IpRange::parse(covering);
  const auto narrow = IpRange::parse(covered);
  return wide && narrow && wide->prefix_bits() <= narrow->prefix_bits() &&
         wide->contains(narrow->address());
}

bool condition_covers(const Condition& covering, const Condition& covered) {
  if (covering.field != covered.field) return false;
  switch (covering.field) {
    case ConditionField::path_pattern:
      return texts_cover(covering, covered, Case::exact);
    case ConditionField::host_header:
      return texts_cover(covering, covered, Case::folded);
    case ConditionField::http_header:
      return equals_folded(covering.http_header_name, covered.http_header_name) &&
             texts_cover(covering, covered, Case::folded);
    case ConditionField::http_request_method:
      return each_is_implied(covered.values, covering.values, std::equal_to<>());
    case ConditionField::query_string:
      return each_is_implied(covered.query, covering.query, pair_covers);
    case ConditionField::source_ip:
      return each_is_implied(covered.values, covering.values, range_covers);
  }
  return false;
}

const model::Rule* first_that_covers(std::span<const model::Rule* const> earlier,
                                     const model::Rule& rule) {
  const auto found =
      std::ranges::find_if(earlier, [&](const model::Rule* one) { return covers(*one, rule); });
  return found == earlier.end() ? nullptr : *found;
}

}  // namespace

bool covers(const model::Rule& covering, const model::Rule& covered) {
  return each_is_implied(covering.conditions, covered.conditions,
                         [](const Condition& narrow, const Condition& wide) {
                           return condition_covers(wide, narrow);
                         });
}

std::vector<Shadow> shadows_with(std::span<const model::Rule* const> by_priority,
                                 const model::Rule& rule) {
  const auto own = std::ranges::lower_bound(by_priority, rule.priority, {}, &model::Rule::priority);
  const auto before = static_cast<std::size_t>(own - by_priority.begin());
  if (const auto* covering = first_that_covers(by_priority.first(before), rule))
    return {{covering, &rule}};
  std::vector<Shadow> out;
  for (const model::Rule* later : by_priority.subspan(before)) {
    if (later->priority > rule.priority && covers(rule, *later)) out.push_back({&rule, later});
  }
  return out;
}

std::vector<Shadow> shadows_among(std::span<const model::Rule* const> by_priority) {
  const auto looked_at = by_priority.first(std::min(by_priority.size(), shadow_rules_max));
  std::vector<Shadow> out;
  for (std::size_t i = 1; i < looked_at.size(); ++i) {
    if (const auto* covering = first_that_covers(looked_at.first(i), *looked_at[i]))
      out.push_back({covering, looked_at[i]});
  }
  return out;
}

}  // namespace weir::routing
