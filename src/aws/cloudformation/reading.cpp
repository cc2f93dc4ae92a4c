// Stacks, their resources and their events, described.
#include <fmt/format.h>

#include <algorithm>

#include "aws/cloudformation/handlers.hpp"
#include "stacks/template.hpp"

namespace weir::aws::cloudformation {

namespace {

constexpr std::size_t page_size = 100;

Value drift(std::string_view name) { return Value{{std::string(name), "NOT_CHECKED"}}; }

Value outputs_value(const std::vector<model::StackOutput>& outputs) {
  Value::List out;
  for (const model::StackOutput& output : outputs) {
    Value value{{"OutputKey", output.key}, {"OutputValue", output.value}};
    value.set_text("Description", output.description);
    out.push_back(std::move(value));
  }
  return Value(std::move(out));
}

std::string description_of(const model::Stack& stack) {
  const auto tmpl = stacks::load_template(stack.template_body, {});
  return tmpl ? tmpl->description : "";
}

Value stack_value(const model::Stack& stack) {
  Value out{{"StackId", stack.id},
            {"StackName", stack.name},
            {"CreationTime", Timestamp{stack.created_at_ms}},
            {"StackStatus", stack.status},
            {"DisableRollback", false},
            {"NotificationARNs", Value::List{}},
            {"Capabilities", Value::List{}},
            {"Parameters", parameters_value(stack.parameters)},
            {"Outputs", outputs_value(stack.outputs)},
            {"Tags", tags_value(stack.tags)},
            {"EnableTerminationProtection", false},
            {"DriftInformation", drift("StackDriftStatus")}};
  out.set_text("Description", description_of(stack));
  out.set_text("StackStatusReason", stack.status_reason);
  return out;
}

Value review_value(const ChangeSet& set) {
  return {{"StackId", set.input.stack_id},
          {"StackName", set.input.name},
          {"ChangeSetId", set.id},
          {"CreationTime", Timestamp{set.created_at_ms}},
          {"StackStatus", "REVIEW_IN_PROGRESS"},
          {"DisableRollback", false},
          {"Tags", tags_value(set.input.tags)},
          {"DriftInformation", drift("StackDriftStatus")}};
}

// By name a stack that is there, by its id one that is gone too.
Result<model::Stack> any_stack_of(const Shared& shared, const std::string& name_or_id) {
  auto stack = stack_of(shared, name_or_id);
  if (stack) return stack;
  for (stacks::GoneStack& gone : shared.operations.gone())
    if (gone.stack.id == name_or_id) return std::move(gone.stack);
  return std::unexpected(stack.error());
}

std::vector<model::Stack> all_stacks(const Shared& shared) {
  std::vector<model::Stack> out;
  shared.registry.read([&](const control::State& state) {
    for (const auto& [name, stack] : state.stacks) out.push_back(stack);
  });
  return out;
}

// The items of one page, and the token of the next.
Result<Value> page(Value::List all, const Value& input, std::string_view name) {
  std::size_t from = 0;
  if (input.has("NextToken")) {
    const auto last = read_marker(input.text("NextToken"));
    if (!last) return fail("ValidationError", "The NextToken is not valid");
    from = std::min(all.size(), static_cast<std::size_t>(std::strtoul(last->c_str(), nullptr, 10)));
  }
  const std::size_t to = std::min(all.size(), from + page_size);
  Value::List items(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)),
                    std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(to)));
  Value out;
  out.set(name, Value(std::move(items)));
  if (to < all.size()) out.set("NextToken", make_marker(std::to_string(to)));
  return out;
}

Result<Value> describe_stacks(Shared& shared, const Value& input) {
  Value::List out;
  const auto name = input.text("StackName");
  if (name.empty()) {
    for (const model::Stack& stack : all_stacks(shared)) out.push_back(stack_value(stack));
    for (const ChangeSet& set : shared.change_sets.reviews()) out.push_back(review_value(set));
    return page(std::move(out), input, "Stacks");
  }
  if (const auto stack = any_stack_of(shared, name)) {
    out.push_back(stack_value(*stack));
  } else if (const auto review = shared.change_sets.review_of(name)) {
    out.push_back(review_value(*review));
  } else {
    return std::unexpected(stack.error());
  }
  return page(std::move(out), input, "Stacks");
}

Value summary_value(const model::Stack& stack, std::int64_t deleted_at_ms) {
  Value out{{"StackId", stack.id},
            {"StackName", stack.name},
            {"CreationTime", Timestamp{stack.created_at_ms}},
            {"StackStatus", stack.status},
            {"DriftInformation", drift("StackDriftStatus")}};
  out.set_text("TemplateDescription", description_of(stack));
  out.set_text("StackStatusReason", stack.status_reason);
  if (deleted_at_ms != 0) out.set("DeletionTime", Timestamp{deleted_at_ms});
  return out;
}

Result<Value> list_stacks(Shared& shared, const Value& input) {
  const auto wanted = input.texts("StackStatusFilter");
  const auto is_wanted = [&](const std::string& status) {
    return wanted.empty() || std::ranges::find(wanted, status) != wanted.end();
  };
  Value::List out;
  for (const model::Stack& stack : all_stacks(shared))
    if (is_wanted(stack.status)) out.push_back(summary_value(stack, 0));
  for (const stacks::GoneStack& gone : shared.operations.gone())
    if (is_wanted(gone.stack.status)) out.push_back(summary_value(gone.stack, gone.deleted_at_ms));
  return page(std::move(out), input, "StackSummaries");
}

Result<Value> describe_stack_events(Shared& shared, const Value& input) {
  const auto stack = any_stack_of(shared, input.text("StackName"));
  if (!stack) return std::unexpected(stack.error());
  Value::List out;
  for (const stacks::NumberedEvent& one : shared.operations.events(stack->id)) {
    const stacks::Event& event = one.event;
    const bool is_stack = event.type == "AWS::CloudFormation::Stack";
    Value value{{"StackId", stack->id},
                {"EventId", one.id},
                {"StackName", stack->name},
                {"LogicalResourceId", event.logical_id},
                {"PhysicalResourceId", is_stack ? stack->id : event.physical_id},
                {"ResourceType", event.type},
                {"Timestamp", Timestamp{event.wall_ms}},
                {"ResourceStatus", event.status}};
    value.set_text("ResourceStatusReason", event.reason);
    out.push_back(std::move(value));
  }
  return page(std::move(out), input, "StackEvents");
}

// When a resource's status was last set: as far as its events are known, else when its stack was
// made.
std::int64_t changed_at(const std::vector<stacks::NumberedEvent>& events, const model::Stack& stack,
                        const std::string& logical_id) {
  for (const stacks::NumberedEvent& one : events)
    if (one.event.logical_id == logical_id) return one.event.wall_ms;
  return stack.created_at_ms;
}

Value resource_value(const model::StackResource& resource, std::string_view time_name,
                     std::int64_t at_ms) {
  Value out{{"LogicalResourceId", resource.logical_id},
            {"ResourceType", resource.type},
            {"ResourceStatus", resource.status},
            {"DriftInformation", drift("StackResourceDriftStatus")}};
  out.set(time_name, Timestamp{at_ms});
  out.set_text("PhysicalResourceId", resource.physical_id);
  out.set_text("ResourceStatusReason", resource.status_reason);
  return out;
}

// All of the stack's resources that `takes` takes.
template <typename Takes>
Value::List resources_of(const Shared& shared, const model::Stack& stack,
                         std::string_view time_name, Takes takes) {
  const auto events = shared.operations.events(stack.id);
  Value::List out;
  for (const model::StackResource& resource : stack.resources) {
    if (!takes(resource)) continue;
    out.push_back(
        resource_value(resource, time_name, changed_at(events, stack, resource.logical_id)));
  }
  return out;
}

Result<Value> describe_stack_resource(Shared& shared, const Value& input) {
  const auto stack = any_stack_of(shared, input.text("StackName"));
  if (!stack) return std::unexpected(stack.error());
  const auto wanted = input.text("LogicalResourceId");
  auto found = resources_of(shared, *stack, "LastUpdatedTimestamp",
                            [&](const auto& resource) { return resource.logical_id == wanted; });
  if (found.empty()) {
    return fail("ValidationError",
                fmt::format("Resource {} does not exist for stack {}", wanted, stack->name));
  }
  found.front().set("StackName", stack->name).set("StackId", stack->id);
  return Value{{"StackResourceDetail", found.front()}};
}

Result<Value> describe_stack_resources(Shared& shared, const Value& input) {
  const auto name = input.text("StackName"), physical = input.text("PhysicalResourceId");
  if (name.empty() == physical.empty()) {
    return fail("ValidationError",
                "Exactly one of StackName and PhysicalResourceId must be specified");
  }
  std::vector<model::Stack> stacks;
  if (name.empty()) {
    stacks = all_stacks(shared);
    std::erase_if(stacks, [&](const model::Stack& stack) {
      return std::ranges::find(stack.resources, physical, &model::StackResource::physical_id) ==
             stack.resources.end();
    });
    if (stacks.empty()) {
      return fail("ValidationError", fmt::format("Stack for {} does not exist", physical));
    }
  } else {
    auto stack = any_stack_of(shared, name);
    if (!stack) return std::unexpected(stack.error());
    stacks.push_back(std::move(*stack));
  }
  const auto logical = input.text("LogicalResourceId");
  Value::List out = resources_of(shared, stacks.front(), "Timestamp", [&](const auto& resource) {
    return logical.empty() || resource.logical_id == logical;
  });
  for (Value& one : out)
    one.set("StackName", stacks.front().name).set("StackId", stacks.front().id);
  return Value{{"StackResources", Value(std::move(out))}};
}

Result<Value> list_stack_resources(Shared& shared, const Value& input) {
  const auto stack = any_stack_of(shared, input.text("StackName"));
  if (!stack) return std::unexpected(stack.error());
  return page(
      resources_of(shared, *stack, "LastUpdatedTimestamp", [](const auto&) { return true; }), input,
      "StackResourceSummaries");
}

}  // namespace

void add_reading(Handlers& handlers, const SharedPtr& shared) {
  handlers["DescribeStacks"] = handler(shared, describe_stacks);
  handlers["ListStacks"] = handler(shared, list_stacks);
  handlers["DescribeStackEvents"] = handler(shared, describe_stack_events);
  handlers["DescribeStackResource"] = handler(shared, describe_stack_resource);
  handlers["DescribeStackResources"] = handler(shared, describe_stack_resources);
  handlers["ListStackResources"] = handler(shared, list_stack_resources);
}

}  // namespace weir::aws::cloudformation
