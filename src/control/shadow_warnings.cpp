#include "control/shadow_warnings.hpp"

#include <fmt/format.h>

#include <set>

#include "base/log.hpp"
#include "control/references.hpp"
#include "routing/shadowing.hpp"

namespace weir::control {
namespace {

std::string text_of(const State& state, const routing::Shadow& shadow) {
  const model::Listener& listener = state.listeners.at(shadow.covered->listener_arn);
  return fmt::format(
      "rule {} of the listener on port {} of {} can never match: rule {} takes all its requests",
      shadow.covered->priority, listener.port,
      state.load_balancers.at(listener.load_balancer_arn).name, shadow.covering->priority);
}

}  // namespace

void warn_of_shadows(const Registry& registry, const model::Rule& changed) {
  std::vector<std::string> texts;
  registry.read([&](const State& state) {
    if (!state.rules.contains(changed.arn)) return;  // deleted meanwhile
    if (state.index.rules_of(changed.listener_arn).size() > routing::shadow_rules_max) return;
    for (const auto& shadow : routing::shadows_with(rules_of(state, changed.listener_arn), changed))
      texts.push_back(text_of(state, shadow));
  });
  for (const std::string& text : texts) log::warn("{}", text);
}

void warn_of_shadows(const Registry& registry, const std::vector<model::Rule>& changed) {
  if (changed.size() == 1) return warn_of_shadows(registry, changed.front());
  std::set<std::string> listeners;
  for (const model::Rule& rule : changed) listeners.insert(rule.listener_arn);
  for (const std::string& listener : listeners) {
    std::vector<std::string> texts;
    registry.read([&](const State& state) {
      if (state.listeners.contains(listener)) texts = shadow_notices(state, listener);
    });
    for (const std::string& text : texts) log::warn("{}", text);
  }
}

std::vector<std::string> shadow_notices(const State& state, const std::string& listener_arn) {
  std::vector<std::string> texts;
  for (const auto& shadow : routing::shadows_among(rules_of(state, listener_arn)))
    texts.push_back(text_of(state, shadow));
  return texts;
}

}  // namespace weir::control
