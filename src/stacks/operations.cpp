#include "stacks/operations.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"

namespace weir::stacks {

namespace {

std::string event_id() {
  return fmt::format("{}-{}-{}-{}-{}", random_hex(8), random_hex(4), random_hex(4), random_hex(4),
                     random_hex(12));
}

std::optional<model::Stack> find(const control::Registry& registry, const std::string& name) {
  std::optional<model::Stack> out;
  registry.read([&](const control::State& state) {
    const auto found = state.stacks.find(name);
    if (found != state.stacks.end()) out = found->second;
  });
  return out;
}

Error is_busy(const model::Stack& stack) {
  return {"ValidationError",
          fmt::format("Stack:{} is in {} state and can not be updated.", stack.id, stack.status),
          "Wait until that is done, then try again."};
}

}  // namespace

Operations::Operations(control::Registry& registry, Engine& engine, std::function<void()> flush)
    : registry_(registry), engine_(engine), flush_(std::move(flush)) {}

Operations::~Operations() {
  for (Running& running : running_) running.thread.join();
}

Result<std::string> Operations::create(CreateInput input) {
  if (const auto plan = engine_.validate(input); !plan) return std::unexpected(plan.error());
  if (input.stack_id.empty()) input.stack_id = engine_.new_stack_id(input.name);
  run(input.name, input.stack_id, [this, input](const EventHandler& on_event) {
    if (const auto made = engine_.create(input, on_event); !made)
      log::warn("stack {}: {}", input.name, made.error().message);
  });
  return input.stack_id;
}

Result<std::string> Operations::update(CreateInput input) {
  const auto stack = find(registry_, input.name);
  if (stack && stack->status.ends_with("_IN_PROGRESS")) return std::unexpected(is_busy(*stack));
  const auto plan = engine_.plan_update(input);
  if (!plan) return std::unexpected(plan.error());
  if (plan->is_empty()) return fail("ValidationError", "No updates are to be performed.");
  run(input.name, stack->id, [this, input](const EventHandler& on_event) {
    if (const auto updated = engine_.update(input, on_event); !updated)
      log::warn("stack {}: {}", input.name, updated.error().message);
  });
  return stack->id;
}

Status Operations::remove(const std::string& name) {
  const auto stack = find(registry_, name);
  if (!stack) return {};
  if (stack->status == "DELETE_IN_PROGRESS") return {};
  if (stack->status.ends_with("_IN_PROGRESS")) return std::unexpected(is_busy(*stack));
  run(name, stack->id, [this, name, before = *stack](const EventHandler& on_event) {
    if (const auto removed = engine_.remove(name, on_event); removed) {
      note_gone(before);
    } else {
      log::warn("stack {}: {}", name, removed.error().message);
    }
  });
  return {};
}

std::vector<NumberedEvent> Operations::events(const std::string& stack_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(stack_id);
  if (found == events_.end()) return {};
  return {found->second.rbegin(), found->second.rend()};
}

std::vector<GoneStack> Operations::gone() const {
  const std::lock_guard lock(mutex_);
  return {gone_.begin(), gone_.end()};
}

// The second event comes after the record with the first one's status is on disk.
void Operations::run(const std::string& name, const std::string& stack_id, Work work) {
  reap();
  auto told = std::make_shared<std::size_t>(0);
  std::unique_lock lock(mutex_);
  Running& running = running_.emplace_back();
  running.thread = std::thread([this, name, stack_id, work = std::move(work), told, &running] {
    work([&](const Event& event) {
      note(stack_id, event);
      const std::lock_guard held(mutex_);
      ++*told;
      changed_.notify_all();
    });
    flush_();
    const std::lock_guard held(mutex_);
    running.is_over = true;
    changed_.notify_all();
  });
  changed_.wait(lock, [&] { return *told >= 2 || running.is_over; });
}

void Operations::note(const std::string& stack_id, const Event& event) {
  const std::lock_guard lock(mutex_);
  auto& events = events_[stack_id];
  events.push_back({event_id(), event});
  if (events.size() > events_max) events.pop_front();
}

void Operations::note_gone(model::Stack stack) {
  stack.status = "DELETE_COMPLETE";
  stack.status_reason.clear();
  for (model::StackResource& resource : stack.resources) resource.status = "DELETE_COMPLETE";
  const std::lock_guard lock(mutex_);
  gone_.push_back({std::move(stack), wall_ms()});
  if (gone_.size() <= gone_max) return;
  events_.erase(gone_.front().stack.id);
  gone_.pop_front();
}

void Operations::reap() {
  std::list<Running> over;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = running_.begin(); it != running_.end();) {
      const auto next = std::next(it);
      if (it->is_over) over.splice(over.end(), running_, it);
      it = next;
    }
  }
  for (Running& running : over) running.thread.join();
}

}  // namespace weir::stacks
