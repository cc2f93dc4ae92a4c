#include "importing/schema_conversion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <variant>

namespace weir::importing {
namespace {

using aws::Value;

// What a person looks for first.
constexpr std::array<std::string_view, 6> first_names{"Name", "Type",     "Field",
                                                      "Key",  "Priority", "HttpHeaderName"};

std::string scalar_text(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value.held())) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value.held())) return std::to_string(*number);
  return value.as_text();
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 9 && (text == "0" || text[0] != '0') &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_nothing(const stacks::Property& property, const Value& value) {
  switch (property.shape) {
    case stacks::Shape::structure:
      return value.members().empty();
    case stacks::Shape::string_list:
    case stacks::Shape::structure_list:
      return value.items().empty();
    default:
      return false;
  }
}

std::vector<const stacks::Property*> in_reading_order(
    std::span<const stacks::Property> properties) {
  std::vector<const stacks::Property*> ordered;
  for (const auto& property : properties) ordered.push_back(&property);
  std::ranges::stable_partition(ordered, [](const stacks::Property* property) {
    return std::ranges::find(first_names, property->name) != first_names.end();
  });
  return ordered;
}

}  // namespace

void Notices::add(std::string_view text) {
  auto line = printable(text);
  if (all_.size() < notices_max && std::ranges::find(all_, line) == all_.end())
    all_.push_back(std::move(line));
}

const stacks::Property* find_property(std::span<const stacks::Property> properties,
                                      std::string_view name) {
  const auto found = std::ranges::find(properties, name, &stacks::Property::name);
  return found == properties.end() ? nullptr : &*found;
}

bool allows(const stacks::Property& property, std::string_view text) {
  for (std::string_view rest = property.allowed; !rest.empty();) {
    const auto end = std::min(rest.find('|'), rest.size());
    if (rest.substr(0, end) == text) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return property.allowed.empty();
}

Node SchemaConversion::text(const stacks::Property& property, const std::string& text,
                            std::string_view where) const {
  if (property.name == "TargetGroupArn") {
    const auto found = references_.find(text);
    if (found != references_.end()) return Node::ref(found->second);
  }
  if (allows(property, text)) return Node::text(text);
  const auto instead = property.allowed.substr(0, property.allowed.find('|'));
  notices_.add(fmt::format("{}: {} {} is written as {}: {}", where, property.name, text, instead,
                           property.note.empty() ? "Weir takes no other" : property.note));
  return Node::text(instead);
}

Node SchemaConversion::converted(const stacks::Property& property, const Value& value,
                                 std::string_view where) const {
  switch (property.shape) {
    case stacks::Shape::structure:
      return structure(property.fields, value, where);
    case stacks::Shape::structure_list: {
      Node list = Node::list();
      for (const auto& item : value.items()) list.add(structure(property.fields, item, where));
      return list;
    }
    case stacks::Shape::string_list: {
      Node list = Node::list();
      for (const auto& item : value.items()) list.add(Node::text(scalar_text(item)));
      return list;
    }
    case stacks::Shape::integer: {
      const auto number = scalar_text(value);
      return is_number(number) ? Node::plain(number) : Node::text(number);
    }
    case stacks::Shape::boolean:
      return Node::plain(scalar_text(value) == "true" ? "true" : "false");
    default:
      return text(property, scalar_text(value), where);
  }
}

Node SchemaConversion::structure(std::span<const stacks::Property> properties, const Value& value,
                                 std::string_view where) const {
  Node node = Node::map();
  for (const auto* property : in_reading_order(properties)) {
    const Value* member = value.find(property->name);
    if (member == nullptr || is_nothing(*property, *member)) continue;
    if (property->support == stacks::Support::refused) {
      notices_.add(fmt::format("{}: {} is left out: {}", where, property->name, property->note));
    } else {
      node.set(property->name, converted(*property, *member, where));
    }
  }
  for (const auto& [name, member] : value.members()) {
    if (find_property(properties, name) == nullptr)
      notices_.add(fmt::format("{}: {} is left out: Weir does not know it", where, name));
  }
  return node;
}

Node SchemaConversion::attributes(std::span<const model::AttributeSpec> specs, const Pairs& pairs,
                                  std::string_view where) const {
  Node list = Node::list();
  const auto add = [&](const std::string& key, Node value) {
    list.add(Node::map({{"Key", Node::text(key)}, {"Value", std::move(value)}}));
  };
  for (const auto& [key, value] : pairs) {
    const auto spec = std::ranges::find(specs, key, &model::AttributeSpec::key);
    if (spec != specs.end() && value == spec->default_value) continue;
    if (const auto reference = references_.find(value); reference != references_.end()) {
      add(key, Node::ref(reference->second));
    } else if (spec == specs.end()) {
      notices_.add(fmt::format("{}: the attribute {} = {} is left out: Weir does not know it",
                               where, key, value));
    } else if (!spec->is_in_force || !spec->is_valid(value, *spec)) {
      notices_.add(fmt::format("{}: the attribute {} = {} is left out: Weir takes {} only", where,
                               key, value,
                               spec->is_in_force             ? spec->values
                               : spec->default_value.empty() ? "no value"
                                                             : spec->default_value));
    } else {
      add(key, Node::text(value));
    }
  }
  return list;
}

Node pairs_node(const Pairs& pairs) {
  Node list = Node::list();
  for (const auto& [key, value] : pairs)
    list.add(Node::map({{"Key", Node::text(key)}, {"Value", Node::text(value)}}));
  return list;
}

}  // namespace weir::importing
