#include "stacks/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "stacks/functions.hpp"
#include "stacks/limits.hpp"
#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

template <typename T, typename Field>
const T* find_in(const std::vector<T>& all, Field field, std::string_view name) {
  const auto found =
      std::ranges::find_if(all, [&](const T& one) { return std::invoke(field, one) == name; });
  return found == all.end() ? nullptr : &*found;
}

bool is_alphanumeric(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; });
}

class Reader {
 public:
  Reader(Template& tmpl, Diagnostics& diagnostics) : template_(tmpl), diagnostics_(diagnostics) {}

  void read(const Value& root) {
    if (!root.is_map()) {
      fault(root.mark, {}, "a template is a map with the section Resources");
      return;
    }
    for (std::size_t i = 0; i < root.keys.size(); ++i) read_section(root.keys[i], root.items[i]);
    if (root.find("Resources") == nullptr) fault(root.mark, {}, "the section Resources is missing");
    check_references();
  }

 private:
  void fault(Mark mark, std::string path, std::string message) {
    diagnostics_.add(mark, std::move(path), std::move(message));
  }

  void add_unknown(const Key& key, const std::string& path, std::string_view what,
                   const std::vector<std::string_view>& known) {
    std::string hint = suggestion(key.text, known);
    if (hint.empty()) hint = "; known are " + join_words(known);
    fault(key.mark, path, fmt::format("unknown {}{}", what, hint));
  }

  void read_section(const Key& key, const Value& value) {
    const std::string& name = key.text;
    if (name == "AWSTemplateFormatVersion") {
      if (value.text != "2010-09-09") fault(value.mark, name, "the only version is 2010-09-09");
    } else if (name == "Description") {
      template_.description = read_text(value, name);
      if (template_.description.size() > limits::description_bytes_max) {
        fault(value.mark, name,
              fmt::format("a description has at most {} bytes", limits::description_bytes_max));
      }
    } else if (name == "Metadata") {
      expect_map(value, name);
    } else if (name == "Parameters") {
      each(value, name, limits::parameters_max,
           [&](const Key& k, const Value& v) { read_parameter(k, v); });
    } else if (name == "Mappings") {
      each(value, name, limits::mappings_max,
           [&](const Key& k, const Value& v) { read_mapping(k, v); });
    } else if (name == "Conditions") {
      each(value, name, limits::resources_max, [&](const Key& k, const Value& v) {
        template_.conditions.push_back({k.text, k.mark, v});
      });
    } else if (name == "Rules") {
      each(value, name, limits::parameters_max, [&](const Key& k, const Value& v) {
        template_.rules.push_back({k.text, k.mark, v});
      });
    } else if (name == "Resources") {
      each(value, name, limits::resources_max,
           [&](const Key& k, const Value& v) { read_resource(k, v); });
      if (value.is_map() && value.items.empty()) fault(value.mark, name, "no resources in it");
    } else if (name == "Outputs") {
      each(value, name, limits::outputs_max,
           [&](const Key& k, const Value& v) { read_output(k, v); });
    } else if (name == "Transform") {
      fault(key.mark, name, "transforms and macros are not supported; expand the template first");
    } else {
      add_unknown(key, name, "section",
                  {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings",
                   "Conditions", "Rules", "Resources", "Outputs"});
    }
  }

  template <typename Function>
  void each(const Value& map, const std::string& section, std::size_t count_max,
            Function function) {
    if (!expect_map(map, section)) return;
    if (map.keys.size() > count_max) {
      fault(map.mark, section,
            fmt::format("{} entries; at most {} are possible", map.keys.size(), count_max));
      return;
    }
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
      const Key& key = map.keys[i];
      if (key.text.size() > limits::logical_id_bytes_max || !is_alphanumeric(key.text)) {
        fault(key.mark, section,
              fmt::format("'{}': a name has letters and digits only, at most {}", key.text,
                          limits::logical_id_bytes_max));
      }
      function(key, map.items[i]);
    }
  }

  bool expect_map(const Value& value, const std::string& path) {
    if (value.is_map()) return true;
    fault(value.mark, path, fmt::format("expected a map, found {}", kind_name(value.kind)));
    return false;
  }

  std::string read_text(const Value& value, const std::string& path) {
    if (!value.is_scalar()) {
      fault(value.mark, path, fmt::format("expected a string, found {}", kind_name(value.kind)));
    }
    return value.text;
  }

  double read_number(const Value& value, const std::string& path) {
    double number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stopped, status] = std::from_chars(value.text.data(), end, number);
    if (!value.is_scalar() || status != std::errc{} || stopped != end || !std::isfinite(number)) {
      fault(value.mark, path, "expected a number");
    }
    return number;
  }

  std::size_t read_length(const Value& value, const std::string& path) {
    const double number = read_number(value, path);
    if (number < 0 || number > 1e6 || number != std::floor(number)) {
      fault(value.mark, path, "expected a whole number");
      return 0;
    }
    return static_cast<std::size_t>(number);
  }

  bool read_boolean(const Value& value, const std::string& path) {
    const std::optional<bool> truth = value.is_scalar() ? to_boolean(value.text) : std::nullopt;
    if (!truth) fault(value.mark, path, "expected true or false");
    return truth.value_or(false);
  }

  // ---------------------------------------------------------------- parameters
  void read_parameter(const Key& name, const Value& value) {
    const std::string path = "Parameters." + name.text;
    ParameterDeclaration parameter;
    parameter.name = name.text;
    parameter.mark = name.mark;
    if (expect_map(value, path)) {
      for (std::size_t i = 0; i < value.keys.size(); ++i) {
        read_parameter_field(parameter, value.keys[i], value.items[i], path);
      }
      if (value.find("Type") == nullptr) fault(name.mark, path, "Type is required");
    }
    template_.parameters.push_back(std::move(parameter));
  }

  void read_parameter_field(ParameterDeclaration& parameter, const Key& key, const Value& value,
                            const std::string& parent) {
    const std::string path = parent + "." + key.text;
    const std::string& name = key.text;
    if (name == "Type") {
      parameter.type = read_text(value, path);
    } else if (name == "Default") {
      parameter.default_value = read_text(value, path);
    } else if (name == "AllowedValues") {
      if (!value.is_list()) fault(value.mark, path, "expected a list");
      for (const Value& one : value.items) parameter.allowed_values.push_back(read_text(one, path));
    } else if (name == "AllowedPattern") {
      parameter.allowed_pattern = read_text(value, path);
    } else if (name == "ConstraintDescription") {
      parameter.constraint_description = read_text(value, path);
    } else if (name == "Description") {
      parameter.description = read_text(value, path);
    } else if (name == "MaxLength") {
      parameter.max_length = read_length(value, path);
    } else if (name == "MinLength") {
      parameter.min_length = read_length(value, path);
    } else if (name == "MaxValue") {
      parameter.max_value = read_number(value, path);
    } else if (name == "MinValue") {
      parameter.min_value = read_number(value, path);
    } else if (name == "NoEcho") {
      parameter.no_echo = read_boolean(value, path);
    } else {
      add_unknown(
          key, path, "field of a parameter",
          {"AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description",
           "MaxLength", "MaxValue", "MinLength", "MinValue", "NoEcho", "Type"});
    }
  }

  // ---------------------------------------------------------------- mappings
  void read_mapping(const Key& name, const Value& value) {
    const std::string path = "Mappings." + name.text;
    template_.mappings.push_back({name.text, name.mark, value});
    if (!expect_map(value, path)) return;
    if (value.keys.size() > limits::mapping_entries_max) {
      fault(value.mark, path,
            fmt::format("at most {} entries are possible", limits::mapping_entries_max));
    }
    for (std::size_t i = 0; i < value.keys.size(); ++i) {
      const std::string first = path + "." + value.keys[i].text;
      if (!expect_map(value.items[i], first)) continue;
      const Value& inner = value.items[i];
      for (std::size_t k = 0; k < inner.keys.size(); ++k) {
        check_mapped(inner.items[k], first + "." + inner.keys[k].text);
      }
    }
  }

  void check_mapped(const Value& value, const std::string& path) {
    if (value.is_scalar()) return;
    const bool is_plain_list =
        value.is_list() && std::ranges::all_of(value.items, &Value::is_scalar);
    if (!is_plain_list) {
      fault(value.mark, path, "a map's value is a string or a list of strings, without functions");
    }
  }

  // ---------------------------------------------------------------- resources
  void read_resource(const Key& name, const Value& value) {
    const std::string path = "Resources." + name.text;
    ResourceDeclaration resource;
    resource.logical_id = name.text;
    resource.mark = name.mark;
    resource.properties = Value::make_map(name.mark);
    if (expect_map(value, path)) {
      for (std::size_t i = 0; i < value.keys.size(); ++i) {
        read_resource_field(resource, value.keys[i], value.items[i], path);
      }
      if (value.find("Type") == nullptr) fault(name.mark, path, "Type is required");
    }
    template_.resources.push_back(std::move(resource));
  }

  void read_resource_field(ResourceDeclaration& resource, const Key& key, const Value& value,
                           const std::string& parent) {
    const std::string path = parent + "." + key.text;
    const std::string& name = key.text;
    if (name == "Type") {
      resource.type = read_text(value, path);
      resource.type_mark = value.mark;
    } else if (name == "Properties") {
      if (expect_map(value, path)) resource.properties = value;
    } else if (name == "DependsOn") {
      read_depends_on(resource, value, path);
    } else if (name == "Condition") {
      resource.condition = Reference{read_text(value, path), value.mark};
    } else if (name == "DeletionPolicy" || name == "UpdateReplacePolicy") {
      read_policy(resource, key, value, path);
    } else if (name == "Metadata") {
      expect_map(value, path);
    } else if (name == "CreationPolicy" || name == "UpdatePolicy") {
      fault(key.mark, path, "not supported: Weir waits for instances to run, not for signals");
    } else {
      add_unknown(key, path, "field of a resource",
                  {"Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type",
                   "UpdateReplacePolicy"});
    }
  }

  void read_depends_on(ResourceDeclaration& resource, const Value& value, const std::string& path) {
    if (value.is_scalar()) {
      resource.depends_on.push_back({value.text, value.mark});
    } else if (value.is_list()) {
      for (const Value& one : value.items) {
        resource.depends_on.push_back({read_text(one, path), one.mark});
      }
    } else {
      fault(value.mark, path, "expected the name of a resource or a list of names");
    }
  }

  void read_policy(ResourceDeclaration& resource, const Key& key, const Value& value,
                   const std::string& path) {
    const std::string policy = read_text(value, path);
    const bool is_deletion = key.text == "DeletionPolicy";
    if (policy == "Snapshot") {
      fault(value.mark, path, "none of the types that Weir knows has snapshots");
    } else if (policy != "Delete" && policy != "Retain" &&
               !(is_deletion && policy == "RetainExceptOnCreate")) {
      fault(value.mark, path,
            fmt::format("'{}' is not one of: Delete, Retain{}", policy,
                        is_deletion ? ", RetainExceptOnCreate" : ""));
    } else if (is_deletion) {
      resource.is_retained = policy == "Retain";
      resource.retained_unless_rolled_back = policy == "RetainExceptOnCreate";
    } else {
      resource.is_retained_when_replaced = policy == "Retain";
    }
  }

  // ---------------------------------------------------------------- outputs
  void read_output(const Key& name, const Value& value) {
    const std::string path = "Outputs." + name.text;
    OutputDeclaration output;
    output.key = name.text;
    output.mark = name.mark;
    if (!expect_map(value, path)) return;
    for (std::size_t i = 0; i < value.keys.size(); ++i) {
      const Key& key = value.keys[i];
      const std::string field = path + "." + key.text;
      if (key.text == "Value") {
        output.value = value.items[i];
      } else if (key.text == "Description") {
        output.description = read_text(value.items[i], field);
      } else if (key.text == "Condition") {
        output.condition = Reference{read_text(value.items[i], field), value.items[i].mark};
      } else if (key.text == "Export") {
        read_export(output, value.items[i], field);
      } else {
        add_unknown(key, field, "field of an output",
                    {"Condition", "Description", "Export", "Value"});
      }
    }
    if (value.find("Value") == nullptr) {
      fault(name.mark, path, "Value is required");
      return;
    }
    template_.outputs.push_back(std::move(output));
  }

  void read_export(OutputDeclaration& output, const Value& value, const std::string& path) {
    if (const Value* name = value.find("Name"); name != nullptr && value.keys.size() == 1) {
      output.export_name = *name;
    } else {
      fault(value.mark, path, "expected {Name: …}");
    }
  }

  // ---------------------------------------------------------------- across sections
  void check_references() {
    for (const NamedValue& condition : template_.conditions) {
      check_functions(template_, condition.value, "Conditions." + condition.name, Place::condition,
                      diagnostics_);
    }
    for (const NamedValue& rule : template_.rules) check_rule(rule);
    for (const ResourceDeclaration& resource : template_.resources) check_resource(resource);
    for (const OutputDeclaration& output : template_.outputs) {
      const std::string path = "Outputs." + output.key;
      check_functions(template_, output.value, path + ".Value", Place::output, diagnostics_);
      if (output.export_name) {
        check_functions(template_, *output.export_name, path + ".Export.Name", Place::output,
                        diagnostics_);
      }
      check_condition(output.condition, path);
    }
    for (const ParameterDeclaration& parameter : template_.parameters) {
      if (template_.resource(parameter.name) != nullptr) {
        fault(parameter.mark, "Parameters." + parameter.name,
              "a resource has this name as well; names are unique in a template");
      }
    }
  }

  void check_rule(const NamedValue& rule) {
    const std::string path = "Rules." + rule.name;
    if (!expect_map(rule.value, path)) return;
    for (std::size_t i = 0; i < rule.value.keys.size(); ++i) {
      const Key& key = rule.value.keys[i];
      const Value& value = rule.value.items[i];
      if (key.text == "RuleCondition") {
        check_functions(template_, value, path + ".RuleCondition", Place::rule, diagnostics_);
      } else if (key.text == "Assertions") {
        check_assertions(value, path + ".Assertions");
      } else {
        add_unknown(key, path + "." + key.text, "field of a rule", {"Assertions", "RuleCondition"});
      }
    }
  }

  void check_assertions(const Value& list, const std::string& path) {
    if (!list.is_list()) {
      fault(list.mark, path, "expected a list of {Assert, AssertDescription}");
      return;
    }
    for (const Value& one : list.items) {
      const Value* condition = one.find("Assert");
      if (condition == nullptr) {
        fault(one.mark, path, "expected {Assert, AssertDescription}");
      } else {
        check_functions(template_, *condition, path + ".Assert", Place::rule, diagnostics_);
      }
    }
  }

  void check_condition(const std::optional<Reference>& condition, const std::string& path) {
    if (!condition || template_.condition(condition->name) != nullptr) return;
    std::vector<std::string_view> known;
    for (const NamedValue& one : template_.conditions) known.push_back(one.name);
    fault(condition->mark, path + ".Condition",
          fmt::format("no condition {} in Conditions{}", condition->name,
                      suggestion(condition->name, known)));
  }

  void check_resource(const ResourceDeclaration& resource) {
    const std::string path = "Resources." + resource.logical_id;
    check_condition(resource.condition, path);
    for (const Reference& reference : resource.depends_on) {
      if (template_.resource(reference.name) != nullptr) continue;
      std::vector<std::string_view> known;
      for (const auto& other : template_.resources) known.push_back(other.logical_id);
      fault(reference.mark, path + ".DependsOn",
            fmt::format("no resource {}{}", reference.name, suggestion(reference.name, known)));
    }
    check_functions(template_, resource.properties, path + ".Properties", Place::property,
                    diagnostics_);
    if (resource.type.empty()) return;
    const ResourceType* type = find_type(resource.type);
    if (type == nullptr) {
      std::string hint = suggestion(resource.type, type_names());
      if (hint.empty()) hint = "; known are " + join_words(type_names());
      fault(resource.type_mark, path + ".Type",
            fmt::format("unknown resource type {}{}", resource.type, hint));
      return;
    }
    Notices unused;
    check_properties(*type, resource.logical_id, resource.properties, diagnostics_, unused);
  }

  Template& template_;
  Diagnostics& diagnostics_;
};

}  // namespace

const ParameterDeclaration* Template::parameter(std::string_view name) const {
  return find_in(parameters, &ParameterDeclaration::name, name);
}
const ResourceDeclaration* Template::resource(std::string_view logical_id) const {
  return find_in(resources, &ResourceDeclaration::logical_id, logical_id);
}
const Value* Template::mapping(std::string_view name) const {
  const NamedValue* found = find_in(mappings, &NamedValue::name, name);
  return found == nullptr ? nullptr : &found->value;
}
const Value* Template::condition(std::string_view name) const {
  const NamedValue* found = find_in(conditions, &NamedValue::name, name);
  return found == nullptr ? nullptr : &found->value;
}

Template read_template(const Value& root, std::string file_name, Diagnostics& diagnostics) {
  Template tmpl;
  tmpl.file_name = std::move(file_name);
  Reader(tmpl, diagnostics).read(root);
  return tmpl;
}

Result<Template> load_template(std::string_view text, const std::string& file_name) {
  const Result<Value> root = parse_template(text, file_name);
  if (!root) return std::unexpected(root.error());
  Diagnostics diagnostics(file_name);
  Template tmpl = read_template(*root, file_name, diagnostics);
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  return tmpl;
}

}  // namespace weir::stacks
