#include "stacks/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "stacks/functions.hpp"

namespace weir::stacks {

namespace {

constexpr std::array<Property, 1> cdk_metadata_properties{{
    {.name = "Analytics", .support = Support::no_effect, .note = "it is for the CDK's authors"},
}};

constexpr std::array<ResourceType, 1> cdk_types{{
    {.name = "AWS::CDK::Metadata", .properties = cdk_metadata_properties, .attributes = {}},
}};

std::vector<const ResourceType*> all_types() {
  std::vector<const ResourceType*> all;
  for (const auto types :
       {ec2_types(), elbv2_types(), iam_types(), std::span<const ResourceType>(cdk_types)}) {
    for (const ResourceType& type : types) all.push_back(&type);
  }
  return all;
}

class Checker {
 public:
  Checker(const ResourceType& type, const std::string& logical_id, Diagnostics& diagnostics,
          Notices& notices)
      : type_(type), logical_id_(logical_id), diagnostics_(diagnostics), notices_(notices) {}

  void check_fields(std::span<const Property> fields, const Value& map, const std::string& path,
                    const std::string& owner, bool is_top) {
    for (std::size_t i = 0; i < map.keys.size() && !diagnostics_.is_full(); ++i) {
      const auto field = std::ranges::find(fields, map.keys[i].text, &Property::name);
      if (field == fields.end()) {
        add_unknown(fields, map.keys[i], path, owner, is_top);
      } else {
        check_field(*field, map.keys[i], map.items[i], path + "." + map.keys[i].text, owner);
      }
    }
    for (const Property& field : fields) {
      if (field.is_required && map.find(field.name) == nullptr) {
        diagnostics_.add(map.mark, path, fmt::format("{} is required by {}", field.name, owner));
      }
    }
  }

 private:
  void add_unknown(std::span<const Property> fields, const Key& key, const std::string& path,
                   const std::string& owner, bool is_top) {
    std::vector<std::string_view> known;
    for (const Property& field : fields) known.push_back(field.name);
    std::string hint = suggestion(key.text, known);
    if (hint.empty()) hint = "; known are " + join_words(known);
    diagnostics_.add(key.mark, path + "." + key.text,
                     fmt::format("unknown {} of {}{}", is_top ? "property" : "field", owner, hint));
  }

  void check_field(const Property& field, const Key& key, const Value& value,
                   const std::string& path, const std::string& owner) {
    if (field.support == Support::refused) {
      diagnostics_.add(key.mark, path, fmt::format("not supported: {}", field.note));
      return;
    }
    const std::string name = owner + "." + std::string(field.name);
    if (field.support == Support::no_effect) {
      Notices::Use& use = notices_.uses[name];
      use.logical_ids.insert(logical_id_);
      use.note = field.note;
    }
    check_value(field, value, path, name);
  }

  // `value` may be a function, or what one gave.
  void check_value(const Property& field, const Value& value, const std::string& path,
                   const std::string& owner) {
    if (for_each_branch(value,
                        [&](const Value& branch) { check_value(field, branch, path, owner); })) {
      return;
    }
    if (value.kind == Kind::null) return;  // reported with the functions
    switch (field.shape) {
      case Shape::anything:
        return;
      case Shape::string:
        check_string(field, value, path);
        return;
      case Shape::integer:
        check_integer(field, value, path);
        return;
      case Shape::boolean:
        check_boolean(value, path);
        return;
      case Shape::string_list:
        check_list(field, value, path, owner);
        return;
      case Shape::structure_list:
        check_list(field, value, path, owner);
        return;
      case Shape::structure:
        if (!value.is_map()) {
          expected(value, path, "a map");
        } else {
          check_fields(field.fields, value, path, owner, false);
        }
        return;
    }
  }

  void check_list(const Property& field, const Value& value, const std::string& path,
                  const std::string& owner) {
    if (!value.is_list()) {
      expected(value, path, "a list");
      return;
    }
    Property item = field;
    item.shape = field.shape == Shape::string_list ? Shape::string : Shape::structure;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      check_value(item, value.items[i], fmt::format("{}[{}]", path, i), owner);
    }
  }

  void check_string(const Property& field, const Value& value, const std::string& path) {
    if (!value.is_scalar()) {
      expected(value, path, "a string");
      return;
    }
    if (!field.allowed.empty() && !is_allowed(field.allowed, value.text)) {
      std::string choices(field.allowed);
      std::string message;
      for (const char c : choices) message += c == '|' ? std::string(", ") : std::string(1, c);
      message = fmt::format("'{}' is not one of: {}", value.text, message);
      if (!field.note.empty()) message += fmt::format(" ({})", field.note);
      diagnostics_.add(value.mark, path, message);
    }
    if (field.check != nullptr) {
      if (std::string wrong = field.check(value.text); !wrong.empty()) {
        diagnostics_.add(value.mark, path, std::move(wrong));
      }
    }
  }

  static bool is_allowed(std::string_view allowed, std::string_view text) {
    if (text.empty() || text.find('|') != std::string_view::npos) return false;
    return fmt::format("|{}|", allowed).find(fmt::format("|{}|", text)) != std::string::npos;
  }

  void check_integer(const Property& field, const Value& value, const std::string& path) {
    std::int64_t number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stopped, status] = std::from_chars(value.text.data(), end, number);
    if (!value.is_scalar() || status != std::errc{} || stopped != end) {
      expected(value, path, "an integer");
    } else if (number < field.min || number > field.max) {
      diagnostics_.add(value.mark, path,
                       fmt::format("{} is not within {}–{}", number, field.min, field.max));
    }
  }

  void check_boolean(const Value& value, const std::string& path) {
    if (!value.is_scalar() || !to_boolean(value.text)) expected(value, path, "true or false");
  }

  void expected(const Value& value, const std::string& path, std::string_view what) {
    diagnostics_.add(value.mark, path,
                     value.is_scalar() && value.text.size() <= 80
                         ? fmt::format("expected {}, found '{}'", what, value.text)
                         : fmt::format("expected {}, found {}", what, kind_name(value.kind)));
  }

  const ResourceType& type_;
  const std::string& logical_id_;
  Diagnostics& diagnostics_;
  Notices& notices_;
};

}  // namespace

const ResourceType* find_type(std::string_view name) {
  for (const ResourceType* type : all_types()) {
    if (type->name == name) return type;
  }
  return nullptr;
}

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> names;
  for (const ResourceType* type : all_types()) names.push_back(type->name);
  return names;
}

const Attribute* find_attribute(const ResourceType& type, std::string_view name) {
  const auto attribute = std::ranges::find(type.attributes, name, &Attribute::name);
  return attribute == type.attributes.end() ? nullptr : &*attribute;
}

void check_properties(const ResourceType& type, const std::string& logical_id,
                      const Value& properties, Diagnostics& diagnostics, Notices& notices) {
  Checker(type, logical_id, diagnostics, notices)
      .check_fields(type.properties, properties, fmt::format("Resources.{}.Properties", logical_id),
                    std::string(type.name), true);
}

}  // namespace weir::stacks
