// Who belongs to whom among load balancing's records, so that a call costs the same however many
// there are: no verb walks all rules or all targets to find a few.
//
// Derived from the records and never stored. Who puts or erases a record (the registry alone) adds
// and removes it here; adding a record again needs the old one removed first. Keys are ARNs, not
// pointers: a State can be copied.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "model/resources.hpp"

namespace weir::control {

// (target group ARN, target id, port)
using TargetKey = std::tuple<std::string, std::string, std::uint16_t>;

// The group that gets copies of this one's requests; empty: none does.
[[nodiscard]] std::string mirror_of(const model::TargetGroup& group);

class Index {
 public:
  using Arns = std::set<std::string>;
  using Numbered = std::set<std::pair<int, std::string>>;  // by port or priority

  bool operator==(const Index&) const = default;

  void add(const model::LoadBalancer& value);
  void add(const model::Listener& value);
  void add(const model::Rule& value);
  void add(const model::TargetGroup& value);
  void add(const model::Target& value);
  void add(const model::TrustStore& value);
  void remove(const model::LoadBalancer& value);
  void remove(const model::Listener& value);
  void remove(const model::Rule& value);
  void remove(const model::TargetGroup& value);
  void remove(const model::Target& value);
  void remove(const model::TrustStore& value);
  // What is not indexed.
  template <typename Value>
  void add(const Value&) {}
  template <typename Value>
  void remove(const Value&) {}

  // nullptr: no such name.
  [[nodiscard]] const std::string* load_balancer_named(const std::string& name) const;
  [[nodiscard]] const std::string* target_group_named(const std::string& name) const;
  [[nodiscard]] const std::string* trust_store_named(const std::string& name) const;
  // In order of port, of priority.
  [[nodiscard]] const Numbered& listeners_of(const std::string& load_balancer_arn) const;
  [[nodiscard]] const Numbered& rules_of(const std::string& listener_arn) const;
  // The listeners that forward to a group by their default action or a rule, and the other way
  // round; with the number of their actions that do.
  using Counts = std::map<std::string, std::size_t>;
  [[nodiscard]] const Counts& listeners_forwarding_to(const std::string& target_group_arn) const;
  [[nodiscard]] const Counts& groups_of(const std::string& listener_arn) const;

  // The groups whose requests are copied to this one (weir.mirror.target_group_arn).
  [[nodiscard]] const Arns& mirrored_to(const std::string& target_group_arn) const;

  [[nodiscard]] std::size_t targets_of(const std::string& target_group_arn) const;
  // All registrations of an instance or address, and those that are draining.
  [[nodiscard]] const std::set<TargetKey>& registrations_of(const std::string& target_id) const;
  [[nodiscard]] const std::map<std::string, std::set<TargetKey>>& registrations() const {
    return targets_by_id_;
  }
  [[nodiscard]] const std::set<TargetKey>& draining() const { return draining_; }

 private:
  using Names = std::map<std::string, std::string>;

  void count_forwards(const std::string& listener_arn, const std::vector<model::Action>& actions,
                      bool is_added);

  Names load_balancers_by_name_;
  Names target_groups_by_name_;
  Names trust_stores_by_name_;
  std::map<std::string, Numbered> listeners_by_load_balancer_;
  std::map<std::string, Numbered> rules_by_listener_;
  std::map<std::string, Counts> listeners_by_group_;
  std::map<std::string, Counts> groups_by_listener_;
  std::map<std::string, Arns> sources_by_mirror_;
  std::map<std::string, std::size_t> targets_by_group_;
  std::map<std::string, std::set<TargetKey>> targets_by_id_;
  std::set<TargetKey> draining_;
};

}  // namespace weir::control
