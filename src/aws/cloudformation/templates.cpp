// Templates: given back, summarised, checked.
#include <fmt/format.h>

#include <set>

#include "aws/cloudformation/handlers.hpp"
#include "stacks/template.hpp"

namespace weir::aws::cloudformation {

namespace {

// Of the call's own template, or of the stack that it names.
Result<stacks::Template> template_asked_for(const Shared& shared, const Value& input) {
  std::string body;
  if (input.has("StackName")) {
    const auto stack = stack_of(shared, input.text("StackName"));
    if (!stack) return std::unexpected(stack.error());
    body = stack->template_body;
  } else {
    auto wanted = stack_input(input, nullptr);
    if (!wanted) return std::unexpected(wanted.error());
    body = std::move(wanted->template_body);
  }
  return stacks::load_template(body, "template");
}

Value parameter_value(const stacks::ParameterDeclaration& declared) {
  Value out{{"ParameterKey", declared.name}, {"NoEcho", declared.no_echo}};
  if (declared.default_value) out.set("DefaultValue", *declared.default_value);
  out.set_text("Description", declared.description);
  return out;
}

Result<Value> validate_template(Shared& shared, const Value& input) {
  const auto tmpl = template_asked_for(shared, input);
  if (!tmpl) return std::unexpected(tmpl.error());
  Value::List parameters;
  for (const auto& declared : tmpl->parameters) parameters.push_back(parameter_value(declared));
  Value out{{"Parameters", Value(std::move(parameters))}};
  out.set_text("Description", tmpl->description);
  return out;
}

Result<Value> get_template_summary(Shared& shared, const Value& input) {
  const auto tmpl = template_asked_for(shared, input);
  if (!tmpl) return std::unexpected(tmpl.error());
  Value::List parameters;
  for (const auto& declared : tmpl->parameters) {
    Value value = parameter_value(declared);
    value.set("ParameterType", declared.type);
    value.set("ParameterConstraints",
              Value{{"AllowedValues", Value::list_of(declared.allowed_values)}});
    parameters.push_back(std::move(value));
  }
  std::set<std::string> types;
  for (const auto& resource : tmpl->resources) types.insert(resource.type);
  Value out{{"Parameters", Value(std::move(parameters))},
            {"ResourceTypes", Value::list_of(types)},
            {"Version", "2010-09-09"}};
  out.set_text("Description", tmpl->description);
  return out;
}

Result<Value> get_template(Shared& shared, const Value& input) {
  std::string body;
  if (input.has("ChangeSetName")) {
    auto set = shared.change_sets.find(input.text("ChangeSetName"), input.text("StackName"));
    if (!set) return std::unexpected(set.error());
    body = std::move(set->input.template_body);
  } else {
    auto stack = stack_of(shared, input.text("StackName"));
    if (!stack) return std::unexpected(stack.error());
    body = std::move(stack->template_body);
  }
  return Value{{"TemplateBody", body},
               {"StagesAvailable", Value(Value::List{"Original", "Processed"})}};
}

}  // namespace

void add_templates(Handlers& handlers, const SharedPtr& shared) {
  handlers["ValidateTemplate"] = handler(shared, validate_template);
  handlers["GetTemplateSummary"] = handler(shared, get_template_summary);
  handlers["GetTemplate"] = handler(shared, get_template);
}

}  // namespace weir::aws::cloudformation
