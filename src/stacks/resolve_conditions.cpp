// Resolver's other half: conditions, which are true, false or not to be known.
#include <fmt/format.h>

#include <algorithm>

#include "stacks/resolve.hpp"

namespace weir::stacks {

namespace {

bool same(const Value& left, const Value& right) {
  if (left.is_scalar() && right.is_scalar()) return left.text == right.text;
  return left.kind == right.kind && to_json(left) == to_json(right);
}

}  // namespace

std::optional<bool> Resolver::condition(const std::string& name) {
  if (const auto known = conditions_.find(name); known != conditions_.end()) return known->second;
  const Value* value = template_.condition(name);
  if (value == nullptr) return std::nullopt;
  if (!conditions_under_way_.insert(name).second) {
    fault(value->mark, "Conditions." + name, "the condition depends on itself");
    return std::nullopt;
  }
  const std::optional<bool> truth = is_true(*value, "Conditions." + name);
  conditions_under_way_.erase(name);
  conditions_[name] = truth;
  return truth;
}

bool Resolver::is_active(const ResourceDeclaration& resource) {
  return !resource.condition || condition(resource.condition->name).value_or(true);
}

std::optional<bool> Resolver::is_true(const Value& value, const std::string& path) {
  const std::optional<Call> function = as_call(value, true);
  return function ? logical_call(*function, path) : std::nullopt;
}

std::optional<bool> Resolver::logical_call(const Call& function, const std::string& path) {
  if (function.name == "Condition") return condition(function.argument->text);
  const Value& list = *function.argument;
  if (!list.is_list() || list.items.empty()) return std::nullopt;
  if (function.name == "Fn::Not") {
    const std::optional<bool> truth = is_true(list.items[0], path);
    return truth ? std::optional(!*truth) : std::nullopt;
  }
  if (function.name == "Fn::And" || function.name == "Fn::Or") {
    const bool decides = function.name == "Fn::Or";  // one such operand decides
    bool is_known = true;
    for (const Value& operand : list.items) {
      const std::optional<bool> truth = is_true(operand, path);
      if (truth == decides) return decides;
      is_known = is_known && truth.has_value();
    }
    return is_known ? std::optional(!decides) : std::nullopt;
  }
  if (function.name == "Fn::If" && list.items.size() == 3) {
    const std::optional<bool> truth = condition(list.items[0].text);
    return truth ? is_true(list.items[*truth ? 1 : 2], path) : std::nullopt;
  }
  if (list.items.size() != 2) return std::nullopt;
  return member_test(function, path);
}

std::optional<bool> Resolver::member_test(const Call& function, const std::string& path) {
  const Answer left = resolve(function.argument->items[0], path);
  const Answer right = resolve(function.argument->items[1], path);
  if (!left || !right || left->has_unknown() || right->has_unknown()) return std::nullopt;
  if (function.name == "Fn::Equals") return same(*left, *right);
  const auto contains = [](const Value& list, const Value& item) {
    return std::ranges::any_of(list.items, [&](const Value& one) { return same(one, item); });
  };
  if (function.name == "Fn::Contains") return contains(*left, *right);
  if (function.name == "Fn::EachMemberEquals") {
    return std::ranges::all_of(left->items, [&](const Value& one) { return same(one, *right); });
  }
  if (function.name == "Fn::EachMemberIn") {
    return std::ranges::all_of(left->items,
                               [&](const Value& one) { return contains(*right, one); });
  }
  return std::nullopt;
}

}  // namespace weir::stacks
