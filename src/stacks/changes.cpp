#include "stacks/changes.hpp"

#include <algorithm>
#include <set>

#include "stacks/parse.hpp"

namespace weir::stacks {

namespace {

bool is_same(const Value& a, const Value& b) {
  if (a.is_unknown() || b.is_unknown()) return false;
  if (a.is_scalar() && b.is_scalar()) return a.text == b.text;
  if (a.kind != b.kind || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    const Value* other = a.is_map() ? b.find(a.keys[i].text) : &b.items[i];
    if (other == nullptr || !is_same(a.items[i], *other)) return false;
  }
  return true;
}

}  // namespace

std::vector<std::string> changed_properties(const Value& former, const Value& wanted) {
  std::set<std::string> changed;
  for (const Key& key : former.keys) {
    const Value* now = wanted.find(key.text);
    if (now == nullptr || !is_same(*former.find(key.text), *now)) changed.insert(key.text);
  }
  for (const Key& key : wanted.keys) {
    if (former.find(key.text) == nullptr) changed.insert(key.text);
  }
  return {changed.begin(), changed.end()};
}

ChangeKind change_kind(const ResourceType& type, const std::vector<std::string>& changed) {
  if (changed.empty()) return ChangeKind::none;
  const bool makes_another = std::ranges::any_of(changed, [&](const std::string& name) {
    const auto found = std::ranges::find(type.properties, name, &Property::name);
    return found != type.properties.end() && found->is_create_only &&
           found->support == Support::honoured;
  });
  return makes_another ? ChangeKind::replacement : ChangeKind::in_place;
}

std::string_view name_property(const ResourceType& type) {
  for (const std::string_view name : {"Name", "GroupName"}) {
    const auto found = std::ranges::find(type.properties, name, &Property::name);
    // A rule names the group it belongs to, which is another thing.
    const bool names_itself = type.name != "AWS::EC2::SecurityGroupIngress";
    if (found != type.properties.end() && found->is_create_only && names_itself) return name;
  }
  return {};
}

Result<Value> read_properties(const std::string& json) {
  Diagnostics diagnostics("the stack's record");
  auto value = parse_json(json, diagnostics);
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  if (!value || !value->is_map()) {
    return fail("ValidationError", "the stack's record does not say what a resource was made with",
                "It was made by an older Weir; remove the stack and make it again.");
  }
  return std::move(*value);
}

}  // namespace weir::stacks
