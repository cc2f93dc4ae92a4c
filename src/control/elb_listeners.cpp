// Listeners: reference §2.1, §2.2.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "control/arn.hpp"
#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "control/references.hpp"
#include "model/attributes.hpp"
#include "model/codec.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

Status check_protocol(const std::string& protocol) {
  if (protocol != "HTTP" && protocol != "HTTPS") {
    return fail("ValidationError",
                fmt::format("Listener protocol '{}' must be one of 'HTTP, HTTPS'", protocol));
  }
  return {};
}

Status validate(const CreateListenerInput& input) {
  if (auto valid = check_protocol(input.protocol); !valid) return valid;
  if (!input.port) return fail("ValidationError", "A listener port must be specified");
  if (auto valid = model::validate_port(*input.port, "port"); !valid) return valid;
  if (auto valid = model::validate_actions(input.default_actions, input.protocol); !valid) {
    return valid;
  }
  if (auto valid = model::validate_listener_attributes(input.attributes); !valid) return valid;
  return model::validate_tags(input.tags);
}

// Some actions need HTTPS: a listener that has them keeps it.
Status check_actions_with_protocol(const State& state, const model::Listener& listener) {
  if (auto valid = model::validate_actions(listener.default_actions, listener.protocol); !valid) {
    return valid;
  }
  for (const auto& [priority, arn] : state.index.rules_of(listener.arn)) {
    if (auto valid = model::validate_actions(state.rules.at(arn).actions, listener.protocol);
        !valid) {
      return valid;
    }
  }
  return {};
}

// A listener that is asked for again is the same one, whatever was added to its default
// certificate.
void take_added_certificates(model::Listener& listener, const model::Listener& old) {
  if (listener.certificate_arns.empty() || old.certificate_arns.empty()) return;
  if (listener.certificate_arns.front() == old.certificate_arns.front())
    listener.certificate_arns = old.certificate_arns;
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
                           .tags = input.tags,
                           .default_rule_tags = {}};
  auto done = registry_.update([&](Draft& draft) -> Status {
    const auto load_balancer = find_load_balancer(draft.state(), input.load_balancer_arn);
    if (!load_balancer) return std::unexpected(load_balancer.error());
    if (auto set = set_security(listener, input.security, draft.state(), limits_); !set) {
      return set;
    }
    if (const auto* old = listener_on_port(draft.state(), (*load_balancer)->arn, listener.port)) {
      listener.arn = old->arn;
      listener.bound_port = old->bound_port;
      listener.default_rule_tags = old->default_rule_tags;
      take_added_certificates(listener, *old);
      if (has_all(old->attributes, listener.attributes)) listener.attributes = old->attributes;
      if (model::encode(*old) == model::encode(listener)) return {};
      return fail("DuplicateListener",
                  fmt::format("A listener already exists on this port for this load balancer '{}'",
                              (*load_balancer)->arn));
    }
    if (draft.state().index.listeners_of(input.load_balancer_arn).size() >=
        limits_.listeners_per_load_balancer) {
      return fail("TooManyListeners",
                  fmt::format("The load balancer '{}' can have '{}' listeners",
                              input.load_balancer_arn, limits_.listeners_per_load_balancer));
    }
    if (auto valid =
            check_target_groups(draft.state(), input.default_actions, **load_balancer, limits_);
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

Result<model::Listener> Elb::modify_listener(const ModifyListenerInput& input) {
  if (input.protocol) {
    if (auto valid = check_protocol(*input.protocol); !valid) return std::unexpected(valid.error());
  }
  if (input.port) {
    if (auto valid = model::validate_port(*input.port, "port"); !valid) {
      return std::unexpected(valid.error());
    }
  }
  model::Listener listener;
  auto done = registry_.update([&](Draft& draft) -> Status {
    const State& state = draft.state();
    const auto old = find_listener(state, input.listener_arn);
    if (!old) return std::unexpected(old.error());
    listener = **old;
    if (input.protocol) listener.protocol = *input.protocol;
    if (auto set = set_security(listener, input.security, state, limits_); !set) return set;
    if (listener.protocol != (*old)->protocol) {
      if (auto valid = check_actions_with_protocol(state, listener); !valid) return valid;
    }
    if (input.default_actions) {
      const auto load_balancer = find_load_balancer(state, listener.load_balancer_arn);
      if (!load_balancer) return std::unexpected(load_balancer.error());
      listener.default_actions = *input.default_actions;
      if (auto valid = model::validate_actions(listener.default_actions, listener.protocol);
          !valid) {
        return valid;
      }
      if (auto valid =
              check_target_groups(state, listener.default_actions, **load_balancer, limits_);
          !valid) {
        return valid;
      }
    }
    if (input.port && *input.port != listener.port) {
      if (listener_on_port(state, listener.load_balancer_arn, *input.port) != nullptr) {
        return fail("ValidationError",
                    fmt::format("Listener port '{}' is already in use", *input.port));
      }
      listener.port = static_cast<std::uint16_t>(*input.port);
      const auto bound_port = data_plane_.open_port(listener.port);
      if (!bound_port) return std::unexpected(bound_port.error());
      listener.bound_port = *bound_port;
    }
    draft.put(listener);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return listener;
}

Result<model::Listener> Elb::modify_listener_attributes(const std::string& arn,
                                                        const model::Attributes& attributes) {
  model::Listener listener;
  auto done = registry_.update([&](Draft& draft) -> Status {
    const auto old = find_listener(draft.state(), arn);
    if (!old) return std::unexpected(old.error());
    listener = **old;
    listener.attributes = merged(listener.attributes, attributes);
    if (auto valid = model::validate_listener_attributes(listener.attributes); !valid) return valid;
    draft.put(listener);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return listener;
}

Status Elb::delete_listener(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    if (const auto found = find_listener(draft.state(), arn); !found) {
      return std::unexpected(found.error());
    }
    std::vector<std::string> rules;
    for (const model::Rule* rule : rules_of(draft.state(), arn)) rules.push_back(rule->arn);
    for (const std::string& rule : rules) draft.erase_rule(rule);
    draft.erase_listener(arn);
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
