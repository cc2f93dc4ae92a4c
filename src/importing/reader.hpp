// What is to be imported, as the API describes it.
//
// Load balancers with their listeners and rules, and every target group that these forward to or
// that another one is mirrored to, each with attributes, tags and targets. Descriptions stay values
// of the API (aws::Value); nothing is judged here.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "aws/value.hpp"
#include "base/result.hpp"
#include "importing/client.hpp"

namespace weir::importing {

inline constexpr std::size_t pages_max = 1'000;           // of one list; AWS gives up to 400 a page
inline constexpr std::size_t load_balancers_max = 1'000;  // ours

using Pairs = std::vector<std::pair<std::string, std::string>>;  // attributes, tags

struct ListenerFound {
  aws::Value listener;
  aws::Value::List rules;  // the default one too
  aws::Value::List certificates;
  Pairs attributes;
};

struct LoadBalancerFound {
  aws::Value load_balancer;
  std::vector<ListenerFound> listeners;
  Pairs attributes;
};

struct TargetGroupFound {
  aws::Value target_group;
  aws::Value::List health;  // TargetHealthDescription
  Pairs attributes;
};

struct Inventory {
  std::vector<LoadBalancerFound> load_balancers;
  std::vector<TargetGroupFound> target_groups;  // each once
  std::map<std::string, Pairs> tags;            // by ARN, without AWS's own
  std::vector<std::string> passed_over;         // load balancers of other types, in words
};

struct Wanted {
  std::string load_balancer;  // its name or ARN; empty: all
};

// "LoadBalancerNotFound" names those that there are; a network load balancer that is asked for by
// name is "UnsupportedLoadBalancer". One after another on this thread.
[[nodiscard]] Result<Inventory> read_inventory(const Call& call, const Wanted& wanted);

// The ARNs of target groups that actions forward to.
[[nodiscard]] std::vector<std::string> groups_of(const aws::Value::List& actions);

}  // namespace weir::importing
