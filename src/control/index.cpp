#include "control/index.hpp"

#include "base/assert.hpp"
#include "model/attributes.hpp"

namespace weir::control {
namespace {

template <typename Map>
const typename Map::mapped_type& at_or_empty(const Map& map, const std::string& key) {
  static const typename Map::mapped_type empty;
  const auto found = map.find(key);
  return found == map.end() ? empty : found->second;
}

const std::string* find_name(const std::map<std::string, std::string>& names,
                             const std::string& name) {
  const auto found = names.find(name);
  return found == names.end() ? nullptr : &found->second;
}

// A name that another record has taken meanwhile stays the other's.
void remove_name(std::map<std::string, std::string>& names, const std::string& name,
                 const std::string& arn) {
  const auto found = names.find(name);
  if (found != names.end() && found->second == arn) names.erase(found);
}

// An entry without members is no entry: what has been erased leaves nothing.
template <typename Map, typename Member>
void remove_member(Map& map, const std::string& key, const Member& member) {
  const auto found = map.find(key);
  if (found == map.end()) return;
  found->second.erase(member);
  if (found->second.empty()) map.erase(found);
}

void subtract(std::map<std::string, Index::Counts>& map, const std::string& key,
              const std::string& member) {
  const auto found = map.find(key);
  WEIR_ASSERT(found != map.end());
  const auto count = found->second.find(member);
  WEIR_ASSERT(count != found->second.end());
  if (--count->second != 0) return;
  found->second.erase(count);
  if (found->second.empty()) map.erase(found);
}

TargetKey key_of(const model::Target& value) {
  return {value.target_group_arn, value.id, value.port};
}

}  // namespace

std::string mirror_of(const model::TargetGroup& group) {
  return model::value_of(group.attributes, model::target_group_attributes(),
                         "weir.mirror.target_group_arn");
}

void Index::add(const model::LoadBalancer& value) {
  load_balancers_by_name_.insert_or_assign(value.name, value.arn);
}
void Index::remove(const model::LoadBalancer& value) {
  remove_name(load_balancers_by_name_, value.name, value.arn);
}

void Index::add(const model::TargetGroup& value) {
  target_groups_by_name_.insert_or_assign(value.name, value.arn);
  if (const std::string mirror = mirror_of(value); !mirror.empty())
    sources_by_mirror_[mirror].insert(value.arn);
}
void Index::remove(const model::TargetGroup& value) {
  remove_name(target_groups_by_name_, value.name, value.arn);
  remove_member(sources_by_mirror_, mirror_of(value), value.arn);
}

void Index::add(const model::TrustStore& value) {
  trust_stores_by_name_.insert_or_assign(value.name, value.arn);
}
void Index::remove(const model::TrustStore& value) {
  remove_name(trust_stores_by_name_, value.name, value.arn);
}

void Index::add(const model::Listener& value) {
  listeners_by_load_balancer_[value.load_balancer_arn].emplace(value.port, value.arn);
  count_forwards(value.arn, value.default_actions, true);
}
void Index::remove(const model::Listener& value) {
  remove_member(listeners_by_load_balancer_, value.load_balancer_arn,
                std::pair<int, std::string>(value.port, value.arn));
  count_forwards(value.arn, value.default_actions, false);
}

void Index::add(const model::Rule& value) {
  rules_by_listener_[value.listener_arn].emplace(value.priority, value.arn);
  count_forwards(value.listener_arn, value.actions, true);
}
void Index::remove(const model::Rule& value) {
  remove_member(rules_by_listener_, value.listener_arn,
                std::pair<int, std::string>(value.priority, value.arn));
  count_forwards(value.listener_arn, value.actions, false);
}

void Index::add(const model::Target& value) {
  ++targets_by_group_[value.target_group_arn];
  targets_by_id_[value.id].insert(key_of(value));
  if (value.draining_until_ms != 0) draining_.insert(key_of(value));
}
void Index::remove(const model::Target& value) {
  const auto count = targets_by_group_.find(value.target_group_arn);
  WEIR_ASSERT(count != targets_by_group_.end());
  if (--count->second == 0) targets_by_group_.erase(count);
  remove_member(targets_by_id_, value.id, key_of(value));
  draining_.erase(key_of(value));
}

void Index::count_forwards(const std::string& listener_arn,
                           const std::vector<model::Action>& actions, bool is_added) {
  for (const model::Action& action : actions) {
    const auto* forward = std::get_if<model::ForwardAction>(&action.config);
    if (forward == nullptr) continue;
    for (const model::TargetGroupTuple& tuple : forward->target_groups) {
      const std::string& group = tuple.target_group_arn;
      if (is_added) {
        ++listeners_by_group_[group][listener_arn];
        ++groups_by_listener_[listener_arn][group];
      } else {
        subtract(listeners_by_group_, group, listener_arn);
        subtract(groups_by_listener_, listener_arn, group);
      }
    }
  }
}

const std::string* Index::load_balancer_named(const std::string& name) const {
  return find_name(load_balancers_by_name_, name);
}
const std::string* Index::target_group_named(const std::string& name) const {
  return find_name(target_groups_by_name_, name);
}
const std::string* Index::trust_store_named(const std::string& name) const {
  return find_name(trust_stores_by_name_, name);
}

const Index::Numbered& Index::listeners_of(const std::string& load_balancer_arn) const {
  return at_or_empty(listeners_by_load_balancer_, load_balancer_arn);
}
const Index::Numbered& Index::rules_of(const std::string& listener_arn) const {
  return at_or_empty(rules_by_listener_, listener_arn);
}
const Index::Counts& Index::listeners_forwarding_to(const std::string& target_group_arn) const {
  return at_or_empty(listeners_by_group_, target_group_arn);
}
const Index::Counts& Index::groups_of(const std::string& listener_arn) const {
  return at_or_empty(groups_by_listener_, listener_arn);
}

const Index::Arns& Index::mirrored_to(const std::string& target_group_arn) const {
  return at_or_empty(sources_by_mirror_, target_group_arn);
}

std::size_t Index::targets_of(const std::string& target_group_arn) const {
  const auto found = targets_by_group_.find(target_group_arn);
  return found == targets_by_group_.end() ? 0 : found->second;
}
const std::set<TargetKey>& Index::registrations_of(const std::string& target_id) const {
  return at_or_empty(targets_by_id_, target_id);
}

}  // namespace weir::control
