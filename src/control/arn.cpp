#include "control/arn.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/ids.hpp"

namespace weir::control {
namespace {

constexpr std::size_t id_digits = 16;

std::string make_arn(const Registry& registry, std::string_view tail) {
  return fmt::format("arn:aws:elasticloadbalancing:{}:{}:{}/{}", registry.region(),
                     registry.account(), tail, random_hex(id_digits));
}

// FNV-1a: nothing but a number that is always the same for a listener.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

// `arn` with the first `from` replaced by `to`; without one, empty.
std::string of_other_kind(std::string_view arn, std::string_view from, std::string_view to) {
  const std::size_t at = arn.find(from);
  if (at == std::string_view::npos) return {};
  return std::string(arn.substr(0, at)).append(to).append(arn.substr(at + from.size()));
}

// `parent` with the first `from` replaced by `to` and an id of its own at the end.
std::string child_arn(const std::string& parent, std::string_view from, std::string_view to) {
  const std::string arn = of_other_kind(parent, from, to);
  WEIR_ASSERT(!arn.empty());
  return arn + "/" + random_hex(id_digits);
}

}  // namespace

std::string make_load_balancer_arn(const Registry& registry, const std::string& name) {
  return make_arn(registry, "loadbalancer/app/" + name);
}

std::string make_target_group_arn(const Registry& registry, const std::string& name) {
  return make_arn(registry, "targetgroup/" + name);
}

std::string make_listener_arn(const std::string& load_balancer_arn) {
  return child_arn(load_balancer_arn, ":loadbalancer/", ":listener/");
}

std::string make_rule_arn(const std::string& listener_arn) {
  return child_arn(listener_arn, ":listener/", ":listener-rule/");
}

std::string make_trust_store_arn(const Registry& registry, const std::string& name) {
  return make_arn(registry, "truststore/" + name);
}

std::string make_certificate_arn(const Registry& registry) {
  const std::string digits = random_hex(32);
  const std::string_view all = digits;
  return fmt::format("arn:aws:acm:{}:{}:certificate/{}-{}-{}-{}-{}", registry.region(),
                     registry.account(), all.substr(0, 8), all.substr(8, 4), all.substr(12, 4),
                     all.substr(16, 4), all.substr(20));
}

std::string make_server_certificate_arn(const Registry& registry, const std::string& name) {
  return fmt::format("arn:aws:iam::{}:server-certificate/{}", registry.account(), name);
}

std::string default_rule_arn(const std::string& listener_arn) {
  return fmt::format("{}/{:016x}", of_other_kind(listener_arn, ":listener/", ":listener-rule/"),
                     hash_of(listener_arn));
}

const model::Listener* listener_of_default_rule(const State& state, const std::string& rule_arn) {
  const std::size_t end = rule_arn.rfind('/');
  if (end == std::string::npos) return nullptr;
  const std::string arn =
      of_other_kind(std::string_view(rule_arn).substr(0, end), ":listener-rule/", ":listener/");
  const auto found = state.listeners.find(arn);
  if (found == state.listeners.end() || default_rule_arn(arn) != rule_arn) return nullptr;
  return &found->second;
}

ArnKind kind_of_arn(std::string_view arn) {
  // arn:partition:service:region:account:resource
  for (int part = 0; part < 5; ++part) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return ArnKind::other;
    arn.remove_prefix(colon + 1);
  }
  if (arn.starts_with("loadbalancer/")) return ArnKind::load_balancer;
  if (arn.starts_with("targetgroup/")) return ArnKind::target_group;
  if (arn.starts_with("listener/")) return ArnKind::listener;
  if (arn.starts_with("listener-rule/")) return ArnKind::rule;
  if (arn.starts_with("truststore/")) return ArnKind::trust_store;
  return ArnKind::other;
}

}  // namespace weir::control
