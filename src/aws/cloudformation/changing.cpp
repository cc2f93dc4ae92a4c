// Stacks made, updated and removed; and how a call says what it wants.
#include <fmt/format.h>

#include "aws/cloudformation/handlers.hpp"

namespace weir::aws::cloudformation {

namespace {

constexpr std::size_t template_bytes_max = 1'000'000;

Result<std::string> template_of(const Value& input, const model::Stack* existing) {
  if (input.has("TemplateURL")) {
    return fail("ValidationError",
                "TemplateURL is not supported: Weir has no S3. Send the template in TemplateBody.");
  }
  const bool is_previous = input.flag("UsePreviousTemplate").value_or(false);
  if (is_previous && existing != nullptr) return existing->template_body;
  auto body = input.text("TemplateBody");
  if (body.empty()) {
    return fail("ValidationError", "Either Template URL or Template Body must be specified.");
  }
  if (body.size() > template_bytes_max) {
    return fail(
        "ValidationError",
        fmt::format("1 validation error detected: Value at 'templateBody' failed to satisfy "
                    "constraint: Member must have length less than or equal to {}",
                    template_bytes_max));
  }
  return body;
}

Result<std::map<std::string, std::string>> parameters_of(const Value& input,
                                                         const model::Stack* existing) {
  std::map<std::string, std::string> out;
  for (const Value& parameter : input.list("Parameters")) {
    const auto key = parameter.text("ParameterKey");
    if (!parameter.flag("UsePreviousValue").value_or(false)) {
      out[key] = parameter.text("ParameterValue");
      continue;
    }
    const auto fault = [&](const char* why) {
      return fail("ValidationError",
                  fmt::format("Invalid input for parameter key {}. {}", key, why));
    };
    if (existing == nullptr) {
      return fault(
          "Cannot specify usePreviousValue as true for a parameter key not in the "
          "previous template");
    }
    if (existing->secrets.contains(key)) {
      return fault("It is NoEcho, and Weir keeps no secrets: give its value again");
    }
    const auto found = existing->parameters.find(key);
    if (found == existing->parameters.end()) {
      return fault(
          "Cannot specify usePreviousValue as true for a parameter key not in the "
          "previous template");
    }
    out[key] = found->second;
  }
  return out;
}

Result<Value> create_stack(Shared& shared, const Value& input) {
  if (input.flag("EnableTerminationProtection").value_or(false)) {
    return fail("ValidationError", "Weir has no termination protection of stacks");
  }
  auto wanted = stack_input(input, nullptr);
  if (!wanted) return std::unexpected(wanted.error());
  const auto on_failure = input.text("OnFailure", "ROLLBACK");
  if (on_failure == "DO_NOTHING" || input.flag("DisableRollback").value_or(false)) {
    return fail(
        "ValidationError",
        "Weir rolls back what failed: OnFailure is ROLLBACK or DELETE, DisableRollback false");
  }
  wanted->keeps_rolled_back = on_failure == "ROLLBACK";
  auto id = shared.operations.create(std::move(*wanted));
  if (!id && id.error().code == "AlreadyExistsException") {
    return fail(id.error().code, fmt::format("Stack [{}] already exists", input.text("StackName")));
  }
  if (!id) return std::unexpected(id.error());
  return Value{{"StackId", *id}};
}

Result<Value> update_stack(Shared& shared, const Value& input) {
  const auto stack = stack_of(shared, input.text("StackName"));
  if (!stack) return std::unexpected(stack.error());
  auto wanted = stack_input(input, &*stack);
  if (!wanted) return std::unexpected(wanted.error());
  const auto id = shared.operations.update(std::move(*wanted));
  if (!id) return std::unexpected(id.error());
  return Value{{"StackId", *id}};
}

// A stack that is not there is gone already, as AWS sees it.
Result<Value> delete_stack(Shared& shared, const Value& input) {
  if (!input.list("RetainResources").empty()) {
    return fail("ValidationError",
                "RetainResources is not supported: use DeletionPolicy: Retain in the template");
  }
  const auto name = input.text("StackName");
  if (const auto review = shared.change_sets.review_of(name)) {
    for (const ChangeSet& set : shared.change_sets.of_stack(review->input.stack_id))
      shared.change_sets.erase(set.id);
    return Value{};
  }
  const auto stack = stack_of(shared, name);
  if (!stack) return Value{};
  if (auto removed = shared.operations.remove(stack->name); !removed) {
    return std::unexpected(removed.error());
  }
  return Value{};
}

}  // namespace

Result<model::Stack> stack_of(const Shared& shared, const std::string& name_or_id) {
  Result<model::Stack> out = no_such_stack(name_or_id);
  shared.registry.read([&](const control::State& state) {
    for (const auto& [name, stack] : state.stacks)
      if (name == name_or_id || stack.id == name_or_id) out = stack;
  });
  return out;
}

std::unexpected<Error> no_such_stack(const std::string& name_or_id) {
  return fail("ValidationError", fmt::format("Stack with id {} does not exist", name_or_id));
}

Result<stacks::CreateInput> stack_input(const Value& input, const model::Stack* existing) {
  stacks::CreateInput out;
  out.name = existing != nullptr ? existing->name : input.text("StackName");
  out.file_name = "template";
  auto body = template_of(input, existing);
  if (!body) return std::unexpected(body.error());
  out.template_body = std::move(*body);
  auto parameters = parameters_of(input, existing);
  if (!parameters) return std::unexpected(parameters.error());
  out.parameters = std::move(*parameters);
  // An update without tags keeps those that there are.
  if (!input.has("Tags") && existing != nullptr) out.tags = existing->tags;
  for (const Value& tag : input.list("Tags")) out.tags[tag.text("Key")] = tag.text("Value");
  return out;
}

Value parameters_value(const std::map<std::string, std::string>& parameters) {
  Value::List out;
  for (const auto& [key, value] : parameters)
    out.push_back(Value{{"ParameterKey", key}, {"ParameterValue", value}});
  return Value(std::move(out));
}

Value tags_value(const model::Tags& tags) {
  Value::List out;
  for (const auto& [key, value] : tags) out.push_back(Value{{"Key", key}, {"Value", value}});
  return Value(std::move(out));
}

void add_changing(Handlers& handlers, const SharedPtr& shared) {
  handlers["CreateStack"] = handler(shared, create_stack);
  handlers["UpdateStack"] = handler(shared, update_stack);
  handlers["DeleteStack"] = handler(shared, delete_stack);
}

}  // namespace weir::aws::cloudformation
