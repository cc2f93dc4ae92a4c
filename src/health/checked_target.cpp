#include "health/checked_target.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/clock.hpp"
#include "health/check_log.hpp"

namespace weir::health {
namespace {

std::int64_t interval_ms(const GroupSettings& settings) {
  return std::int64_t{settings.check.interval_seconds} * 1000;
}

}  // namespace

CheckedTarget::CheckedTarget(net::Loop& loop, CheckedTargetOwner& owner,
                             const routing::Target& target,
                             std::shared_ptr<const GroupSettings> settings)
    : loop_(loop),
      owner_(owner),
      id_(target.id),
      port_(target.port),
      address_(target.address),
      is_in_vpc_(target.in_vpc),
      registered_at_ms_(target.registered_at_ms),
      cell_(target.health),
      settings_(std::move(settings)),
      health_(settings_->check.healthy_threshold, settings_->check.unhealthy_threshold),
      schedule_(loop.now_ms(), interval_ms(*settings_), std::hash<std::string>{}(id_) + port_),
      due_([](void* self) { static_cast<CheckedTarget*>(self)->on_due(); }, this),
      probe_(loop, *this) {
  owner_.on_quick_series(true);
}

CheckedTarget::~CheckedTarget() {
  stop_probe();
  if (schedule_.is_quick()) owner_.on_quick_series(false);
}

void CheckedTarget::start() {
  owner_.on_status(*this, false);
  on_due();
}

void CheckedTarget::update(const routing::Target& target,
                           std::shared_ptr<const GroupSettings> settings) {
  address_ = target.address;
  is_in_vpc_ = target.in_vpc;
  const bool has_other_interval = interval_ms(*settings) != interval_ms(*settings_);
  settings_ = std::move(settings);
  health_.set_thresholds(settings_->check.healthy_threshold, settings_->check.unhealthy_threshold);
  if (!has_other_interval) return;
  schedule_.set_interval(loop_.now_ms(), interval_ms(*settings_));
  arm();
}

// While the target has no verdict yet the quick series does the work; later a check that is not in
// the schedule counts like any other.
void CheckedTarget::check_now() {
  if (schedule_.is_quick()) {
    schedule_.restart_quick(loop_.now_ms());
    return on_due();
  }
  if (probe_.is_under_way()) return;
  owner_.on_check_due(*this, true);
}

void CheckedTarget::arm() {
  loop_.schedule(due_, std::max<std::int64_t>(0, schedule_.next().at_ms - loop_.now_ms()));
}

// A check may still be under way. A quick one that has not even connected is stuck (a SYN to an
// address that was not there yet is sent again only after a second), so it makes room for a new
// try; one that has connected only waits for its answer. A counting check takes the place of a
// quick one.
void CheckedTarget::on_due() {
  const bool counts = schedule_.next().counts;
  schedule_.advance(loop_.now_ms(), owner_.quick_step_ms_min());
  arm();
  const bool may_replace = !check_counts_ && (counts || !probe_.is_connected());
  if (probe_.is_under_way() && !may_replace) return;
  stop_probe();
  owner_.on_check_due(*this, counts);
}

void CheckedTarget::begin_check(bool counts) {
  check_counts_ = counts;
  check_begun_ns_ = monotonic_ns();
  settings_of_check_ = settings_;
  const std::uint16_t port = settings_->port != 0 ? settings_->port : port_;
  const auto to = net::Address::parse(address_, port);
  if (!to) return on_verdict(CheckResult::connection_failed, 0);
  auto socket = owner_.make_socket(*this, to->storage.ss_family);
  if (!socket) {  // our trouble, not the target's: tried again when next due
    owner_.on_result(*this, {check_begun_ns_, counts, 0, "InternalError"});
    return end_check();
  }
  probe_.begin(std::move(*socket), *to, check_request(settings_->check.path, address_, port),
               settings_->codes, std::int64_t{settings_->check.timeout_seconds} * 1000);
}

void CheckedTarget::stop_probe() {
  if (!probe_.is_under_way()) return;
  probe_.abort();
  end_check();
}

void CheckedTarget::end_check() {
  settings_of_check_.reset();
  owner_.on_check_ended(*this, check_counts_);
}

void CheckedTarget::settle() {
  if (!schedule_.is_quick()) return;
  schedule_.settle();
  owner_.on_quick_series(false);
  arm();
}

// Reference §4.3: only where another healthy target takes its full share already. Targets that were
// registered together with the first ones begin as these do; one that recovers always ramps.
bool CheckedTarget::begins_slowly() const {
  if (settings_->slow_start_ms == 0) return false;
  const std::int64_t now_ms = loop_.now_ms();
  return std::ranges::any_of(settings_->peers, [&](const GroupSettings::Peer& peer) {
    if (peer.cell == cell_ ||
        peer.cell->state.load(std::memory_order_relaxed) != routing::HealthState::healthy)
      return false;
    const std::int64_t from_ms = peer.cell->slow_start_from_ms.load(std::memory_order_relaxed);
    const bool is_ramping = from_ms != 0 && now_ms - from_ms < settings_->slow_start_ms;
    return !is_ramping && (has_failed_ || peer.registered_at_ms < registered_at_ms_);
  });
}

void CheckedTarget::publish_state() {
  const routing::HealthState state = health_.status().state;
  if (state == routing::HealthState::healthy) {
    const std::int64_t from_ms = begins_slowly() ? std::max<std::int64_t>(1, loop_.now_ms()) : 0;
    cell_->slow_start_from_ms.store(from_ms, std::memory_order_relaxed);
  } else if (state == routing::HealthState::unhealthy) {
    has_failed_ = true;
    cell_->slow_start_from_ms.store(0, std::memory_order_relaxed);
    cell_->failed_at_ms.store(wall_ms(), std::memory_order_relaxed);
  }
  cell_->state.store(state, std::memory_order_relaxed);
  settings_->health_epoch->fetch_add(1, std::memory_order_release);
}

// Readers find the new state in the cell once they see the raised epoch.
void CheckedTarget::on_verdict(CheckResult result, int code) {
  owner_.on_result(*this, {check_begun_ns_, check_counts_, code, reason_code(result, code)});
  const std::string description = health_.status().description;
  const bool state_changed = health_.record(result, code, check_counts_);
  if (state_changed) {
    publish_state();
    settle();
  }
  if (state_changed || description != health_.status().description)
    owner_.on_status(*this, state_changed);
  end_check();
}

}  // namespace weir::health
