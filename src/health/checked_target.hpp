// One target under health checks: its schedule, its probe and its state. Lives on the checker's
// thread; what the rest of the program sees of it goes through CheckedTargetOwner.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "health/checker.hpp"
#include "health/probe.hpp"
#include "health/schedule.hpp"

namespace weir::health {

// What is the same for all targets of a group; made anew with each snapshot.
struct GroupSettings {
  std::string arn;
  std::string name;
  model::HealthCheck check;
  CodeMatcher codes;
  std::uint16_t port = 0;              // 0: the target's own
  std::string node_ip;                 // of the node that checks; may be empty
  std::optional<net::Address> source;  // the same: of checks of targets in the VPC
  std::string logs_checks_of;          // ARN of the load balancer; empty: they are not logged
  std::shared_ptr<std::atomic<std::uint32_t>> health_epoch;
  // Slow start (reference §4.3); 0: off, and then no peers are named.
  std::int64_t slow_start_ms = 0;
  struct Peer {
    std::shared_ptr<routing::TargetHealthCell> cell;
    std::int64_t registered_at_ms = 0;
  };
  std::vector<Peer> peers;  // the targets of the group in use
};

// What the log is told of a check that is over.
struct CheckFacts {
  std::int64_t begun_ns = 0;     // monotonic
  bool counts = false;           // not one of the quick checks
  int status_code = 0;           // 0: there was no answer
  std::string_view reason_code;  // empty: passed
};

// A wish for a counting check outdoes one for a quick check.
enum class Waiting : std::uint8_t { no, quick, counting };

class CheckedTarget;

class CheckedTargetOwner {
 public:
  // The target wants to begin a check. The owner calls begin_check(), at once or when others have
  // ended.
  virtual void on_check_due(CheckedTarget& target, bool counts) = 0;
  virtual void on_check_ended(CheckedTarget& target, bool counts) = 0;
  virtual void on_result(const CheckedTarget& target, const CheckFacts& facts) = 0;
  // The status, whose state is another than before where `state_changed`.
  virtual void on_status(CheckedTarget& target, bool state_changed) = 0;
  virtual void on_quick_series(bool has_begun) = 0;
  // How far apart quick checks of one target have to be at the least, for all that need them.
  [[nodiscard]] virtual std::int64_t quick_step_ms_min() const = 0;
  [[nodiscard]] virtual Result<Fd> make_socket(const CheckedTarget& target, int family) = 0;

 protected:
  ~CheckedTargetOwner() = default;
};

class CheckedTarget final : ProbeEvents {
 public:
  CheckedTarget(net::Loop& loop, CheckedTargetOwner& owner, const routing::Target& target,
                std::shared_ptr<const GroupSettings> settings);
  ~CheckedTarget();
  CheckedTarget(const CheckedTarget&) = delete;
  CheckedTarget& operator=(const CheckedTarget&) = delete;

  void start();  // the first check is due now
  // A new snapshot holds the target still.
  void update(const routing::Target& target, std::shared_ptr<const GroupSettings> settings);
  // Something has happened to it: do not wait for the schedule.
  void check_now();
  void begin_check(bool counts);

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] bool is_in_vpc() const { return is_in_vpc_; }
  [[nodiscard]] const GroupSettings& settings() const { return *settings_; }
  [[nodiscard]] const Status& status() const { return health_.status(); }

  std::uint64_t seen_in = 0;      // the owner's mark: the latest snapshot that holds the target
  Waiting waiting = Waiting::no;  // the owner's mark: which check is due, but not begun yet

 private:
  void on_verdict(CheckResult result, int code) override;
  void on_due();
  void arm();
  void end_check();
  void stop_probe();
  void settle();
  void publish_state();
  [[nodiscard]] bool begins_slowly() const;

  net::Loop& loop_;
  CheckedTargetOwner& owner_;
  std::string id_;
  std::uint16_t port_;
  std::string address_;
  bool is_in_vpc_ = false;
  std::int64_t registered_at_ms_ = 0;
  bool has_failed_ = false;  // since it was registered
  std::shared_ptr<routing::TargetHealthCell> cell_;
  std::shared_ptr<const GroupSettings> settings_;
  std::shared_ptr<const GroupSettings> settings_of_check_;  // of the check that is under way
  TargetHealth health_;
  Schedule schedule_;
  net::Timer due_;
  Probe probe_;
  bool check_counts_ = false;        // of the check that is under way
  std::int64_t check_begun_ns_ = 0;  // likewise
};

}  // namespace weir::health
