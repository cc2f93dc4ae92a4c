// The checker's thread: which targets there are, how many checks may be under way, and what others
// may ask. Targets are told apart by their health cell, which a snapshot makes anew for a target
// that has come (back) into use.
#include "health/checker.hpp"

#include <pthread.h>

#include <array>
#include <charconv>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <unordered_map>

#include "base/log.hpp"
#include "health/check_log.hpp"
#include "health/checked_target.hpp"
#include "net/socket.hpp"

namespace weir::health {
namespace {

// Checks under way at once; the quick ones leave room for those that count.
constexpr std::size_t checks_max = 768;
constexpr std::size_t quick_checks_max = 256;
// Of all targets that wait for their first success together.
constexpr std::int64_t quick_checks_per_second_max = 2000;
// An answer's head is small, and so is the number of answers that arrive in one turn.
constexpr std::uint32_t receive_block_bytes = 4096;
constexpr std::uint32_t receive_ring_blocks = 64;

std::uint16_t port_of(const model::HealthCheck& check) {
  std::uint16_t port = 0;  // stays 0 for "traffic-port"
  std::from_chars(check.port.data(), check.port.data() + check.port.size(), port);
  return port;
}

std::shared_ptr<const GroupSettings> settings_of(const routing::TargetGroup& group) {
  auto codes = CodeMatcher::parse(group.health_check.http_codes);
  if (!codes) {
    log::warn("{}: {}; taken for 200", group.arn, codes.error().message);
    codes = CodeMatcher::parse("200");
  }
  auto out = std::make_shared<GroupSettings>(GroupSettings{group.arn,
                                                           group.name,
                                                           group.health_check,
                                                           std::move(*codes),
                                                           port_of(group.health_check),
                                                           group.check_source,
                                                           std::nullopt,
                                                           group.logs_checks_of,
                                                           group.health_epoch,
                                                           group.policy.slow_start_ms,
                                                           {}});
  if (const auto source = net::Address::parse(group.check_source, 0)) out->source = *source;
  if (group.policy.slow_start_ms == 0) return out;
  for (const routing::Target& target : group.targets) {
    if (target.usable && !target.draining)
      out->peers.push_back({target.health, target.registered_at_ms});
  }
  return out;
}

class CheckerThread final : public Checker, public CheckedTargetOwner {
 public:
  CheckerThread(std::unique_ptr<net::Loop> loop, Options options)
      : options_(std::move(options)), loop_(std::move(loop)), log_(options_.log) {
    thread_ = std::thread([this] { run(); });
  }
  ~CheckerThread() override {
    loop_->stop();
    thread_.join();
  }

  void apply(routing::SnapshotPtr snapshot) override {
    loop_->post([this, snapshot = std::move(snapshot)] { take(*snapshot); });
  }
  void check_now(const std::string& target_id) override {
    loop_->post([this, target_id] {
      for (const auto& [cell, target] : targets_) {
        if (target->id() == target_id) target->check_now();
      }
    });
  }
  [[nodiscard]] Status status(const std::string& target_group_arn, const std::string& target_id,
                              std::uint16_t port) const override {
    const std::lock_guard lock(statuses_mutex_);
    const auto found = statuses_.find(std::tie(target_group_arn, target_id, port));
    if (found != statuses_.end()) return found->second;
    return {routing::HealthState::initial, "Elb.RegistrationInProgress",
            "Target registration is in progress"};
  }

 private:
  using Key = std::tuple<std::string, std::string, std::uint16_t>;  // group, target, port

  void run() {
    pthread_setname_np(pthread_self(), "weir-health");
    loop_->run();
    is_ending_ = true;
    targets_.clear();
  }

  void take(const routing::Snapshot& snapshot);
  void forget_others();

  void on_check_due(CheckedTarget& target, bool counts) override;
  void on_check_ended(CheckedTarget& target, bool counts) override;
  void on_result(const CheckedTarget& target, const CheckFacts& facts) override {
    log_.add(target, facts);
  }
  void on_status(CheckedTarget& target, bool state_changed) override;
  void on_quick_series(bool has_begun) override { quick_targets_ += has_begun ? 1 : -1; }
  [[nodiscard]] std::int64_t quick_step_ms_min() const override {
    return quick_targets_ * 1000 / quick_checks_per_second_max;
  }
  [[nodiscard]] Result<Fd> make_socket(const CheckedTarget& target, int family) override;
  [[nodiscard]] bool has_room(bool counts) const {
    return under_way_[0] + under_way_[1] < checks_max &&
           (counts || under_way_[0] < quick_checks_max);
  }
  void begin(CheckedTarget& target, bool counts);
  void begin_waiting();

  const Options options_;
  std::unique_ptr<net::Loop> loop_;

  // Of the checker's thread.
  CheckLog log_;
  std::unordered_map<const routing::TargetHealthCell*, std::unique_ptr<CheckedTarget>> targets_;
  std::uint64_t snapshots_ = 0;
  std::int64_t quick_targets_ = 0;
  // Quick checks first, those that count second.
  std::array<std::size_t, 2> under_way_{};
  std::array<std::deque<CheckedTarget*>, 2> waiting_;
  bool has_socket_trouble_ = false;
  bool is_beginning_ = false;
  bool is_ending_ = false;

  mutable std::mutex statuses_mutex_;
  std::map<Key, Status, std::less<>> statuses_;

  std::thread thread_;
};

// Those that have gone are forgotten before those that are new begin: the same target may be both.
void CheckerThread::take(const routing::Snapshot& snapshot) {
  ++snapshots_;
  std::vector<std::pair<const routing::Target*, std::shared_ptr<const GroupSettings>>> added;
  for (const routing::TargetGroup& group : snapshot.target_groups) {
    if (!group.in_use) continue;
    const auto settings = settings_of(group);
    for (const routing::Target& target : group.targets) {
      if (!target.usable || target.draining) continue;
      const auto known = targets_.find(target.health.get());
      if (known == targets_.end()) {
        added.emplace_back(&target, settings);
      } else {
        known->second->seen_in = snapshots_;
        known->second->update(target, settings);
      }
    }
  }
  forget_others();
  for (auto& [target, settings] : added) {
    auto& made = targets_[target->health.get()];
    made = std::make_unique<CheckedTarget>(*loop_, *this, *target, std::move(settings));
    made->seen_in = snapshots_;
    made->start();
  }
}

void CheckerThread::forget_others() {
  const auto has_gone = [&](const CheckedTarget& target) { return target.seen_in != snapshots_; };
  for (auto& queue : waiting_)
    std::erase_if(queue, [&](const CheckedTarget* target) { return has_gone(*target); });
  std::vector<std::unique_ptr<CheckedTarget>> gone;
  for (auto it = targets_.begin(); it != targets_.end();) {
    if (has_gone(*it->second)) {
      gone.push_back(std::move(it->second));
      it = targets_.erase(it);
    } else {
      ++it;
    }
  }
  const std::lock_guard lock(statuses_mutex_);
  for (const auto& target : gone) {
    const auto status =
        statuses_.find(std::tuple(target->settings().arn, target->id(), target->port()));
    if (status != statuses_.end()) statuses_.erase(status);
  }
}

void CheckerThread::on_check_due(CheckedTarget& target, bool counts) {
  const Waiting wish = counts ? Waiting::counting : Waiting::quick;
  if (target.waiting >= wish) return;
  if (target.waiting == Waiting::no && has_room(counts)) return begin(target, counts);
  target.waiting = wish;
  waiting_[counts ? 1 : 0].push_back(&target);
}

void CheckerThread::begin(CheckedTarget& target, bool counts) {
  ++under_way_[counts ? 1 : 0];
  target.begin_check(counts);
}

void CheckerThread::on_check_ended(CheckedTarget&, bool counts) {
  --under_way_[counts ? 1 : 0];
  begin_waiting();
}

// A check that cannot even begin ends at once and comes back here; the loop goes on where it was.
void CheckerThread::begin_waiting() {
  if (is_beginning_ || is_ending_) return;
  is_beginning_ = true;
  for (const bool counts : {true, false}) {
    auto& queue = waiting_[counts ? 1 : 0];
    while (!queue.empty() && has_room(counts)) {
      CheckedTarget& target = *queue.front();
      queue.pop_front();
      // It may have moved on to the other queue, or been here twice.
      if (target.waiting != (counts ? Waiting::counting : Waiting::quick)) continue;
      target.waiting = Waiting::no;
      begin(target, counts);
    }
  }
  is_beginning_ = false;
}

void CheckerThread::on_status(CheckedTarget& target, bool state_changed) {
  const GroupSettings& group = target.settings();
  {
    const std::lock_guard lock(statuses_mutex_);
    statuses_.insert_or_assign(Key(group.arn, target.id(), target.port()), target.status());
  }
  if (state_changed && options_.on_change)
    options_.on_change(group.arn, target.id(), target.port(), target.status());
}

Result<Fd> CheckerThread::make_socket(const CheckedTarget& target, int family) {
  const bool is_vpc = target.is_in_vpc() && options_.vpc_socket;
  auto socket = is_vpc ? options_.vpc_socket() : net::tcp_socket(family);
  if (!socket && !has_socket_trouble_)
    log::warn("health checks wait for sockets: {}", socket.error().message);
  has_socket_trouble_ = !socket;
  const auto& source = target.settings().source;
  if (socket && target.is_in_vpc() && source) net::set_source(socket->get(), *source);
  return socket;
}

}  // namespace

Result<std::unique_ptr<Checker>> Checker::start(Options options) {
  net::LoopOptions loop_options;
  loop_options.backend = options.backend;
  loop_options.buffer_bytes = receive_block_bytes;
  loop_options.receive_ring_blocks = receive_ring_blocks;
  auto loop = net::Loop::create(loop_options);
  if (!loop) return std::unexpected(loop.error());
  return std::make_unique<CheckerThread>(std::move(*loop), std::move(options));
}

}  // namespace weir::health
