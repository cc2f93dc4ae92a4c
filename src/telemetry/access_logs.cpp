#include "telemetry/access_logs.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string_view>

#include "base/log.hpp"
#include "telemetry/log_entry.hpp"
#include "telemetry/log_format.hpp"

namespace weir::telemetry {
namespace {

// How long a line waits at most; a ring must hold what comes in meanwhile.
constexpr auto drain_every = std::chrono::milliseconds(50);
constexpr std::size_t lines_bytes_max = 256 * 1024;

}  // namespace

AccessLogs::AccessLogs(std::string folder)
    : folder_(std::move(folder)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "weir-log");
}

AccessLogs::~AccessLogs() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  drain();
}

std::shared_ptr<LogRing> AccessLogs::add_worker() {
  const std::lock_guard lock(mutex_);
  return rings_.emplace_back(std::make_shared<LogRing>());
}

void AccessLogs::flush() {
  const std::lock_guard lock(mutex_);
  drain();
}

// A log that has gone stays until the next change, since its last lines may be on their way.
void AccessLogs::apply(const routing::Snapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  drain();
  std::set<std::string_view> wanted;
  for (const routing::LoadBalancer& balancer : snapshot.load_balancers) {
    if (!balancer.access_log) continue;
    wanted.insert(balancer.arn);
    const auto known = logs_.find(balancer.arn);
    if (known != logs_.end() && known->second.settings == *balancer.access_log) continue;
    std::string name(resource_of(balancer.arn));
    std::ranges::replace(name, '/', '.');
    const auto& settings = *balancer.access_log;
    logs_.insert_or_assign(balancer.arn, Log{settings,
                                             RotatingFile(folder_ + "/" + name + "/access.log",
                                                          settings.bytes_max, settings.keep),
                                             {},
                                             false});
  }
  std::erase_if(logs_, [&](const auto& each) { return !wanted.contains(each.first); });
  changed_.notify_all();
}

// Without a log nothing wakes the thread: an idle daemon uses no processor.
void AccessLogs::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !logs_.empty(); });
    changed_.wait_for(lock, drain_every, [this] { return is_stopping_; });
    if (is_stopping_) return;
    drain();
  }
}

void AccessLogs::drain() {
  for (const auto& ring : rings_) {
    while (ring->pop(record_)) {
      const LogEntry entry = unpack(record_);
      const auto found = logs_.find(entry.text(EntryText::load_balancer_arn));
      if (found == logs_.end()) continue;
      Log& log = found->second;
      if (log.settings.is_json) {
        append_json_line(log.lines, entry);
      } else {
        append_alb_line(log.lines, entry);
      }
      if (log.lines.size() >= lines_bytes_max) write(found->first, log);
    }
  }
  for (auto& [arn, log] : logs_) write(arn, log);
}

void AccessLogs::write(const std::string& name, Log& log) {
  if (log.lines.empty()) return;
  auto written = log.file.write(log.lines);
  if (!written && !log.has_failed)
    log::warn("the access log of {} loses lines: {}", name, written.error().message);
  log.has_failed = !written;
  log.lines.clear();
}

}  // namespace weir::telemetry
