#include "stacks/stack_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/clock.hpp"
#include "stacks/limits.hpp"
#include "stacks/resolve.hpp"
#include "stacks/schema.hpp"

namespace weir::stacks {

// ---------------------------------------------------------------- the record
StackRecord::StackRecord(control::Registry& registry, model::Stack stack,
                         const EventHandler& on_event)
    : registry_(registry), stack_(std::move(stack)), on_event_(on_event) {}

model::StackResource* StackRecord::resource(const std::string& logical_id) {
  const auto found =
      std::ranges::find(stack_.resources, logical_id, &model::StackResource::logical_id);
  return found == stack_.resources.end() ? nullptr : &*found;
}

void StackRecord::tell(const std::string& logical_id, const std::string& type,
                       const std::string& physical_id, const std::string& status,
                       const std::string& reason) {
  if (on_event_) on_event_({logical_id, type, physical_id, status, reason, wall_ms()});
}

void StackRecord::set_status(std::string status, std::string reason) {
  stack_.status = std::move(status);
  stack_.status_reason = std::move(reason);
  tell(stack_.name, "AWS::CloudFormation::Stack", stack_.id, stack_.status, stack_.status_reason);
}

void StackRecord::set_status(model::StackResource& resource, std::string status,
                             std::string reason) {
  resource.status = std::move(status);
  resource.status_reason = std::move(reason);
  tell(resource.logical_id, resource.type, resource.physical_id, resource.status,
       resource.status_reason);
}

Status StackRecord::save() {
  return registry_.update([&](control::Draft& draft) -> Status {
    draft.put(stack_);
    return {};
  });
}

Status StackRecord::erase() {
  return registry_.update([&](control::Draft& draft) -> Status {
    draft.erase_stack(stack_.name);
    return {};
  });
}

// ---------------------------------------------------------------- what a plan comes to
Status resolve_wanted(const Prepared& prepared, const PlannedResource& planned,
                      const std::map<std::string, Made>& made, Wanted& wanted) {
  const std::string path = fmt::format("Resources.{}.Properties", planned.logical_id);
  Diagnostics diagnostics(prepared.tmpl.file_name);
  Resolver resolver(prepared.tmpl, prepared.parameters, prepared.environment, made, diagnostics);
  auto properties = resolver.resolve(prepared.tmpl.resource(planned.logical_id)->properties, path);
  wanted.properties = std::move(properties).value_or(Value::make_map({}));
  Notices unused;
  const ResourceType* type = find_type(planned.type);
  WEIR_ASSERT(type != nullptr);
  check_properties(*type, planned.logical_id, wanted.properties, diagnostics, unused);
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  return {};
}

Result<std::vector<model::StackOutput>> resolve_outputs(const Prepared& prepared,
                                                        const std::map<std::string, Made>& made) {
  Diagnostics diagnostics(prepared.tmpl.file_name);
  Resolver resolver(prepared.tmpl, prepared.parameters, prepared.environment, made, diagnostics);
  std::vector<model::StackOutput> outputs;
  for (const OutputDeclaration& output : prepared.tmpl.outputs) {
    if (output.condition && resolver.condition(output.condition->name) == false) continue;
    const auto value = resolver.resolve(output.value, fmt::format("Outputs.{}.Value", output.key));
    if (value && value->is_scalar()) {
      outputs.push_back({output.key, value->text, output.description});
    }
  }
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  return outputs;
}

std::vector<std::vector<std::size_t>> graph_of(const std::vector<PlannedResource>& planned) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < planned.size(); ++i) index[planned[i].logical_id] = i;
  std::vector<std::vector<std::size_t>> needs(planned.size());
  for (std::size_t i = 0; i < planned.size(); ++i) {
    for (const std::string& need : planned[i].depends_on) needs[i].push_back(index.at(need));
  }
  return needs;
}

// ---------------------------------------------------------------- making
Creation::Creation(StackRecord& record, Provider& provider, const Prepared& prepared)
    : record_(record), provider_(provider), prepared_(prepared) {
  for (const PlannedResource& planned : prepared.plan.resources) {
    Slot& slot = slots_.emplace_back();
    slot.wanted.logical_id = planned.logical_id;
    slot.wanted.type = planned.type;
    slot.wanted.file_name = prepared.tmpl.file_name;
    slot.wanted.stack_name = record.stack().name;
    slot.wanted.stack_id = record.stack().id;
    slot.wanted.stack_tags = record.stack().tags;
  }
}

bool Creation::run() {
  return run_graph(graph_of(prepared_.plan.resources), limits::creation_threads_max,
                   OnFailure::stop, *this);
}

Status Creation::begin(std::size_t node) {
  Slot& slot = slots_[node];
  const PlannedResource& planned = prepared_.plan.resources[node];
  model::StackResource& resource = record_.change().resources.emplace_back();
  resource.logical_id = planned.logical_id;
  resource.type = planned.type;
  resource.depends_on = planned.depends_on;

  if (Status resolved = resolve_wanted(prepared_, planned, made_, slot.wanted); !resolved) {
    return resolved;
  }
  resource.properties = to_json(slot.wanted.properties);
  Result<Made> announced = provider_.announce(slot.wanted);
  if (!announced) return std::unexpected(announced.error());
  slot.made = std::move(*announced);
  resource.physical_id = slot.made.physical_id;
  resource.attributes = slot.made.attributes;
  record_.set_status(resource, "CREATE_IN_PROGRESS");
  return {};
}

Status Creation::save() { return record_.save(); }

Status Creation::start(std::size_t node) {
  return provider_.start(slots_[node].wanted, slots_[node].made);
}

Status Creation::finish(std::size_t node, const std::atomic<bool>& is_stopped) {
  return provider_.finish(slots_[node].wanted.type, slots_[node].made, is_stopped);
}

void Creation::end(std::size_t node, const Status& status) {
  Slot& slot = slots_[node];
  model::StackResource* resource = record_.resource(slot.wanted.logical_id);
  resource->physical_id = slot.made.physical_id;
  resource->attributes = slot.made.attributes;
  if (status) {
    record_.set_status(*resource, "CREATE_COMPLETE");
    made_[slot.wanted.logical_id] = slot.made;
    return;
  }
  record_.set_status(*resource, "CREATE_FAILED", status.error().message);
  if (!failure_.empty() || status.error().code == "Cancelled") return;
  failure_ =
      fmt::format("{} ({}): {}", slot.wanted.logical_id, slot.wanted.type, status.error().message);
  if (!status.error().hint.empty()) failure_ += fmt::format(" ({})", status.error().hint);
}

Status Creation::set_outputs() {
  auto outputs = resolve_outputs(prepared_, made_);
  if (!outputs) return std::unexpected(outputs.error());
  record_.change().outputs = std::move(*outputs);
  return {};
}

// ---------------------------------------------------------------- removing
Removal::Removal(StackRecord& record, Provider& provider, std::set<std::string> retained, List list)
    : record_(record), provider_(provider), retained_(std::move(retained)), list_(list) {
  std::set<std::string> known;
  for (const model::StackResource& resource : record.stack().resources) {
    known.insert(resource.physical_id);
  }
  for (const model::StackResource& resource : record.stack().*list) {
    Made made{resource.physical_id, resource.attributes};
    if (made.physical_id.empty() && !resource.status.empty()) {
      // The daemon ended between making it and noting its id.
      if (auto id = provider.find(resource.type, record.stack().id, resource.logical_id, known)) {
        made.physical_id = std::move(*id);
      }
    }
    names_.push_back(resource.logical_id);
    types_.push_back(resource.type);
    made_.push_back(std::move(made));
  }
}

bool Removal::run() {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < names_.size(); ++i) index[names_[i]] = i;
  std::vector<std::vector<std::size_t>> needs(names_.size());
  for (const model::StackResource& resource : record_.stack().*list_) {
    for (const std::string& need : resource.depends_on) {
      const auto needed = index.find(need);
      if (needed != index.end()) needs[needed->second].push_back(index.at(resource.logical_id));
    }
  }
  return run_graph(needs, limits::creation_threads_max, OnFailure::continue_, *this);
}

model::StackResource& Removal::entry(std::size_t node) {
  return *std::ranges::find_if(record_.change().*list_, [&](const model::StackResource& one) {
    return one.logical_id == names_[node] &&
           (one.physical_id.empty() || one.physical_id == made_[node].physical_id);
  });
}

Status Removal::begin(std::size_t node) {
  model::StackResource& resource = entry(node);
  resource.physical_id = made_[node].physical_id;
  if (!retained_.contains(names_[node])) record_.set_status(resource, "DELETE_IN_PROGRESS");
  return {};
}

Status Removal::save() { return record_.save(); }

Status Removal::start(std::size_t node) {
  if (retained_.contains(names_[node])) return {};
  return provider_.start_removal(types_[node], made_[node]);
}

Status Removal::finish(std::size_t node, const std::atomic<bool>&) {
  if (retained_.contains(names_[node])) return {};
  return provider_.finish_removal(types_[node], made_[node]);
}

// What is gone leaves the record, and so does what is retained: the stack has nothing to do with it
// any more.
void Removal::end(std::size_t node, const Status& status) {
  model::StackResource& resource = entry(node);
  if (!status) {
    record_.set_status(resource, "DELETE_FAILED", status.error().message);
    return;
  }
  record_.set_status(resource,
                     retained_.contains(names_[node]) ? "DELETE_SKIPPED" : "DELETE_COMPLETE");
  auto& list = record_.change().*list_;
  list.erase(list.begin() + (&resource - list.data()));
}

std::string Removal::remains() const {
  std::string out;
  for (const model::StackResource& resource : record_.stack().*list_) {
    if (!out.empty()) out += '\n';
    out += fmt::format(
        "{} ({}, {}): {}", resource.logical_id, resource.type,
        resource.physical_id.empty() ? "no id" : resource.physical_id,
        resource.status == "DELETE_FAILED" ? resource.status_reason : "needed by one that is left");
  }
  return out;
}

}  // namespace weir::stacks
