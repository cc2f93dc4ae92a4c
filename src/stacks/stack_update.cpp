#include "stacks/stack_update.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.hpp"
#include "stacks/limits.hpp"
#include "stacks/resolve.hpp"
#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

constexpr std::string_view replaces =
    "Requested update requires the creation of a new physical resource; hence creating one.";

const model::StackResource* find_in(const std::vector<model::StackResource>& resources,
                                    const std::string& logical_id) {
  const auto found = std::ranges::find(resources, logical_id, &model::StackResource::logical_id);
  return found == resources.end() ? nullptr : &*found;
}

bool has_tags(const ResourceType& type) {
  // Listeners and rules take the stack's tags too, though their types have no property for them.
  return type.name.starts_with("AWS::ElasticLoadBalancingV2::") ||
         std::ranges::find(type.properties, "Tags", &Property::name) != type.properties.end();
}

std::vector<std::string> changes_of(const ResourceType& type, const Value& former,
                                    const Value& wanted, bool are_stack_tags_changed) {
  std::vector<std::string> changed = changed_properties(former, wanted);
  if (are_stack_tags_changed && has_tags(type) &&
      std::ranges::find(changed, "Tags") == changed.end()) {
    changed.emplace_back("Tags");
  }
  return changed;
}

// CloudFormation's sentence. Empty: the resource can be replaced.
std::string why_not_replaced(const ResourceType& type, const std::string& logical_id,
                             const Value& former, const Value& wanted) {
  const std::string_view name = name_property(type);
  const Value* old_name = name.empty() ? nullptr : former.find(name);
  const Value* new_name = name.empty() ? nullptr : wanted.find(name);
  if (old_name == nullptr || new_name == nullptr || old_name->text != new_name->text) return {};
  return fmt::format(
      "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
      "Rename {} and update the stack again. ({})",
      new_name->text, logical_id);
}

Wanted wanted_of(const StackRecord& record, const std::string& logical_id, const std::string& type,
                 const model::Tags& tags) {
  Wanted wanted;
  wanted.logical_id = logical_id;
  wanted.type = type;
  wanted.stack_name = record.stack().name;
  wanted.stack_id = record.stack().id;
  wanted.stack_tags = tags;
  return wanted;
}

void note_failure(const Wanted& wanted, const Status& status, std::string& failure) {
  if (!failure.empty() || status.error().code == "Cancelled") return;
  failure = fmt::format("{} ({}): {}", wanted.logical_id, wanted.type, status.error().message);
  if (!status.error().hint.empty()) failure += fmt::format(" ({})", status.error().hint);
}

}  // namespace

std::vector<PlannedChange> plan_changes(const model::Stack& stack, const Prepared& prepared,
                                        const model::Tags& tags, Diagnostics& diagnostics) {
  std::vector<PlannedChange> changes;
  std::map<std::string, Made> made;  // what stays the same physical resource
  for (const PlannedResource& planned : prepared.plan.resources) {
    const ResourceDeclaration& declaration = *prepared.tmpl.resource(planned.logical_id);
    const std::string path = "Resources." + planned.logical_id;
    const model::StackResource* old = find_in(stack.resources, planned.logical_id);
    if (old == nullptr) {
      changes.push_back({planned.logical_id, planned.type, {}, ChangeAction::add, {}});
      continue;
    }
    if (old->type != planned.type) {
      diagnostics.add(declaration.type_mark, path + ".Type",
                      fmt::format("Update of resource type is not permitted. The new template "
                                  "modifies resource type of the following resources: [{}]",
                                  planned.logical_id));
      continue;
    }
    const Result<Value> former = read_properties(old->properties);
    if (!former) {
      diagnostics.add({}, path, former.error().message);
      continue;
    }
    Diagnostics noted_already(prepared.tmpl.file_name);
    Resolver resolver(prepared.tmpl, prepared.parameters, prepared.environment, made,
                      noted_already);
    const Value wanted =
        resolver.resolve(declaration.properties, path).value_or(Value::make_map({}));
    const ResourceType& type = *find_type(planned.type);
    std::vector<std::string> changed = changes_of(type, *former, wanted, tags != stack.tags);
    const ChangeKind kind = change_kind(type, changed);
    if (kind != ChangeKind::replacement)
      made[planned.logical_id] = {old->physical_id, old->attributes};
    if (kind == ChangeKind::none) continue;
    if (kind == ChangeKind::replacement) {
      if (std::string why = why_not_replaced(type, planned.logical_id, *former, wanted);
          !why.empty()) {
        diagnostics.add(declaration.mark, path, std::move(why));
      }
    }
    changes.push_back({planned.logical_id, planned.type, old->physical_id,
                       kind == ChangeKind::in_place ? ChangeAction::change : ChangeAction::replace,
                       std::move(changed)});
  }
  for (const model::StackResource& old : stack.resources) {
    const bool stays = std::ranges::any_of(
        prepared.plan.resources,
        [&](const PlannedResource& planned) { return planned.logical_id == old.logical_id; });
    if (!stays) {
      changes.push_back({old.logical_id, old.type, old.physical_id, ChangeAction::remove, {}});
    }
  }
  return changes;
}

// ---------------------------------------------------------------- forward
Update::Update(StackRecord& record, Provider& provider, const Prepared& prepared)
    : record_(record), provider_(provider), prepared_(prepared) {
  for (const PlannedResource& planned : prepared.plan.resources) {
    Slot& slot = slots_.emplace_back();
    slot.wanted = wanted_of(record, planned.logical_id, planned.type, record.stack().tags);
    slot.wanted.file_name = prepared.tmpl.file_name;
  }
}

bool Update::run() {
  if (!run_graph(graph_of(prepared_.plan.resources), limits::creation_threads_max, OnFailure::stop,
                 *this)) {
    return false;
  }
  discard();
  return true;
}

Status Update::begin(std::size_t node) {
  Slot& slot = slots_[node];
  const PlannedResource& planned = prepared_.plan.resources[node];
  if (Status resolved = resolve_wanted(prepared_, planned, made_, slot.wanted); !resolved) {
    return resolved;
  }
  const model::StackVersion& before = *record_.stack().before;
  const model::StackResource* old = find_in(before.resources, planned.logical_id);
  if (old == nullptr) {
    model::StackResource& added = record_.change().resources.emplace_back();
    added.logical_id = planned.logical_id;
    added.type = planned.type;
    added.depends_on = planned.depends_on;
    return begin_new(slot, added, false);
  }
  Result<Value> former = read_properties(old->properties);
  if (!former) return std::unexpected(former.error());
  model::StackResource& resource = *record_.resource(planned.logical_id);
  resource.depends_on = planned.depends_on;
  const ResourceType& type = *find_type(planned.type);
  const bool are_tags_changed = before.tags != record_.stack().tags;
  const ChangeKind kind =
      change_kind(type, changes_of(type, *former, slot.wanted.properties, are_tags_changed));
  slot.made = {old->physical_id, old->attributes};
  if (kind == ChangeKind::none) return {};
  if (kind == ChangeKind::replacement) {
    if (const std::string why =
            why_not_replaced(type, planned.logical_id, *former, slot.wanted.properties);
        !why.empty()) {
      return fail("ValidationError", why);
    }
    return begin_new(slot, resource, true);
  }
  slot.step = Step::change;
  slot.former = wanted_of(record_, planned.logical_id, planned.type, before.tags);
  slot.former.properties = std::move(*former);
  resource.properties = to_json(slot.wanted.properties);
  record_.set_status(resource, "UPDATE_IN_PROGRESS");
  return {};
}

Status Update::begin_new(Slot& slot, model::StackResource& resource, bool is_replacement) {
  slot.step = Step::make;
  slot.is_replacement = is_replacement;
  Result<Made> announced = provider_.announce(slot.wanted);
  if (!announced) return std::unexpected(announced.error());
  slot.made = std::move(*announced);
  resource.physical_id = slot.made.physical_id;
  resource.attributes = slot.made.attributes;
  resource.properties = to_json(slot.wanted.properties);
  if (is_replacement) {
    record_.set_status(resource, "UPDATE_IN_PROGRESS", std::string(replaces));
  } else {
    record_.set_status(resource, "CREATE_IN_PROGRESS");
  }
  return {};
}

Status Update::start(std::size_t node) {
  Slot& slot = slots_[node];
  if (slot.step == Step::make) return provider_.start(slot.wanted, slot.made);
  if (slot.step == Step::change) return provider_.update(slot.former, slot.wanted, slot.made);
  return {};
}

Status Update::finish(std::size_t node, const std::atomic<bool>& is_stopped) {
  const Slot& slot = slots_[node];
  if (slot.step != Step::make) return {};
  return provider_.finish(slot.wanted.type, slot.made, is_stopped);
}

void Update::end(std::size_t node, const Status& status) {
  Slot& slot = slots_[node];
  if (status) made_[slot.wanted.logical_id] = slot.made;
  if (!status) note_failure(slot.wanted, status, failure_);
  model::StackResource* resource = record_.resource(slot.wanted.logical_id);
  if (resource == nullptr) return;  // its properties could not be resolved
  if (status && slot.step == Step::keep) return;
  if (slot.step != Step::keep) {
    resource->physical_id = slot.made.physical_id;
    resource->attributes = slot.made.attributes;
  }
  const bool is_new = slot.step == Step::make && !slot.is_replacement;
  record_.set_status(
      *resource, fmt::format("{}_{}", is_new ? "CREATE" : "UPDATE", status ? "COMPLETE" : "FAILED"),
      status ? "" : status.error().message);
}

Status Update::set_outputs() {
  auto outputs = resolve_outputs(prepared_, made_);
  if (!outputs) return std::unexpected(outputs.error());
  record_.change().outputs = std::move(*outputs);
  return {};
}

// Puts aside what has been replaced or is no longer in the template.
void Update::discard() {
  model::Stack& stack = record_.change();
  for (const model::StackResource& old : stack.before->resources) {
    const model::StackResource* now = find_in(stack.resources, old.logical_id);
    const bool stays = made_.contains(old.logical_id) && now->physical_id == old.physical_id;
    if (!stays) stack.discarded.push_back(old);
  }
  std::erase_if(stack.resources,
                [&](const model::StackResource& one) { return !made_.contains(one.logical_id); });
}

// ---------------------------------------------------------------- back
Restoration::Restoration(StackRecord& record, Provider& provider)
    : record_(record), provider_(provider) {
  model::Stack& stack = record.change();
  const model::StackVersion& before = *stack.before;
  const model::Tags now = stack.tags;
  for (const model::StackResource& resource : before.resources) {
    Slot& slot = slots_.emplace_back();
    slot.before = resource;
    slot.wanted = wanted_of(record, resource.logical_id, resource.type, before.tags);
    slot.former = wanted_of(record, resource.logical_id, resource.type, now);
    slot.made = {resource.physical_id, resource.attributes};
  }
}

bool Restoration::run() {
  // What the update has made goes; what it has put aside is there again.
  model::Stack& stack = record_.change();
  const auto is_old = [&](const model::StackResource& one) {
    const model::StackResource* old = find_in(stack.before->resources, one.logical_id);
    return old != nullptr && old->physical_id == one.physical_id;
  };
  std::erase_if(stack.discarded, is_old);
  std::vector<model::StackResource> kept;
  for (const model::StackResource& old : stack.before->resources) {
    const model::StackResource* now = find_in(stack.resources, old.logical_id);
    kept.push_back(now != nullptr && is_old(*now) ? *now : old);
  }
  for (model::StackResource& now : stack.resources) {
    if (!is_old(now)) stack.discarded.push_back(std::move(now));
  }
  stack.resources = std::move(kept);
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < slots_.size(); ++i) index[slots_[i].before.logical_id] = i;
  std::vector<std::vector<std::size_t>> needs(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    for (const std::string& need : slots_[i].before.depends_on) {
      if (const auto found = index.find(need); found != index.end()) {
        needs[i].push_back(found->second);
      }
    }
  }
  return run_graph(needs, limits::creation_threads_max, OnFailure::continue_, *this);
}

Status Restoration::begin(std::size_t node) {
  Slot& slot = slots_[node];
  model::StackResource* resource = record_.resource(slot.before.logical_id);
  WEIR_ASSERT(resource != nullptr);
  const bool is_touched =
      resource->status.starts_with("UPDATE_") && resource->status != slot.before.status;
  const ResourceType* type = find_type(slot.before.type);
  const bool is_tagged_anew =
      slot.former.stack_tags != slot.wanted.stack_tags && type != nullptr && has_tags(*type);
  slot.is_changed = is_touched || is_tagged_anew || resource->properties != slot.before.properties;
  if (!slot.is_changed) return {};
  for (const auto& [wanted, json] : {std::pair{&slot.former, &resource->properties},
                                     std::pair{&slot.wanted, &slot.before.properties}}) {
    Result<Value> properties = read_properties(*json);
    if (!properties) return std::unexpected(properties.error());
    wanted->properties = std::move(*properties);
  }
  record_.set_status(*resource, "UPDATE_IN_PROGRESS");
  return {};
}

Status Restoration::start(std::size_t node) {
  Slot& slot = slots_[node];
  return slot.is_changed ? provider_.update(slot.former, slot.wanted, slot.made) : Status{};
}

void Restoration::end(std::size_t node, const Status& status) {
  Slot& slot = slots_[node];
  model::StackResource* resource = record_.resource(slot.before.logical_id);
  if (!status) {
    note_failure(slot.wanted, status, failure_);
    record_.set_status(*resource, "UPDATE_FAILED", status.error().message);
    return;
  }
  if (!slot.is_changed) {
    *resource = slot.before;
    return;
  }
  *resource = slot.before;
  record_.set_status(*resource, "UPDATE_COMPLETE");
}

}  // namespace weir::stacks
