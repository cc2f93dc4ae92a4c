#include "daemon/deploy.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "control/shadow_warnings.hpp"
#include "daemon/health_wait.hpp"
#include "daemon/report.hpp"
#include "stacks/builtin.hpp"

namespace weir::daemon {
namespace {

constexpr std::int64_t default_timeout_ms = 300'000;

struct UpRequest {
  stacks::CreateInput input;
  std::chrono::milliseconds timeout{default_timeout_ms};
};

Result<UpRequest> read_up_request(const Json& request) {
  UpRequest up;
  up.input.name = text_of(request, "name");
  up.input.template_body = text_of(request, "template");
  up.input.file_name = text_of(request, "file");
  if (up.input.template_body.empty() && up.input.file_name.empty()) {
    up.input.template_body = std::string{stacks::builtin_template()};
    up.input.file_name = "two-clusters.yaml";
  }
  if (const auto found = request.find("parameters"); found != request.end()) {
    for (const auto& [key, value] : found->items()) {
      up.input.parameters[key] = value.get<std::string>();
    }
  }
  if (const auto found = request.find("timeout_ms"); found != request.end()) {
    up.timeout = std::chrono::milliseconds{found->get<std::int64_t>()};
  }
  return up;
}

std::optional<model::Stack> find_stack(const Parts& parts, const std::string& name) {
  std::optional<model::Stack> stack;
  parts.registry.read([&](const control::State& state) {
    for (const auto& [key, value] : state.stacks) {
      if (value.name == name) stack = value;
    }
  });
  return stack;
}

void send_plan(Session& session, const stacks::Plan& plan) {
  Json instances = Json::array();
  Json parameters = Json::object();
  for (const auto& resource : plan.resources) {
    if (resource.type == "AWS::EC2::Instance") instances.push_back(resource.logical_id);
  }
  for (const auto& parameter : plan.parameters) parameters[parameter.name] = parameter.value;
  session.send_event(to_line(Json{{"event", "plan"},
                                  {"description", plan.description},
                                  {"resources", plan.resources.size()},
                                  {"instances", instances.size()},
                                  {"parameters", parameters},
                                  {"notices", plan.notices}}));
}

std::string_view action_name(stacks::ChangeAction action) {
  switch (action) {
    case stacks::ChangeAction::add:
      return "add";
    case stacks::ChangeAction::change:
      return "change";
    case stacks::ChangeAction::replace:
      return "replace";
    case stacks::ChangeAction::remove:
      return "remove";
  }
  return "";
}

void send_changes(Session& session, const std::vector<stacks::PlannedChange>& planned) {
  Json changes = Json::array();
  for (const auto& change : planned) {
    changes.push_back(Json{{"action", action_name(change.action)},
                           {"logical_id", change.logical_id},
                           {"physical_id", change.physical_id},
                           {"type", change.type},
                           {"properties", change.properties}});
  }
  session.send_event(to_line(Json{{"event", "changes"}, {"changes", changes}}));
}

void send_resource(Session& session, const stacks::Event& event) {
  session.send_event(to_line(Json{{"event", "resource"},
                                  {"logical_id", event.logical_id},
                                  {"type", event.type},
                                  {"physical_id", event.physical_id},
                                  {"status", event.status},
                                  {"reason", event.reason}}));
}

class Phases {
 public:
  void mark(const std::string& phase) {
    const auto now = monotonic_ns();
    phases_.push_back(Json{{"phase", phase}, {"ms", static_cast<double>(now - last_ns_) / 1e6}});
    last_ns_ = now;
  }
  [[nodiscard]] const Json& json() const { return phases_; }

 private:
  std::int64_t last_ns_ = monotonic_ns();
  Json phases_ = Json::array();
};

// Tells the moment at which the last of a plan's instances runs.
class InstancesWatch {
 public:
  explicit InstancesWatch(const stacks::Plan& plan)
      : left_(std::ranges::count(plan.resources, type_, &stacks::PlannedResource::type)) {}

  [[nodiscard]] bool are_complete_with(const stacks::Event& event) {
    return event.type == type_ && event.status == "CREATE_COMPLETE" && --left_ == 0;
  }

 private:
  static constexpr std::string_view type_ = "AWS::EC2::Instance";
  std::ptrdiff_t left_;
};

// What `weir up` did.
enum class Outcome : std::uint8_t { made, updated, nothing };

struct Deployed {
  Outcome outcome = Outcome::made;
  std::vector<std::string> notices;
};

// Of the listeners of the stack, as they are now.
std::vector<std::string> shadow_notices(const control::State& state, const model::Stack& stack) {
  std::vector<std::string> notices;
  for (const auto& resource : stack.resources) {
    if (!state.listeners.contains(resource.physical_id)) continue;
    for (auto& notice : control::shadow_notices(state, resource.physical_id))
      notices.push_back(std::move(notice));
  }
  return notices;
}

Json up_result(Parts& parts, const std::string& name, const Deployed& deployed,
               const HealthOutcome& health, const Phases& phases) {
  Json stack;
  Json balancers;
  std::vector<std::string> notices = deployed.notices;
  parts.registry.read([&](const control::State& state) {
    for (const auto& [key, value] : state.stacks) {
      if (value.name != name) continue;
      stack = stack_json(value);
      for (auto& notice : shadow_notices(state, value)) notices.push_back(std::move(notice));
    }
    balancers = load_balancers_json(state, name);
  });
  return Json{{"stack", stack},
              {"existed", deployed.outcome == Outcome::nothing},
              {"updated", deployed.outcome == Outcome::updated},
              {"load_balancers", balancers},
              {"targets", {{"healthy", health.healthy}, {"total", health.total}}},
              {"daemon", daemon_json(parts)},
              {"notices", notices},
              {"timings", phases.json()}};
}

Result<Deployed> make_stack(Parts& parts, const stacks::CreateInput& input, Session& session,
                            Phases& phases) {
  const auto plan = parts.engine.validate(input);
  if (!plan) return std::unexpected(plan.error());
  send_plan(session, *plan);
  phases.mark("template checked");
  log::info("stack {}: {} resources from {}", input.name, plan->resources.size(), input.file_name);
  InstancesWatch instances(*plan);
  const auto created = parts.engine.create(input, [&](const stacks::Event& event) {
    send_resource(session, event);
    if (instances.are_complete_with(event)) phases.mark("instances running");
  });
  if (!created) return std::unexpected(created.error());
  phases.mark("other resources made");
  return Deployed{Outcome::made, plan->notices};
}

Result<Deployed> update_stack(Parts& parts, const stacks::CreateInput& input, Session& session,
                              Phases& phases) {
  const auto update = parts.engine.plan_update(input);
  if (!update) return std::unexpected(update.error());
  if (update->is_empty()) return Deployed{Outcome::nothing, {}};
  send_plan(session, update->plan);
  send_changes(session, update->changes);
  phases.mark("changes found");
  log::info("stack {}: {} changes from {}", input.name, update->changes.size(), input.file_name);
  const auto updated = parts.engine.update(
      input, [&](const stacks::Event& event) { send_resource(session, event); });
  if (!updated) return std::unexpected(updated.error());
  phases.mark("changes made");
  return Deployed{Outcome::updated, update->plan.notices};
}

// Which stack `weir down` means without a name.
Result<std::vector<std::string>> stacks_to_remove(const Parts& parts, const Json& request) {
  std::vector<std::string> names;
  parts.registry.read([&](const control::State& state) {
    for (const auto& [key, stack] : state.stacks) names.push_back(stack.name);
  });
  if (flag_of(request, "all")) return names;
  if (const auto name = text_of(request, "name"); !name.empty()) {
    return std::vector<std::string>{name};
  }
  if (names.size() == 1) return names;
  if (names.empty()) return fail("StackNotFound", "there is no stack to remove", "");
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return fail("StackAmbiguous", fmt::format("there are several stacks: {}", list),
              "name one, or use `weir down --all`");
}

}  // namespace

Result<Json> run_up(Parts& parts, const Json& request, Session& session) {
  auto up = read_up_request(request);
  if (!up) return std::unexpected(up.error());
  const auto& name = up->input.name;
  Phases phases;
  auto deployed = find_stack(parts, name) ? update_stack(parts, up->input, session, phases)
                                          : make_stack(parts, up->input, session, phases);
  if (!deployed || deployed->outcome != Outcome::nothing) parts.publisher.flush();
  if (!deployed) return std::unexpected(deployed.error());
  if (deployed->outcome != Outcome::nothing) phases.mark("routing in force");
  const auto healthy = wait_until_healthy(parts, name, up->timeout, session);
  if (!healthy) return std::unexpected(healthy.error());
  phases.mark("targets healthy");
  return up_result(parts, name, *deployed, *healthy, phases);
}

Result<Json> run_down(Parts& parts, const Json& request, Session& session) {
  const auto names = stacks_to_remove(parts, request);
  if (!names) return std::unexpected(names.error());
  Json removed = Json::array();
  for (const auto& name : *names) {
    session.send_event(to_line(Json{{"event", "removing"}, {"stack", name}}));
    const auto gone = parts.engine.remove(
        name, [&](const stacks::Event& event) { send_resource(session, event); });
    parts.publisher.flush();
    if (!gone) return std::unexpected(gone.error());
    log::info("stack {} is removed", name);
    removed.push_back(name);
  }
  return Json{{"removed", removed}};
}

}  // namespace weir::daemon
