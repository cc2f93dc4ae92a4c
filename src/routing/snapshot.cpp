#include "routing/snapshot.hpp"

#include "routing/rule_list.hpp"
#include "routing/text.hpp"

namespace weir::routing {

Choice Listener::choose(const RequestFacts& facts) const {
  const auto by_default = [this](std::uint32_t rules_evaluated) -> Choice {
    return {default_action, 0, rules_evaluated, nullptr, default_authentication.get()};
  };
  if (!rules) return by_default(0);
  const auto found = rules->first_match(facts);
  if (!found) return by_default(static_cast<std::uint32_t>(rules->rules().size()));
  const Rule& rule = *rules->rules()[*found];
  return {rule.action, rule.priority, *found + 1, rule.transforms ? &*rule.transforms : nullptr,
          rule.authentication.get()};
}

const Listener* Snapshot::find_listener(std::uint16_t bound_port, std::string_view host) const {
  const auto port = ports.find(bound_port);
  if (port == ports.end() || port->second.listeners.empty()) return nullptr;
  const std::vector<std::uint32_t>& candidates = port->second.listeners;
  if (candidates.size() == 1) return &listeners[candidates.front()];
  thread_local std::string scratch;
  const std::string_view name = matchable(without_port(host), Case::folded, scratch);
  const auto named = port->second.by_dns_name.find(name);
  return &listeners[named != port->second.by_dns_name.end() ? named->second : candidates.front()];
}

}  // namespace weir::routing
