#include "importing/reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace weir::importing {
namespace {

using aws::Value;

constexpr std::size_t tag_arns_max = 20;          // AWS: ARNs of one DescribeTags
constexpr std::size_t names_shown_max = 20;       // in an error
constexpr std::size_t target_groups_max = 5'000;  // ours

Pairs pairs_of(const Value::List& items) {
  Pairs pairs;
  for (const auto& item : items) pairs.emplace_back(item.text("Key"), item.text("Value"));
  return pairs;
}

void append(Value::List& to, const Value::List& items) {
  to.insert(to.end(), items.begin(), items.end());
}

class Reader {
 public:
  explicit Reader(const Call& call) : call_(call) {}

  Result<Inventory> read(const Wanted& wanted) {
    auto found = wanted.load_balancer.empty() ? pages("DescribeLoadBalancers", "LoadBalancers", {})
                                              : one(wanted.load_balancer);
    if (!found) return std::unexpected(found.error());
    if (found->size() > load_balancers_max) {
      return fail("TooManyLoadBalancers", fmt::format("{} load balancers; at most {} at once",
                                                      found->size(), load_balancers_max));
    }
    for (const auto& load_balancer : *found) {
      if (auto status = add(load_balancer, wanted); !status) return std::unexpected(status.error());
    }
    if (auto status = add_remaining_groups(); !status) return std::unexpected(status.error());
    if (auto status = add_tags(); !status) return std::unexpected(status.error());
    return std::move(inventory_);
  }

 private:
  // All items of a list that comes in pages.
  Result<Value::List> pages(const std::string& action, std::string_view member,
                            CallParameters parameters) {
    Value::List all;
    std::string marker;
    for (std::size_t page = 0; page < pages_max; ++page) {
      auto with_marker = parameters;
      if (!marker.empty()) with_marker.emplace_back("Marker", marker);
      const auto answer = call_(action, with_marker);
      if (!answer) return std::unexpected(answer.error());
      append(all, answer->list(member));
      auto next = answer->text("NextMarker");
      if (next.empty()) return all;
      if (next == marker) break;
      marker = std::move(next);
    }
    return fail("MalformedAnswer",
                fmt::format("{} does not come to an end ({} pages)", action, pages_max));
  }

  Result<Value::List> one(const std::string& name) {
    const bool is_arn = name.starts_with("arn:");
    auto found = pages("DescribeLoadBalancers", "LoadBalancers",
                       {{is_arn ? "LoadBalancerArns.member.1" : "Names.member.1", name}});
    if (found || found.error().code != "LoadBalancerNotFound") return found;
    auto error = found.error();
    error.message = fmt::format("there is no load balancer '{}'", name);
    if (const auto all = pages("DescribeLoadBalancers", "LoadBalancers", {}))
      error.hint = names_of(*all);
    return std::unexpected(std::move(error));
  }

  static std::string names_of(const Value::List& load_balancers) {
    std::vector<std::string> names;
    for (const auto& each : load_balancers) names.push_back(each.text("LoadBalancerName"));
    if (names.empty()) return "There is none in this region.";
    std::ranges::sort(names);
    const auto shown = std::min(names.size(), names_shown_max);
    auto text = fmt::format(
        "There are: {}",
        fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
    return text;
  }

  Status add(const Value& load_balancer, const Wanted& wanted) {
    const auto type = load_balancer.text("Type", "application");
    if (type != "application") {
      const auto words =
          fmt::format("{} is a {} load balancer; Weir has application load balancers",
                      load_balancer.text("LoadBalancerName"), type);
      if (!wanted.load_balancer.empty()) return fail("UnsupportedLoadBalancer", words);
      inventory_.passed_over.push_back(words);
      return {};
    }
    const auto arn = load_balancer.text("LoadBalancerArn");
    LoadBalancerFound found{load_balancer, {}, {}};
    if (auto status = attributes("LoadBalancer", arn, found.attributes); !status) return status;
    const auto listeners = pages("DescribeListeners", "Listeners", {{"LoadBalancerArn", arn}});
    if (!listeners) return std::unexpected(listeners.error());
    for (const auto& listener : *listeners) {
      if (auto status = add_listener(listener, found); !status) return status;
    }
    inventory_.load_balancers.push_back(std::move(found));
    const auto groups = pages("DescribeTargetGroups", "TargetGroups", {{"LoadBalancerArn", arn}});
    if (!groups) return std::unexpected(groups.error());
    for (const auto& group : *groups) {
      if (auto status = add_group(group); !status) return status;
    }
    return {};
  }

  Status add_listener(const Value& listener, LoadBalancerFound& to) {
    const auto arn = listener.text("ListenerArn");
    ListenerFound found{listener, {}, {}, {}};
    if (auto status = attributes("Listener", arn, found.attributes); !status) return status;
    auto rules = pages("DescribeRules", "Rules", {{"ListenerArn", arn}});
    if (!rules) return std::unexpected(rules.error());
    found.rules = std::move(*rules);
    if (listener.text("Protocol") == "HTTPS") {
      auto more = pages("DescribeListenerCertificates", "Certificates", {{"ListenerArn", arn}});
      if (!more) return std::unexpected(more.error());
      found.certificates = std::move(*more);
    }
    want_groups(listener.list("DefaultActions"));
    for (const auto& rule : found.rules) want_groups(rule.list("Actions"));
    to.listeners.push_back(std::move(found));
    return {};
  }

  Status add_group(const Value& group) {
    const auto arn = group.text("TargetGroupArn");
    if (!groups_.insert(arn).second) return {};
    if (groups_.size() > target_groups_max) {
      return fail("TooManyTargetGroups",
                  fmt::format("more than {} target groups", target_groups_max));
    }
    TargetGroupFound found{group, {}, {}};
    if (auto status = attributes("TargetGroup", arn, found.attributes); !status) return status;
    const auto health = call_("DescribeTargetHealth", {{"TargetGroupArn", arn}});
    if (!health) return std::unexpected(health.error());
    found.health = health->list("TargetHealthDescriptions");
    for (const auto& [key, value] : found.attributes) {
      if (key == "weir.mirror.target_group_arn" && !value.empty()) wanted_groups_.push_back(value);
    }
    inventory_.target_groups.push_back(std::move(found));
    return {};
  }

  void want_groups(const Value::List& actions) {
    std::ranges::move(groups_of(actions), std::back_inserter(wanted_groups_));
  }

  // Those that no load balancer named: a mirror's are known by the attribute alone.
  Status add_remaining_groups() {
    for (std::size_t i = 0; i < wanted_groups_.size(); ++i) {
      const auto arn = wanted_groups_[i];
      if (groups_.contains(arn)) continue;
      const auto found =
          pages("DescribeTargetGroups", "TargetGroups", {{"TargetGroupArns.member.1", arn}});
      if (!found) return std::unexpected(found.error());
      for (const auto& group : *found) {
        if (auto status = add_group(group); !status) return status;
      }
      groups_.insert(arn);
    }
    return {};
  }

  Status attributes(std::string_view kind, const std::string& arn, Pairs& to) {
    const auto answer =
        call_(fmt::format("Describe{}Attributes", kind), {{fmt::format("{}Arn", kind), arn}});
    if (!answer) return std::unexpected(answer.error());
    to = pairs_of(answer->list("Attributes"));
    return {};
  }

  [[nodiscard]] std::vector<std::string> all_arns() const {
    std::vector<std::string> arns;
    for (const auto& found : inventory_.load_balancers) {
      arns.push_back(found.load_balancer.text("LoadBalancerArn"));
      for (const auto& listener : found.listeners) {
        arns.push_back(listener.listener.text("ListenerArn"));
        for (const auto& rule : listener.rules) {
          if (!rule.flag("IsDefault").value_or(false)) arns.push_back(rule.text("RuleArn"));
        }
      }
    }
    for (const auto& found : inventory_.target_groups)
      arns.push_back(found.target_group.text("TargetGroupArn"));
    return arns;
  }

  Status add_tags() {
    const auto arns = all_arns();
    for (std::size_t i = 0; i < arns.size(); i += tag_arns_max) {
      CallParameters parameters;
      for (std::size_t k = i; k < std::min(i + tag_arns_max, arns.size()); ++k)
        parameters.emplace_back(fmt::format("ResourceArns.member.{}", k - i + 1), arns[k]);
      const auto answer = call_("DescribeTags", parameters);
      if (!answer) return std::unexpected(answer.error());
      for (const auto& each : answer->list("TagDescriptions")) {
        auto tags = pairs_of(each.list("Tags"));
        std::erase_if(tags, [](const auto& tag) { return tag.first.starts_with("aws:"); });
        if (!tags.empty()) inventory_.tags[each.text("ResourceArn")] = std::move(tags);
      }
    }
    return {};
  }

  const Call& call_;
  Inventory inventory_;
  std::set<std::string> groups_;            // that are read
  std::vector<std::string> wanted_groups_;  // that something refers to
};

}  // namespace

std::vector<std::string> groups_of(const Value::List& actions) {
  std::vector<std::string> arns;
  for (const auto& action : actions) {
    if (auto arn = action.text("TargetGroupArn"); !arn.empty()) arns.push_back(std::move(arn));
    const Value* forward = action.find("ForwardConfig");
    if (forward == nullptr) continue;
    for (const auto& each : forward->list("TargetGroups"))
      arns.push_back(each.text("TargetGroupArn"));
  }
  return arns;
}

Result<Inventory> read_inventory(const Call& call, const Wanted& wanted) {
  return Reader(call).read(wanted);
}

}  // namespace weir::importing
