#include "routing/snapshot.hpp"

#include "routing/rule_matcher.hpp"
#include "routing/text.hpp"

namespace weir::routing {

const Action& Listener::choose(const RequestFacts& facts) const {
  const auto rule = matcher ? matcher->first_match(facts) : std::nullopt;
  return rule ? rules[*rule].action : default_action;
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
