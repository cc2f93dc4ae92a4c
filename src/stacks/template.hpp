// A CloudFormation template, read into its sections.
//
// Reading checks everything that can be said without values: sections and their shape, names,
// functions and what they refer to (in branches not taken as well), resource types and the names
// and kinds of their properties. What depends on parameters is plan.hpp's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stacks/diagnostics.hpp"
#include "stacks/value.hpp"

namespace weir::stacks {

struct ParameterDeclaration {
  std::string name;
  Mark mark;
  std::string type = "String";
  std::string description;
  std::string constraint_description;
  std::string allowed_pattern;
  std::optional<std::string> default_value;
  std::vector<std::string> allowed_values;
  std::optional<double> min_value, max_value;
  std::optional<std::size_t> min_length, max_length;
  bool no_echo = false;
};

struct Reference {
  std::string name;
  Mark mark;
};

struct ResourceDeclaration {
  std::string logical_id;
  Mark mark;
  std::string type;
  Mark type_mark;
  Value properties;  // a map
  std::vector<Reference> depends_on;
  std::optional<Reference> condition;
  bool is_retained = false;                  // DeletionPolicy: Retain
  bool retained_unless_rolled_back = false;  // RetainExceptOnCreate
  bool is_retained_when_replaced = false;    // UpdateReplacePolicy: Retain
};

struct OutputDeclaration {
  std::string key;
  Mark mark;
  std::string description;
  Value value;
  std::optional<Value> export_name;
  std::optional<Reference> condition;
};

struct NamedValue {
  std::string name;
  Mark mark;
  Value value;
};

struct Template {
  std::string file_name;
  std::string description;
  std::vector<ParameterDeclaration> parameters;
  std::vector<NamedValue> mappings;    // two levels of maps, then scalars or lists of scalars
  std::vector<NamedValue> conditions;  // name → condition function
  std::vector<NamedValue> rules;
  std::vector<ResourceDeclaration> resources;
  std::vector<OutputDeclaration> outputs;

  [[nodiscard]] const ParameterDeclaration* parameter(std::string_view name) const;
  [[nodiscard]] const ResourceDeclaration* resource(std::string_view logical_id) const;
  [[nodiscard]] const Value* mapping(std::string_view name) const;
  [[nodiscard]] const Value* condition(std::string_view name) const;
};

// Reads what it can and notes every fault in `diagnostics`.
[[nodiscard]] Template read_template(const Value& root, std::string file_name,
                                     Diagnostics& diagnostics);

// parse_template and read_template; the error holds all faults, a line each.
[[nodiscard]] Result<Template> load_template(std::string_view text, const std::string& file_name);

}  // namespace weir::stacks
