// Updates of stacks: what is said of them in engine.hpp, with the states of CloudFormation.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stacks/engine_impl.hpp"
#include "stacks/stack_update.hpp"

namespace weir::stacks {

namespace {

constexpr std::string_view cleanup_suffix = "_CLEANUP_IN_PROGRESS";

// The states in which a stack is whole.
bool can_be_updated(const std::string& status) {
  return status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE" ||
         status == "UPDATE_ROLLBACK_COMPLETE";
}

Error cannot_be_updated(const model::Stack& stack) {
  return {"ValidationError",
          fmt::format("Stack:{} is in {} state and can not be updated.", stack.id, stack.status),
          fmt::format("Remove it with: weir down {}", stack.name)};
}

bool is_same(const std::vector<model::StackOutput>& a, const std::vector<model::StackOutput>& b) {
  return std::ranges::equal(a, b, [](const auto& one, const auto& other) {
    return one.key == other.key && one.value == other.value && one.description == other.description;
  });
}

struct PreparedUpdate {
  model::Stack stack;
  Prepared prepared;
  std::vector<PlannedChange> changes;
  bool has_other_outputs = false;
};

Result<PreparedUpdate> prepare_update(model::Stack stack, const CreateInput& input,
                                      Environment environment) {
  if (!can_be_updated(stack.status)) return std::unexpected(cannot_be_updated(stack));
  Result<Prepared> prepared = prepare(input, std::move(environment));
  if (!prepared) return std::unexpected(prepared.error());
  PreparedUpdate out{std::move(stack), std::move(*prepared), {}, false};
  Diagnostics diagnostics(input.file_name);
  out.changes = plan_changes(out.stack, out.prepared, input.tags, diagnostics);
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  if (out.changes.empty()) {
    std::map<std::string, Made> made;
    for (const model::StackResource& resource : out.stack.resources) {
      made[resource.logical_id] = {resource.physical_id, resource.attributes};
    }
    const auto outputs = resolve_outputs(out.prepared, made);
    if (!outputs) return std::unexpected(outputs.error());
    out.has_other_outputs = !is_same(*outputs, out.stack.outputs);
  }
  return out;
}

// The record of the stack as it is to be; what it was is kept in `before`.
Status turn_over(PreparedUpdate& update, const CreateInput& input) {
  model::Stack& stack = update.stack;
  stack.before = model::StackVersion{.template_body = std::move(stack.template_body),
                                     .parameters = std::move(stack.parameters),
                                     .secrets = std::move(stack.secrets),
                                     .resources = stack.resources,
                                     .outputs = stack.outputs,
                                     .tags = std::move(stack.tags)};
  stack.template_body = input.template_body;
  stack.parameters.clear();
  stack.secrets.clear();
  stack.tags = input.tags;
  return note_parameters(update.prepared, stack);
}

void turn_back(model::Stack& stack) {
  model::StackVersion& before = *stack.before;
  stack.template_body = before.template_body;
  stack.parameters = before.parameters;
  stack.secrets = before.secrets;
  stack.outputs = before.outputs;
  stack.tags = before.tags;
}

// Of what an update has put aside: what the old template's DeletionPolicy keeps where it has left
// the template, and the new one's UpdateReplacePolicy where it was replaced.
std::set<std::string> retained_when_discarded(const model::Stack& stack) {
  std::set<std::string> retained;
  const std::set<std::string> old = retained_resources(stack.before->template_body, false);
  const Result<Template> now = load_template(stack.template_body, {});
  for (const model::StackResource& resource : stack.discarded) {
    const auto stays = [&](const model::StackResource& one) {
      return one.logical_id == resource.logical_id;
    };
    const ResourceDeclaration* declared = now ? now->resource(resource.logical_id) : nullptr;
    const bool is_kept = std::ranges::any_of(stack.resources, stays)
                             ? declared != nullptr && declared->is_retained_when_replaced
                             : old.contains(resource.logical_id);
    if (is_kept) retained.insert(resource.logical_id);
  }
  return retained;
}

}  // namespace

// What cannot be removed stays in the record, is told, and is tried again with the stack's removal;
// the update itself has succeeded.
Status Engine::Impl::clean_up(StackRecord& record, const std::string& goal) {
  record.set_status(goal + std::string(cleanup_suffix));
  if (const Status saved = record.save(); !saved) return saved;
  const bool is_roll_back = goal == "UPDATE_ROLLBACK_COMPLETE";
  Removal removal(record, provider,
                  is_roll_back ? std::set<std::string>{} : retained_when_discarded(record.stack()),
                  &model::Stack::discarded);
  const bool is_clean = removal.run();
  record.change().before.reset();
  record.set_status(goal, is_clean ? "" : fmt::format("this remains: {}", removal.remains()));
  return record.save();
}

Status Engine::Impl::roll_back_update(StackRecord& record, const std::string& reason) {
  record.set_status("UPDATE_ROLLBACK_IN_PROGRESS", reason);
  Restoration restoration(record, provider);
  if (restoration.run()) {
    turn_back(record.change());
    return clean_up(record, "UPDATE_ROLLBACK_COMPLETE");
  }
  record.set_status("UPDATE_ROLLBACK_FAILED", restoration.failure());
  static_cast<void>(record.save());
  return fail("RollbackFailed", restoration.failure(),
              fmt::format("Remove the stack with: weir down {}", record.stack().name));
}

Status Engine::Impl::finish_update(StackRecord& record, const std::string& status,
                                   const std::string& reason) {
  if (status.ends_with(cleanup_suffix)) {
    return clean_up(record, status.substr(0, status.size() - cleanup_suffix.size()));
  }
  return roll_back_update(record, reason);
}

Result<UpdatePlan> Engine::plan_update(const CreateInput& input) {
  if (const Status valid = check_tags(input.tags); !valid) return std::unexpected(valid.error());
  auto stack = impl_->find(input.name);
  if (!stack) return fail("StackNotFound", fmt::format("there is no stack {}", input.name));
  const std::string id = stack->id;
  auto update = prepare_update(std::move(*stack), input, impl_->environment(input.name, id));
  if (!update) return std::unexpected(update.error());
  return UpdatePlan{std::move(update->prepared.plan), std::move(update->changes),
                    update->has_other_outputs};
}

Result<std::string> Engine::update(const CreateInput& input, const EventHandler& on_event) {
  if (const Status valid = check_tags(input.tags); !valid) return std::unexpected(valid.error());
  const Impl::Hold hold(*impl_, input.name);
  if (!hold) {
    return fail("OperationInProgress", fmt::format("the stack {} is being worked on", input.name));
  }
  auto stack = impl_->find(input.name);
  if (!stack) return fail("StackNotFound", fmt::format("there is no stack {}", input.name));
  const std::string id = stack->id;
  auto prepared = prepare_update(std::move(*stack), input, impl_->environment(input.name, id));
  if (!prepared) return std::unexpected(prepared.error());
  if (prepared->changes.empty() && !prepared->has_other_outputs) {
    return fail("ValidationError", "No updates are to be performed.");
  }
  if (const Status noted = turn_over(*prepared, input); !noted) {
    return std::unexpected(noted.error());
  }

  StackRecord record(impl_->registry, std::move(prepared->stack), on_event);
  record.set_status("UPDATE_IN_PROGRESS");
  if (const Status saved = record.save(); !saved) return std::unexpected(saved.error());
  Update update(record, impl_->provider, prepared->prepared);
  std::string failure;
  if (!update.run()) {
    failure = update.failure().empty() ? "the store failed" : update.failure();
  } else if (const Status outputs = update.set_outputs(); !outputs) {
    failure = outputs.error().message;
  } else if (const Status cleaned = impl_->clean_up(record, "UPDATE_COMPLETE"); cleaned) {
    return record.stack().id;
  } else {
    // The store has failed: the next daemon rolls back or cleans up, as what is on disk says.
    return std::unexpected(cleaned.error());
  }
  const Status rolled_back = impl_->roll_back_update(record, failure);
  if (rolled_back) {
    return fail("UpdateFailed", fmt::format("{}\nThe stack is as it was before.", failure));
  }
  return fail(
      "UpdateFailed",
      fmt::format("{}\nRolling back failed as well: {}", failure, rolled_back.error().message),
      rolled_back.error().hint);
}

}  // namespace weir::stacks
