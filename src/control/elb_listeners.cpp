// Listeners and rules: reference §2.1, §3.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "control/arn.hpp"
#include "control/elb.hpp"
#include "control/references.hpp"
#include "control/regular_expressions.hpp"
#include "model/attributes.hpp"
#include "model/codec.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

Status validate(const CreateListenerInput& input) {
  if (input.protocol == "HTTPS") {
    return fail("UnsupportedProtocol", "HTTPS listeners come with Weir's TLS support",
                "Use the protocol HTTP.");
  }
  if (input.protocol != "HTTP") {
    return fail("ValidationError",
                fmt::format("Listener protocol '{}' must be one of 'HTTP, HTTPS'", input.protocol));
  }
  if (!input.port) return fail("ValidationError", "A listener port must be specified");
  if (auto valid = model::validate_port(*input.port, "port"); !valid) return valid;
  if (auto valid = model::validate_actions(input.default_actions, input.protocol); !valid) {
    return valid;
  }
  if (auto valid = model::validate_listener_attributes(input.attributes); !valid) return valid;
  return model::validate_tags(input.tags);
}

// The target groups exist, lie in the load balancer's VPC and belong to no other load balancer.
Status check_target_groups(const State& state, const std::vector<model::Action>& actions,
                           const model::LoadBalancer& load_balancer) {
  for (const std::string& arn : target_groups_of(actions)) {
    const auto group = state.target_groups.find(arn);
    if (group == state.target_groups.end()) {
      return fail("TargetGroupNotFound", fmt::format("Target groups '{}' not found", arn));
    }
    if (group->second.vpc_id != load_balancer.vpc_id) {
      return fail("InvalidConfigurationRequest",
                  fmt::format("The target group '{}' is not in the VPC of the load balancer", arn));
    }
    std::set<std::string> users = load_balancers_of(state, arn);
    users.erase(load_balancer.arn);
    if (!users.empty()) {
      return fail("TargetGroupAssociationLimit",
                  fmt::format("The following target groups cannot be associated with more than one "
                              "load balancer: {}",
                              arn));
    }
  }
  return {};
}

Result<const model::LoadBalancer*> find_load_balancer(const State& state, const std::string& arn) {
  const auto found = state.load_balancers.find(arn);
  if (found == state.load_balancers.end()) {
    return fail("LoadBalancerNotFound", fmt::format("Load balancer '{}' not found", arn));
  }
  return &found->second;
}

const model::Listener* listener_on_port(const State& state, const std::string& load_balancer_arn,
                                        int port) {
  for (const model::Listener* listener : listeners_of(state, load_balancer_arn)) {
    if (listener->port == port) return listener;
  }
  return nullptr;
}

Status validate(const CreateRuleInput& input) {
  if (auto valid = model::validate_priority(input.priority); !valid) return valid;
  if (auto valid = model::validate_conditions(input.conditions); !valid) return valid;
  if (auto valid = check_regular_expressions(input.conditions); !valid) return valid;
  if (auto valid = model::validate_transforms(input.transforms, input.actions); !valid) {
    return valid;
  }
  if (auto valid = check_transforms(input.transforms); !valid) return valid;
  return model::validate_tags(input.tags);
}

}  // namespace

Result<model::Listener> Elb::create_listener(const CreateListenerInput& input) {
  if (auto valid = validate(input); !valid) return std::unexpected(valid.error());
  model::Listener listener{.arn = {},
                           .load_balancer_arn = input.load_balancer_arn,
                           .protocol = input.protocol,
                           .port = static_cast<std::uint16_t>(*input.port),
                           .bound_port = 0,
                           .default_actions = input.default_actions,
                           .attributes = input.attributes,
                           .tags = input.tags};
  auto done = registry_.update([&](Draft& draft) -> Status {
    const auto load_balancer = find_load_balancer(draft.state(), input.load_balancer_arn);
    if (!load_balancer) return std::unexpected(load_balancer.error());
    if (const auto* old = listener_on_port(draft.state(), (*load_balancer)->arn, listener.port)) {
      listener.arn = old->arn;
      listener.bound_port = old->bound_port;
      if (model::encode(*old) == model::encode(listener)) return {};
      return fail("DuplicateListener",
                  fmt::format("A listener already exists on this port for this load balancer '{}'",
                              (*load_balancer)->arn));
    }
    if (auto valid = check_target_groups(draft.state(), input.default_actions, **load_balancer);
        !valid) {
      return valid;
    }
    // Under the lock, so that no other commit can find the port unused and close it again.
    const auto bound_port = data_plane_.open_port(listener.port);
    if (!bound_port) return std::unexpected(bound_port.error());
    listener.bound_port = *bound_port;
    listener.arn = make_listener_arn((*load_balancer)->arn);
    draft.put(listener);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return listener;
}

Status Elb::delete_listener(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    if (!draft.state().listeners.contains(arn)) {
      return fail("ListenerNotFound", fmt::format("Listener '{}' not found", arn));
    }
    std::vector<std::string> rules;
    for (const model::Rule* rule : rules_of(draft.state(), arn)) rules.push_back(rule->arn);
    for (const std::string& rule : rules) draft.erase_rule(rule);
    draft.erase_listener(arn);
    return {};
  });
}

Result<model::Rule> Elb::create_rule(const CreateRuleInput& input) {
  if (auto valid = validate(input); !valid) return std::unexpected(valid.error());
  model::Rule rule{.arn = {},
                   .listener_arn = input.listener_arn,
                   .priority = input.priority,
                   .conditions = input.conditions,
                   .actions = input.actions,
                   .transforms = input.transforms,
                   .tags = input.tags};
  auto done = registry_.update([&](Draft& draft) -> Status {
    const State& state = draft.state();
    const auto listener = state.listeners.find(input.listener_arn);
    if (listener == state.listeners.end()) {
      return fail("ListenerNotFound", fmt::format("Listener '{}' not found", input.listener_arn));
    }
    if (auto valid = model::validate_actions(input.actions, listener->second.protocol); !valid) {
      return valid;
    }
    for (const model::Rule* other : rules_of(state, input.listener_arn)) {
      if (other->priority == input.priority) {
        return fail("PriorityInUse",
                    fmt::format("Priority '{}' is currently in use", input.priority));
      }
    }
    const auto load_balancer = find_load_balancer(state, listener->second.load_balancer_arn);
    if (!load_balancer) return std::unexpected(load_balancer.error());
    if (auto valid = check_target_groups(state, input.actions, **load_balancer); !valid) {
      return valid;
    }
    rule.arn = make_rule_arn(input.listener_arn);
    draft.put(rule);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return rule;
}

Status Elb::delete_rule(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    if (draft.state().listeners.contains(arn)) {
      return fail("OperationNotPermitted", "The default rule of a listener cannot be deleted");
    }
    if (!draft.state().rules.contains(arn)) {
      return fail("RuleNotFound", fmt::format("Rule '{}' not found", arn));
    }
    draft.erase_rule(arn);
    return {};
  });
}

void Elb::open_stored_ports() {
  const auto done = registry_.update([&](Draft& draft) -> Status {
    std::map<std::string, std::string> reasons;  // by load balancer
    const std::map<std::string, model::Listener> listeners = draft.state().listeners;
    for (const auto& [arn, listener] : listeners) {
      const auto bound_port = data_plane_.open_port(listener.port);
      if (!bound_port) {
        log::error("listener {}: {}", arn, bound_port.error().message);
        reasons[listener.load_balancer_arn] = bound_port.error().message;
      } else if (*bound_port != listener.bound_port) {
        model::Listener moved = listener;
        moved.bound_port = *bound_port;
        draft.put(std::move(moved));
      }
    }
    const std::map<std::string, model::LoadBalancer> load_balancers = draft.state().load_balancers;
    for (const auto& [arn, load_balancer] : load_balancers) {
      if (load_balancer.state_reason == reasons[arn]) continue;
      model::LoadBalancer changed = load_balancer;
      changed.state_reason = reasons[arn];
      draft.put(std::move(changed));
    }
    return {};
  });
  if (!done) log::error("the listeners' ports cannot be stored: {}", done.error().message);
}

}  // namespace weir::control
