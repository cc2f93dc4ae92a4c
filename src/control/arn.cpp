#include "control/arn.hpp"

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/ids.hpp"

namespace weir::control {
namespace {

constexpr std::size_t id_digits = 16;

// `parent` with the first `from` replaced by `to` and an id of its own at the end.
std::string child_arn(const std::string& parent, std::string_view from, std::string_view to) {
  std::string arn = parent;
  const std::size_t at = arn.find(from);
  WEIR_ASSERT(at != std::string::npos);
  arn.replace(at, from.size(), to);
  return arn + "/" + random_hex(id_digits);
}

std::string make_arn(const Registry& registry, std::string_view tail) {
  return fmt::format("arn:aws:elasticloadbalancing:{}:{}:{}/{}", registry.region(),
                     registry.account(), tail, random_hex(id_digits));
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

}  // namespace weir::control
