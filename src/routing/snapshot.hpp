// The compiled, immutable configuration that workers serve by.
//
// Every change of the resources makes a new Snapshot; a worker swaps one pointer between two events
// and an exchange keeps the one that it began with. Health is the exception, since it changes on
// its own: a TargetHealthCell is shared by all snapshots that hold the target, written by the
// health checker and read by workers with relaxed atomics; a group's epoch tells that one has
// changed.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "http/message.hpp"
#include "model/resources.hpp"
#include "routing/balancing_policy.hpp"
#include "routing/log_policy.hpp"
#include "routing/response_headers.hpp"
#include "routing/target_list.hpp"
#include "routing/target_load.hpp"
#include "routing/transform.hpp"
#include "tls/server_context.hpp"
#include "traffic/compression_policy.hpp"
#include "traffic/rate_limiter.hpp"
#include "traffic/retry.hpp"

namespace weir::routing {

enum class HealthState : std::uint8_t { initial, healthy, unhealthy };

struct TargetHealthCell {
  std::atomic<HealthState> state{HealthState::initial};
  // Monotonic milliseconds at which slow start began; 0: the target takes its full share.
  std::atomic<std::int64_t> slow_start_from_ms{0};
  // Wall time at which the target failed last: sessions from before do not come back to it.
  std::atomic<std::int64_t> failed_at_ms{0};

  // Written by the search for anomalies: whether the target answers worse than its peers, and the
  // share of requests that it is left with, in 1/full_weight.
  static constexpr std::uint32_t full_weight = 1024;
  std::atomic<bool> is_anomalous{false};
  std::atomic<std::uint32_t> weight{full_weight};

  TargetLoads loads;
};

struct Target {
  std::string id;       // instance id or address
  std::string address;  // numeric
  std::uint16_t port = 0;
  std::string zone;
  // The load balancer node of its zone (index in LoadBalancer::nodes), or any_node: a target
  // outside of all zones.
  static constexpr std::uint32_t any_node = 0xffffffff;
  std::uint32_t node = any_node;
  std::int64_t registered_at_ms = 0;
  std::uint64_t identity = 0;      // of this registration, for stickiness cookies
  bool in_vpc = false;             // reached through the VPC (rootless: needs a VPC socket)
  bool draining = false;           // finishes what it has, takes nothing new
  bool usable = true;              // false: unused (instance not running, zone not enabled)
  std::string unused_reason;       // e.g. Target.InvalidState
  std::string unused_description;  // "Target is in the stopped state"
  std::shared_ptr<TargetHealthCell> health;
};

// weir.mirror.*: which share of the requests is copied to which group.
struct Mirror {
  std::uint32_t target_group = 0;  // index in Snapshot::target_groups
  std::uint32_t percent = 0;       // 0: off
};

struct TargetGroup {
  std::string arn;
  std::string name;
  model::HealthCheck health_check;
  BalancingPolicy policy;
  std::uint64_t identity = 0;  // for stickiness cookies
  // (identity, index) of the targets in order; nullptr where the group is not sticky.
  std::shared_ptr<const std::vector<std::pair<std::uint64_t, std::uint32_t>>> by_identity;
  std::uint32_t nodes = 1;        // of its load balancer
  TargetList targets;             // in (id, port) order
  // The revision that it was compiled for: the same in two snapshots says that nothing is another,
  // but for mirror, index and logs_checks_of.
  std::uint64_t version = 0;
  bool in_use = false;            // some rule of a load balancer refers to it
  std::string load_balancer_arn;  // that load balancer's
  // Where checks of targets in the VPC come from: an address of a node of that load balancer, since
  // its security groups are known by it. Empty: any.
  std::string check_source;
  // The ARN of that load balancer where it logs health checks; else empty.
  std::string logs_checks_of;
  // Raised by the health checker after it changed a cell of this group.
  std::shared_ptr<std::atomic<std::uint32_t>> health_epoch;
  traffic::RetryPolicy retry;
  Mirror mirror;
  std::uint32_t index = 0;  // position in Snapshot::target_groups
};

struct Forward {
  struct Weighted {
    std::uint32_t target_group = 0;  // index in Snapshot::target_groups
    std::uint32_t weight = 1;
  };
  std::vector<Weighted> groups;
  std::uint32_t weight_sum = 0;
  std::int64_t stickiness_seconds = 0;  // of the groups among themselves; 0: none
};

// All that a request can be met with.
using Action = std::variant<Forward, model::RedirectAction, model::FixedResponseAction>;

// What must hold of a request before it is met with the action.
using Authentication = model::JwtValidationAction;

// The facts of a request that conditions look at.
struct RequestFacts {
  const http::RequestHead& head;
  std::string_view client_ip;
};

class RuleList;  // the rules of one listener, compiled
struct Changes;

struct Rule {
  std::string arn;
  int priority = 0;
  Action action;
  std::shared_ptr<const Authentication> authentication;  // nullptr: none
  std::optional<Transforms> transforms;
  // What it was compiled from; the same object in all snapshots while it does not change.
  std::shared_ptr<const std::vector<model::Condition>> conditions;
};
using RulePtr = std::shared_ptr<const Rule>;  // shared by snapshots

// What a request is met with, and by which rule.
struct Choice {
  const Action& action;
  int priority = 0;                        // 0: the default rule
  std::uint32_t rules_evaluated = 0;       // by priority up to this one, the default not counted
  const Transforms* transforms = nullptr;  // of a rule that has any
  const Authentication* authentication = nullptr;
};

// What HTTPS adds to a listener. Shared by snapshots while it does not change.
struct ListenerTls {
  tls::ServerContextPtr context;
  std::string fingerprint;     // of what it was made of
  std::string version_header;  // X-Amzn-Tls-Version, where the load balancer sends it
  std::string cipher_header;   // X-Amzn-Tls-Cipher-Suite
};

struct Listener {
  std::string arn;
  std::uint16_t port = 0;        // as configured: X-Forwarded-Port
  std::uint16_t bound_port = 0;  // on this machine
  std::uint32_t load_balancer = 0;
  bool is_https = false;
  // nullptr: HTTP, or HTTPS without a certificate that can be used: it takes no connections.
  std::shared_ptr<const ListenerTls> tls;
  ResponseHeaders response_headers;
  Action default_action;
  std::shared_ptr<const Authentication> default_authentication;  // nullptr: none
  std::shared_ptr<const RuleList> rules;  // nullptr: none

  // The first rule by priority whose conditions all hold, else the default one. No allocation.
  [[nodiscard]] Choice choose(const RequestFacts& facts) const;
};

// weir.rate_limit.*: whose requests are counted together, and the buckets, which snapshots share.
struct RateLimit {
  std::string header_name;  // empty: by source address
  std::shared_ptr<traffic::RateLimiter> limiter;
};

struct LoadBalancer {
  std::string arn;
  std::string name;
  std::string dns_name;
  std::vector<model::LoadBalancerNode> nodes;
  std::int64_t idle_timeout_ms = 60'000;
  std::int64_t client_keep_alive_ms = 3'600'000;
  LogPolicies logs;
  bool preserve_host_header = false;
  bool drop_invalid_header_fields = false;
  bool xff_client_port = false;
  bool sends_tls_headers = false;  // X-Amzn-Tls-Version, X-Amzn-Tls-Cipher-Suite
  enum class XffMode : std::uint8_t { append, preserve, remove } xff_mode = XffMode::append;
  enum class DesyncMode : std::uint8_t {
    monitor,
    defensive,
    strictest
  } desync_mode = DesyncMode::defensive;
  std::shared_ptr<const RateLimit> rate_limit;                    // nullptr: off
  std::shared_ptr<const traffic::CompressionPolicy> compression;  // nullptr: off
};

// The listeners behind one port of this machine. With several load balancers on it, the Host
// header's name chooses; no match takes the first (the oldest load balancer). They speak what the
// first speaks, HTTP or HTTPS, and HTTPS with its certificates: listeners of the other protocol are
// left out.
struct Port {
  std::vector<std::uint32_t> listeners;                           // indexes, oldest first
  std::map<std::string, std::uint32_t, std::less<>> by_dns_name;  // lower case
};

struct StickinessKey {
  std::uint32_t id = 0;
  std::array<unsigned char, 32> key{};
  bool operator==(const StickinessKey&) const = default;
};

struct Snapshot {
  std::uint64_t revision = 0;
  std::vector<LoadBalancer> load_balancers;
  std::vector<Listener> listeners;
  std::vector<TargetGroup> target_groups;
  std::map<std::uint16_t, Port> ports;           // by bound port
  std::vector<StickinessKey> stickiness_keys;    // the newest first: it seals, all of them open
  std::shared_ptr<tls::TicketKeys> ticket_keys;  // of all snapshots

  // The listener for a request that came in on `bound_port` with this Host value (may carry a
  // port, any letter case). nullptr where nothing listens there any more.
  [[nodiscard]] const Listener* find_listener(std::uint16_t bound_port,
                                              std::string_view host) const;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

// What the compiler reads: the resources, and the address and state of every instance.
struct Sources {
  const std::map<std::string, model::LoadBalancer>& load_balancers;
  const std::map<std::string, model::Listener>& listeners;
  const std::map<std::string, model::Rule>& rules;
  const std::map<std::string, model::TargetGroup>& target_groups;
  const std::map<std::tuple<std::string, std::string, std::uint16_t>, model::Target>& targets;
  const std::map<std::string, model::Instance>& instances;
  std::string_view vpc_cidr;
  const std::map<std::string, model::StickinessKey>* stickiness_keys = nullptr;  // none: no cookies
  const std::map<std::string, model::Certificate>* certificates = nullptr;       // none: no HTTPS
};

// Compiles. `previous` (may be null) lends its health cells and epochs, so that a target keeps its
// health across changes; with `changes`, what has not changed since is not compiled again. Never
// fails: what the control plane let in compiles. `revision` is greater than that of `previous`.
[[nodiscard]] SnapshotPtr compile(const Sources& sources, const Snapshot* previous,
                                  std::uint64_t revision, const Changes* changes = nullptr);

}  // namespace weir::routing
