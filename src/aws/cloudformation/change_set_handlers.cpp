// Change sets made, described, executed and removed: how `aws cloudformation deploy` works.
#include <fmt/format.h>

#include "aws/cloudformation/handlers.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"

namespace weir::aws::cloudformation {

namespace {

constexpr const char* no_changes =
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set.";

std::string new_id(const Shared& shared, const std::string& name) {
  return fmt::format("arn:aws:cloudformation:{}:{}:changeSet/{}/{}-{}-{}-{}-{}",
                     shared.registry.region(), shared.registry.account(), name, random_hex(8),
                     random_hex(4), random_hex(4), random_hex(4), random_hex(12));
}

// What is wrong with the wanted stack is told by the set, which then cannot be executed.
void plan_creation(Shared& shared, ChangeSet& set) {
  const auto plan = shared.engine.validate(set.input);
  if (!plan) {
    set.status = "FAILED";
    set.status_reason = plan.error().message;
    return;
  }
  for (const stacks::PlannedResource& resource : plan->resources) {
    set.changes.push_back({resource.logical_id, resource.type, {}, stacks::ChangeAction::add, {}});
  }
}

void plan_update(Shared& shared, ChangeSet& set) {
  auto plan = shared.engine.plan_update(set.input);
  if (!plan || plan->is_empty()) {
    set.status = "FAILED";
    set.status_reason = plan ? no_changes : plan.error().message;
    return;
  }
  set.changes = std::move(plan->changes);
}

Result<Value> create_change_set(Shared& shared, const Value& input) {
  const auto type = input.text("ChangeSetType", "UPDATE");
  if (type == "IMPORT") return fail("ValidationError", "Weir imports no resources into stacks");
  const auto name = input.text("StackName");
  const auto stack = stack_of(shared, name);
  if (type == "UPDATE" && !stack) return std::unexpected(stack.error());
  if (type == "CREATE" && stack) {
    return fail("ValidationError", fmt::format("Stack [{}] already exists and cannot be created "
                                               "again with the changeSet [{}].",
                                               name, input.text("ChangeSetName")));
  }
  auto wanted = stack_input(input, stack ? &*stack : nullptr);
  if (!wanted) return std::unexpected(wanted.error());
  ChangeSet set;
  set.name = input.text("ChangeSetName");
  set.id = new_id(shared, set.name);
  set.description = input.text("Description");
  set.is_creation = type == "CREATE";
  set.input = std::move(*wanted);
  set.input.keeps_rolled_back = input.text("OnStackFailure", "ROLLBACK") != "DELETE";
  const auto review = shared.change_sets.review_of(name);
  set.input.stack_id = stack    ? stack->id
                       : review ? review->input.stack_id
                                : shared.engine.new_stack_id(set.input.name);
  set.created_at_ms = wall_ms();
  set.is_creation ? plan_creation(shared, set) : plan_update(shared, set);
  if (set.status == "FAILED") set.execution_status = "UNAVAILABLE";
  const Value out{{"Id", set.id}, {"StackId", set.input.stack_id}};
  if (auto added = shared.change_sets.add(std::move(set)); !added) {
    return std::unexpected(added.error());
  }
  return out;
}

std::string_view action_name(stacks::ChangeAction action) {
  switch (action) {
    case stacks::ChangeAction::add:
      return "Add";
    case stacks::ChangeAction::remove:
      return "Remove";
    default:
      return "Modify";
  }
}

Value change_value(const stacks::PlannedChange& change) {
  const bool is_replaced = change.action == stacks::ChangeAction::replace;
  Value resource{{"Action", action_name(change.action)},
                 {"LogicalResourceId", change.logical_id},
                 {"ResourceType", change.type}};
  resource.set_text("PhysicalResourceId", change.physical_id);
  if (is_replaced || change.action == stacks::ChangeAction::change) {
    resource.set("Replacement", is_replaced ? "True" : "False");
    resource.set("Scope", Value(Value::List{"Properties"}));
    Value::List details;
    for (const std::string& name : change.properties) {
      details.push_back(Value{{"Target", Value{{"Attribute", "Properties"}, {"Name", name}}}});
    }
    resource.set("Details", Value(std::move(details)));
  }
  return {{"Type", "Resource"}, {"ResourceChange", std::move(resource)}};
}

Result<Value> describe_change_set(Shared& shared, const Value& input) {
  const auto set = shared.change_sets.find(input.text("ChangeSetName"), input.text("StackName"));
  if (!set) return std::unexpected(set.error());
  Value::List changes;
  for (const stacks::PlannedChange& change : set->changes) changes.push_back(change_value(change));
  Value out{{"ChangeSetName", set->name},
            {"ChangeSetId", set->id},
            {"StackId", set->input.stack_id},
            {"StackName", set->input.name},
            {"Parameters", parameters_value(set->input.parameters)},
            {"CreationTime", Timestamp{set->created_at_ms}},
            {"ExecutionStatus", set->execution_status},
            {"Status", set->status},
            {"Tags", tags_value(set->input.tags)},
            {"Changes", Value(std::move(changes))},
            {"IncludeNestedStacks", false}};
  out.set_text("Description", set->description);
  out.set_text("StatusReason", set->status_reason);
  return out;
}

Result<Value> execute_change_set(Shared& shared, const Value& input) {
  auto set = shared.change_sets.find(input.text("ChangeSetName"), input.text("StackName"));
  if (!set) return std::unexpected(set.error());
  if (set->execution_status != "AVAILABLE") {
    return fail(
        "InvalidChangeSetStatus",
        fmt::format("ChangeSet [{}] cannot be executed in its current execution status [{}]",
                    set->id, set->execution_status));
  }
  const auto begun = set->is_creation ? shared.operations.create(set->input)
                                      : shared.operations.update(set->input);
  if (!begun) return std::unexpected(begun.error());
  shared.change_sets.note_executed(set->id);
  return Value{};
}

Result<Value> delete_change_set(Shared& shared, const Value& input) {
  const auto set = shared.change_sets.find(input.text("ChangeSetName"), input.text("StackName"));
  if (set) shared.change_sets.erase(set->id);
  return Value{};
}

Result<Value> list_change_sets(Shared& shared, const Value& input) {
  Value::List out;
  for (const ChangeSet& set : shared.change_sets.of_stack(input.text("StackName"))) {
    Value value{{"StackId", set.input.stack_id},
                {"StackName", set.input.name},
                {"ChangeSetId", set.id},
                {"ChangeSetName", set.name},
                {"ExecutionStatus", set.execution_status},
                {"Status", set.status},
                {"CreationTime", Timestamp{set.created_at_ms}}};
    value.set_text("StatusReason", set.status_reason);
    value.set_text("Description", set.description);
    out.push_back(std::move(value));
  }
  return Value{{"Summaries", Value(std::move(out))}};
}

}  // namespace

void add_change_sets(Handlers& handlers, const SharedPtr& shared) {
  handlers["CreateChangeSet"] = handler(shared, create_change_set);
  handlers["DescribeChangeSet"] = handler(shared, describe_change_set);
  handlers["ExecuteChangeSet"] = handler(shared, execute_change_set);
  handlers["DeleteChangeSet"] = handler(shared, delete_change_set);
  handlers["ListChangeSets"] = handler(shared, list_change_sets);
}

}  // namespace weir::aws::cloudformation
