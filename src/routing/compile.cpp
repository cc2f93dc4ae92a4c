// From the resources to a Snapshot: load balancers first, then target groups (rules refer to them
// by position), then listeners with their rules, then what only the whole shows: which groups are
// in use, and which ports there are. What refers to nothing is left out, since a snapshot must
// always be had; the control plane refuses such references before they get here.
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/log.hpp"
#include "model/attributes.hpp"
#include "model/base64.hpp"
#include "routing/changes.hpp"
#include "routing/compile_logs.hpp"
#include "routing/compile_tls.hpp"
#include "routing/compile_traffic.hpp"
#include "routing/rule_list.hpp"
#include "routing/snapshot.hpp"
#include "routing/targets.hpp"
#include "routing/text.hpp"

namespace weir::routing {
namespace {

// Workers have no handler of HTTP/2 yet.
constexpr bool offers_http2 = false;

using Positions = std::unordered_map<std::string_view, std::uint32_t>;

template <typename Enum>
Enum word(std::string_view text, std::initializer_list<std::pair<std::string_view, Enum>> words,
          Enum otherwise) {
  for (const auto& [each, value] : words) {
    if (each == text) return value;
  }
  return otherwise;
}

LoadBalancer compile_load_balancer(const model::LoadBalancer& source, const Snapshot* previous) {
  const auto specs = model::load_balancer_attributes();
  const auto flag = [&](std::string_view key) {
    return model::flag_of(source.attributes, specs, key);
  };
  const auto seconds_as_ms = [&](std::string_view key) {
    return std::int64_t{model::number_of(source.attributes, specs, key)} * 1000;
  };
  const auto text = [&](std::string_view key) {
    return model::value_of(source.attributes, specs, key);
  };
  LoadBalancer out;
  out.arn = source.arn;
  out.name = source.name;
  out.dns_name = source.dns_name;
  out.nodes = source.nodes;
  out.idle_timeout_ms = seconds_as_ms("idle_timeout.timeout_seconds");
  out.client_keep_alive_ms = seconds_as_ms("client_keep_alive.seconds");
  out.logs = compile_logs(source);
  out.preserve_host_header = flag("routing.http.preserve_host_header.enabled");
  out.drop_invalid_header_fields = flag("routing.http.drop_invalid_header_fields.enabled");
  out.xff_client_port = flag("routing.http.xff_client_port.enabled");
  out.sends_tls_headers = flag("routing.http.x_amzn_tls_version_and_cipher_suite.enabled");
  using Xff = LoadBalancer::XffMode;
  out.xff_mode =
      word(text("routing.http.xff_header_processing.mode"),
           {{"append", Xff::append}, {"preserve", Xff::preserve}, {"remove", Xff::remove}},
           out.xff_mode);
  using Desync = LoadBalancer::DesyncMode;
  out.desync_mode = word(text("routing.http.desync_mitigation_mode"),
                         {{"monitor", Desync::monitor},
                          {"defensive", Desync::defensive},
                          {"strictest", Desync::strictest}},
                         out.desync_mode);
  out.rate_limit = compile_rate_limit(source, previous);
  out.compression = compile_compression(source);
  return out;
}

Forward compile_forward(const model::ForwardAction& source, const Positions& groups) {
  Forward out;
  if (source.stickiness_enabled) out.stickiness_seconds = source.stickiness_duration_seconds;
  for (const model::TargetGroupTuple& tuple : source.target_groups) {
    const auto group = groups.find(tuple.target_group_arn);
    if (group == groups.end()) continue;
    const auto weight = static_cast<std::uint32_t>(std::clamp(tuple.weight, 0, 999));
    out.groups.push_back({group->second, weight});
    out.weight_sum += weight;
  }
  return out;
}

// The routing action is the last by order; without one a request finds no target.
Action compile_actions(const std::vector<model::Action>& actions, const Positions& groups) {
  const auto last = std::ranges::max_element(actions, {}, &model::Action::order);
  if (last == actions.end()) return Forward{};
  if (const auto* forward = std::get_if<model::ForwardAction>(&last->config))
    return compile_forward(*forward, groups);
  if (const auto* redirect = std::get_if<model::RedirectAction>(&last->config)) return *redirect;
  if (const auto* fixed = std::get_if<model::FixedResponseAction>(&last->config)) return *fixed;
  return Forward{};
}

std::shared_ptr<const Authentication> compile_authentication(
    const std::vector<model::Action>& actions) {
  for (const model::Action& action : actions) {
    if (const auto* validation = std::get_if<model::JwtValidationAction>(&action.config))
      return std::make_shared<const Authentication>(*validation);
  }
  return nullptr;
}

// None where they do not compile: the control plane refuses such.
std::optional<Transforms> compile_transforms(const model::Rule& source) {
  if (source.transforms.empty()) return std::nullopt;
  auto compiled = Transforms::compile(source.transforms);
  if (compiled) return std::move(*compiled);
  log::warn("the transforms of rule {} do nothing: {}", source.arn, compiled.error().message);
  return std::nullopt;
}

class Compiler {
 public:
  Compiler(const Sources& sources, const Snapshot* previous, std::uint64_t revision,
           const Changes* changes)
      : sources_(sources),
        previous_(previous),
        changes_(previous == nullptr ? nullptr : changes),
        targets_(sources, previous, revision, changes_),
        tls_(sources, previous) {
    out_->revision = revision;
    if (previous == nullptr) return;
    for (const Listener& listener : previous->listeners) {
      if (listener.rules) rules_before_.emplace(listener.arn, listener.rules);
    }
  }

  std::shared_ptr<Snapshot> run() {
    out_->ticket_keys = tls_.ticket_keys();
    add_load_balancers();
    number_target_groups();
    group_rules_by_listener();
    add_listeners();
    add_mirrors();
    add_target_groups();
    add_ports();
    add_stickiness_keys();
    return std::move(out_);
  }

 private:
  void add_load_balancers() {
    for (const auto& [arn, source] : sources_.load_balancers) {
      load_balancers_.emplace(arn, static_cast<std::uint32_t>(out_->load_balancers.size()));
      out_->load_balancers.push_back(compile_load_balancer(source, previous_));
    }
  }

  void number_target_groups() {
    for (const auto& [arn, source] : sources_.target_groups)
      groups_.emplace(arn, static_cast<std::uint32_t>(groups_.size()));
    load_balancer_of_.resize(groups_.size(), nullptr);
    // Forward actions name groups by position: where those move, all are compiled again.
    keeps_rules_ =
        changes_ != nullptr &&
        std::ranges::equal(previous_->target_groups, sources_.target_groups, {}, &TargetGroup::arn,
                           [](const auto& each) -> const std::string& { return each.first; });
  }

  // Of all rules, or of those that have changed.
  void group_rules_by_listener() {
    if (!keeps_rules_) {
      for (const auto& [arn, rule] : sources_.rules) rules_[rule.listener_arn].push_back(&rule);
    } else {
      for (const auto& [arn, listener_arn] : changes_->rules) {
        auto& rules = rules_[listener_arn];
        changed_rules_.insert(arn);
        const auto found = sources_.rules.find(arn);
        if (found != sources_.rules.end()) rules.push_back(&found->second);
      }
    }
    for (auto& [arn, rules] : rules_) std::ranges::sort(rules, {}, &model::Rule::priority);
  }

  void add_listeners() {
    for (const auto& [arn, source] : sources_.listeners) {
      const auto load_balancer = load_balancers_.find(source.load_balancer_arn);
      if (load_balancer == load_balancers_.end()) continue;
      Listener& out = out_->listeners.emplace_back();
      out.arn = arn;
      out.port = source.port;
      out.bound_port = source.bound_port;
      out.load_balancer = load_balancer->second;
      out.is_https = source.protocol == "HTTPS";
      out.tls = tls_.listener(source, offers_http2);
      out.response_headers = compile_response_headers(source.attributes);
      out.default_action = compile_actions(source.default_actions, groups_);
      out.default_authentication = compile_authentication(source.default_actions);
      note_use(out.default_action, source.load_balancer_arn);
      add_rules(out, source.load_balancer_arn);
    }
  }

  void add_rules(Listener& out, const std::string& load_balancer_arn) {
    const auto before = rules_before_.find(out.arn);
    const RuleList* previous = before == rules_before_.end() ? nullptr : before->second.get();
    const auto sources = rules_.find(out.arn);
    if (sources != rules_.end()) {
      auto rules = compile_rules(sources->second, previous);
      if (keeps_rules_ && previous != nullptr) add_unchanged(rules, *previous);
      if (!rules.empty()) out.rules = std::make_shared<RuleList>(std::move(rules), previous);
    } else if (keeps_rules_ && previous != nullptr) {
      out.rules = before->second;
    }
    if (!out.rules) return;
    for (const std::uint32_t group : out.rules->groups()) note_use(group, load_balancer_arn);
  }

  // A rule whose conditions are what they were keeps them, and with them its place in the matcher.
  std::vector<RulePtr> compile_rules(const std::vector<const model::Rule*>& sources,
                                     const RuleList* previous) {
    std::vector<RulePtr> out;
    out.reserve(sources.size() + (previous == nullptr ? 0 : previous->rules().size()));
    for (const model::Rule* source : sources) {
      auto rule = std::make_shared<Rule>();
      rule->arn = source->arn;
      rule->priority = source->priority;
      rule->action = compile_actions(source->actions, groups_);
      rule->authentication = compile_authentication(source->actions);
      rule->transforms = compile_transforms(*source);
      if (previous != nullptr) rule->conditions = same_conditions(*source, previous->rules());
      if (!rule->conditions)
        rule->conditions =
            std::make_shared<const std::vector<model::Condition>>(source->conditions);
      out.push_back(std::move(rule));
    }
    return out;
  }

  // nullptr where the rule was not there, or is another now.
  static std::shared_ptr<const std::vector<model::Condition>> same_conditions(
      const model::Rule& source, const std::vector<RulePtr>& before) {
    const auto at = std::ranges::lower_bound(before, source.priority, {},
                                             [](const RulePtr& rule) { return rule->priority; });
    if (at == before.end() || (*at)->priority != source.priority) return nullptr;
    return *(*at)->conditions == source.conditions ? (*at)->conditions : nullptr;
  }

  // `rules` are those that have changed, by priority.
  void add_unchanged(std::vector<RulePtr>& rules, const RuleList& previous) const {
    const auto changed = static_cast<std::ptrdiff_t>(rules.size());
    for (const RulePtr& rule : previous.rules()) {
      if (!changed_rules_.contains(rule->arn)) rules.push_back(rule);
    }
    std::ranges::inplace_merge(rules, rules.begin() + changed, {},
                               [](const RulePtr& rule) { return rule->priority; });
  }

  // Weight 0 is use as well: the group's targets are checked and ready for the weight to change.
  void note_use(const Action& action, const std::string& load_balancer_arn) {
    const auto* forward = std::get_if<Forward>(&action);
    if (forward == nullptr) return;
    for (const Forward::Weighted& weighted : forward->groups)
      note_use(weighted.target_group, load_balancer_arn);
  }
  void note_use(std::uint32_t group, const std::string& load_balancer_arn) {
    load_balancer_of_[group] = &sources_.load_balancers.at(load_balancer_arn);
  }

  // A group that gets copies is in use as one is that gets requests: its targets are checked.
  void add_mirrors() {
    mirrors_.resize(groups_.size());
    for (const auto& [arn, source] : sources_.target_groups) {
      const auto to = groups_.find(mirror_arn(source));
      const std::uint32_t from = groups_.at(arn);
      if (to == groups_.end() || to->second == from) continue;
      mirrors_[from] = {to->second, mirror_percent(source)};
      auto& load_balancer = load_balancer_of_[to->second];
      if (load_balancer == nullptr) load_balancer = load_balancer_of_[from];
    }
  }

  void add_target_groups() {
    for (const auto& [arn, source] : sources_.target_groups) {
      const auto index = static_cast<std::uint32_t>(out_->target_groups.size());
      out_->target_groups.push_back(targets_.compile_group(source, load_balancer_of_[index]));
      out_->target_groups.back().index = index;
      out_->target_groups.back().retry = compile_retry(source);
      out_->target_groups.back().mirror = mirrors_[index];
      out_->target_groups.back().logs_checks_of = logger_of_checks(load_balancer_of_[index]);
    }
  }

  [[nodiscard]] std::string logger_of_checks(const model::LoadBalancer* load_balancer) const {
    if (load_balancer == nullptr) return {};
    const LoadBalancer& compiled = out_->load_balancers[load_balancers_.at(load_balancer->arn)];
    return compiled.logs[LogKind::health_check].is_on() ? compiled.arn : std::string();
  }

  void add_ports() {
    std::vector<std::uint32_t> oldest_first;
    for (std::uint32_t i = 0; i < out_->listeners.size(); ++i) {
      if (out_->listeners[i].bound_port != 0) oldest_first.push_back(i);
    }
    std::ranges::stable_sort(oldest_first, {}, [&](std::uint32_t i) {
      return sources_.load_balancers.at(load_balancer_of(i).arn).created_at_ms;
    });
    for (const std::uint32_t i : oldest_first) {
      Port& port = out_->ports[out_->listeners[i].bound_port];
      if (!port.listeners.empty() &&
          out_->listeners[port.listeners.front()].is_https != out_->listeners[i].is_https) {
        log::warn("listener {} is not reached: port {} speaks another protocol for {}",
                  out_->listeners[i].arn, out_->listeners[i].bound_port,
                  out_->listeners[port.listeners.front()].arn);
        continue;
      }
      port.listeners.push_back(i);
      port.by_dns_name.emplace(matchable(load_balancer_of(i).dns_name, Case::folded), i);
    }
  }

  // A key that cannot be read seals nothing; the control plane makes none such.
  void add_stickiness_keys() {
    if (sources_.stickiness_keys == nullptr) return;
    std::vector<const model::StickinessKey*> newest_first;
    for (const auto& [id, source] : *sources_.stickiness_keys) newest_first.push_back(&source);
    std::ranges::sort(newest_first, std::ranges::greater{}, &model::StickinessKey::created_at_ms);
    for (const model::StickinessKey* source : newest_first) {
      StickinessKey out;
      const auto bytes = model::base64_decode(source->key);
      const char* end = source->id.data() + source->id.size();
      if (!bytes || bytes->size() != out.key.size() ||
          std::from_chars(source->id.data(), end, out.id).ptr != end)
        continue;
      std::ranges::copy(*bytes, out.key.begin());
      out_->stickiness_keys.push_back(out);
    }
  }

  [[nodiscard]] const LoadBalancer& load_balancer_of(std::uint32_t listener) const {
    return out_->load_balancers[out_->listeners[listener].load_balancer];
  }

  const Sources& sources_;
  const Snapshot* previous_;
  const Changes* changes_;  // nullptr: anything may have changed
  TargetCompiler targets_;
  TlsCompiler tls_;
  std::shared_ptr<Snapshot> out_ = std::make_shared<Snapshot>();
  Positions load_balancers_, groups_;
  // Of the previous snapshot, by listener.
  std::unordered_map<std::string_view, std::shared_ptr<const RuleList>> rules_before_;
  bool keeps_rules_ = false;  // but for those that have changed
  std::unordered_set<std::string_view> changed_rules_;
  std::unordered_map<std::string_view, std::vector<const model::Rule*>> rules_;  // by listener
  // By position of the group: the load balancer whose rules refer to it, nullptr where none does. A
  // group belongs to one load balancer only (reference §3.3).
  std::vector<const model::LoadBalancer*> load_balancer_of_;
  std::vector<Mirror> mirrors_;  // by position of the group
};

}  // namespace

SnapshotPtr compile(const Sources& sources, const Snapshot* previous, std::uint64_t revision,
                    const Changes* changes) {
  return Compiler(sources, previous, revision, changes).run();
}

}  // namespace weir::routing
