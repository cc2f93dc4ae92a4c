#include "daemon/report.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/clock.hpp"
#include "daemon/rule_text.hpp"

namespace weir::daemon {
namespace {

constexpr std::string_view load_balancer_type = "AWS::ElasticLoadBalancingV2::LoadBalancer";
constexpr std::string_view target_group_type = "AWS::ElasticLoadBalancingV2::TargetGroup";

std::string tag(const model::Tags& tags, const std::string& key) {
  const auto found = tags.find(key);
  return found == tags.end() ? std::string{} : found->second;
}

Json rule_json(const control::State& state, const model::Rule& rule) {
  return Json{{"priority", rule.priority},
              {"conditions", conditions_text(rule.conditions)},
              {"actions", actions_text(state, rule.actions)},
              {"path", example_path(rule.conditions)}};
}

Json rules_json(const control::State& state, const std::string& listener_arn) {
  std::map<int, const model::Rule*> by_priority;
  for (const auto& [arn, rule] : state.rules) {
    if (rule.listener_arn == listener_arn) by_priority[rule.priority] = &rule;
  }
  Json rules = Json::array();
  for (const auto& [priority, rule] : by_priority) rules.push_back(rule_json(state, *rule));
  return rules;
}

std::string url_of(const model::LoadBalancer& balancer, const model::Listener& listener) {
  if (listener.bound_port == 0) return {};
  const auto port = listener.bound_port == 80 ? "" : fmt::format(":{}", listener.bound_port);
  return fmt::format("http://{}{}", balancer.dns_name, port);
}

Json listeners_json(const control::State& state, const model::LoadBalancer& balancer) {
  Json listeners = Json::array();
  for (const auto& [arn, listener] : state.listeners) {
    if (listener.load_balancer_arn != balancer.arn) continue;
    listeners.push_back(Json{{"arn", arn},
                             {"protocol", listener.protocol},
                             {"port", listener.port},
                             {"bound_port", listener.bound_port},
                             {"url", url_of(balancer, listener)},
                             {"rules", rules_json(state, arn)},
                             {"default", actions_text(state, listener.default_actions)}});
  }
  return listeners;
}

std::string balancer_state_name(model::LoadBalancerState state) {
  switch (state) {
    case model::LoadBalancerState::provisioning:
      return "provisioning";
    case model::LoadBalancerState::active:
      return "active";
    case model::LoadBalancerState::failed:
      return "failed";
  }
  return "failed";
}

Json load_balancer_json(const control::State& state, const model::LoadBalancer& balancer) {
  Json zones = Json::array();
  for (const auto& node : balancer.nodes) zones.push_back(node.zone);
  return Json{{"name", balancer.name},
              {"arn", balancer.arn},
              {"dns_name", balancer.dns_name},
              {"scheme", balancer.scheme},
              {"state", balancer_state_name(balancer.state)},
              {"state_reason", balancer.state_reason},
              {"zones", zones},
              {"listeners", listeners_json(state, balancer)}};
}

Json target_json(Parts& parts, const control::TargetHealth& health) {
  const bool is_well = health.state == "healthy" || health.state == "unavailable";
  return Json{{"id", health.target_id},
              {"port", health.port},
              {"zone", health.zone},
              {"state", health.state},
              {"reason", health.reason},
              {"description", health.description},
              {"note", is_well ? std::string{} : trouble_of(parts, health.target_id)}};
}

std::string user_data_trouble(const compute::UserDataStatus& status, const std::string& id) {
  if (status.state == compute::UserDataState::failed) {
    return fmt::format("its user data failed with exit status {}; see: weir logs {}",
                       status.exit_status, id);
  }
  if (status.state == compute::UserDataState::running) {
    return fmt::format("its user data is still running; see: weir logs {}", id);
  }
  return {};
}

std::optional<model::Instance> find_instance(const Parts& parts, const std::string& id) {
  std::optional<model::Instance> instance;
  parts.registry.read([&](const control::State& state) {
    const auto found = state.instances.find(id);
    if (found != state.instances.end()) instance = found->second;
  });
  return instance;
}

}  // namespace

std::string instance_state_name(model::InstanceState state) {
  switch (state) {
    case model::InstanceState::pending:
      return "pending";
    case model::InstanceState::running:
      return "running";
    case model::InstanceState::shutting_down:
      return "shutting-down";
    case model::InstanceState::terminated:
      return "terminated";
    case model::InstanceState::stopping:
      return "stopping";
    case model::InstanceState::stopped:
      return "stopped";
  }
  return "pending";
}

std::vector<std::string> physical_ids(const control::State& state, const std::string& stack,
                                      const std::string& type) {
  std::vector<std::string> ids;
  for (const auto& [key, value] : state.stacks) {
    if (value.name != stack) continue;
    for (const auto& resource : value.resources) {
      if (resource.type == type && !resource.physical_id.empty()) {
        ids.push_back(resource.physical_id);
      }
    }
  }
  return ids;
}

std::string trouble_of(Parts& parts, const std::string& instance_id) {
  const auto instance = find_instance(parts, instance_id);
  if (!instance) return {};
  if (instance->state != model::InstanceState::running) {
    if (instance->state_reason.message.empty()) return {};
    return fmt::format("the instance is {}: {}", instance_state_name(instance->state),
                       instance->state_reason.message);
  }
  const auto status = parts.compute.user_data_status(instance_id);
  return status ? user_data_trouble(*status, instance_id) : std::string{};
}

Json daemon_json(const Parts& parts) {
  const auto& capabilities = parts.compute.capabilities();
  return Json{
      {"version", weir_version},
      {"pid", ::getpid()},
      {"state_dir", parts.state_dir},
      {"uptime_ms", wall_ms() - parts.started_wall_ms},
      {"event_loop", parts.data_plane.backend() == net::Backend::io_uring ? "io_uring" : "epoll"},
      {"workers", parts.data_plane.workers()},
      {"rootless", capabilities.rootless},
      {"runtime", capabilities.runtime_version},
      {"limits_enforced", capabilities.limits_enforced},
      {"api",
       {{"url", parts.api.url},
        {"verifies_signatures", parts.api.verifies},
        {"region", parts.registry.region()},
        {"account", parts.registry.account()}}},
      {"limits_reason", capabilities.limits_reason},
      {"has_uid_range", capabilities.has_uid_range}};
}

Json stack_json(const model::Stack& stack) {
  Json outputs = Json::array();
  for (const auto& output : stack.outputs) {
    outputs.push_back(
        Json{{"key", output.key}, {"value", output.value}, {"description", output.description}});
  }
  Json resources = Json::array();
  for (const auto& resource : stack.resources) {
    resources.push_back(Json{{"logical_id", resource.logical_id},
                             {"physical_id", resource.physical_id},
                             {"type", resource.type},
                             {"status", resource.status},
                             {"status_reason", resource.status_reason}});
  }
  return Json{{"name", stack.name},
              {"id", stack.id},
              {"status", stack.status},
              {"status_reason", stack.status_reason},
              {"created_at", iso8601(stack.created_at_ms)},
              {"parameters", stack.parameters},
              {"outputs", outputs},
              {"resources", resources}};
}

Json load_balancers_json(const control::State& state, const std::string& stack) {
  const auto ids = physical_ids(state, stack, std::string{load_balancer_type});
  Json balancers = Json::array();
  for (const auto& [arn, balancer] : state.load_balancers) {
    const bool is_wanted = stack.empty() || std::ranges::find(ids, arn) != ids.end();
    if (is_wanted) balancers.push_back(load_balancer_json(state, balancer));
  }
  return balancers;
}

// Health is asked for outside of the registry's lock: the answer takes the lock itself.
Json target_groups_json(Parts& parts, const std::string& stack) {
  std::vector<model::TargetGroup> groups;
  parts.registry.read([&](const control::State& state) {
    const auto ids = physical_ids(state, stack, std::string{target_group_type});
    for (const auto& [arn, group] : state.target_groups) {
      if (stack.empty() || std::ranges::find(ids, arn) != ids.end()) groups.push_back(group);
    }
  });
  Json result = Json::array();
  for (const auto& group : groups) {
    Json targets = Json::array();
    if (auto described = parts.elb.describe_target_health(group.arn)) {
      for (const auto& health : *described) targets.push_back(target_json(parts, health));
    }
    result.push_back(Json{{"name", group.name},
                          {"arn", group.arn},
                          {"protocol", group.protocol},
                          {"port", group.port},
                          {"target_type", group.target_type},
                          {"health_check_path", group.health_check.path},
                          {"targets", targets}});
  }
  return result;
}

Json instance_json(const control::State& state, const model::Instance& instance) {
  Json groups = Json::array();
  for (const auto& id : instance.security_group_ids) {
    const auto found = state.security_groups.find(id);
    groups.push_back(found == state.security_groups.end() ? id : found->second.name);
  }
  return Json{{"id", instance.id},
              {"name", tag(instance.tags, "Name")},
              {"stack", tag(instance.tags, "aws:cloudformation:stack-name")},
              {"type", instance.type},
              {"state", instance_state_name(instance.state)},
              {"state_reason", instance.state_reason.message},
              {"zone", instance.zone},
              {"private_ip", instance.private_ip},
              {"private_dns_name", instance.private_dns_name},
              {"image_id", instance.image_id},
              {"security_groups", groups},
              {"launched_at", iso8601(instance.launch_time_ms)}};
}

Json status_json(Parts& parts) {
  Json stacks = Json::array();
  Json balancers;
  std::map<std::string, int> instances;
  parts.registry.read([&](const control::State& state) {
    for (const auto& [name, stack] : state.stacks) stacks.push_back(stack_json(stack));
    balancers = load_balancers_json(state, "");
    for (const auto& [id, instance] : state.instances) {
      ++instances[instance_state_name(instance.state)];
    }
  });
  return Json{{"daemon", daemon_json(parts)},
              {"stacks", stacks},
              {"load_balancers", balancers},
              {"target_groups", target_groups_json(parts, "")},
              {"instances", instances}};
}

}  // namespace weir::daemon
