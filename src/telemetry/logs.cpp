#include "telemetry/logs.hpp"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "telemetry/connection_line.hpp"
#include "telemetry/health_check_line.hpp"
#include "telemetry/log_entry.hpp"
#include "telemetry/log_format.hpp"
#include "telemetry/log_text.hpp"
#include "telemetry/object_names.hpp"

namespace weir::telemetry {
namespace {

// How long a line waits at most; a ring must hold what comes in meanwhile.
constexpr auto drain_every = std::chrono::milliseconds(50);
constexpr std::size_t lines_bytes_max = 256 * 1024;

constexpr std::array kinds{LogKind::access, LogKind::connection, LogKind::health_check};

void append_line(std::string& out, const LogEntry& entry) { append_alb_line(out, entry); }

}  // namespace

Logs::Logs(Options options)
    : options_(std::move(options)),
      deliverer_(options_.parts, options_.buckets),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "weir-log");
}

Logs::~Logs() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  drain();
}

std::shared_ptr<LogRing> Logs::add_writer() {
  const std::lock_guard lock(mutex_);
  return rings_.emplace_back(std::make_shared<LogRing>());
}

void Logs::flush() {
  {
    const std::lock_guard lock(mutex_);
    drain();
  }
  deliverer_.flush();
}

// A log that is new takes what is in the rings already: checks of its targets may have begun. One
// that is no longer wanted takes it for the last time: what ends after the change is not logged.
void Logs::apply(const routing::Snapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  for (auto& logs : logs_)
    for (auto& [arn, log] : logs) log.is_wanted = false;
  for (const routing::LoadBalancer& balancer : snapshot.load_balancers) {
    for (const LogKind kind : kinds) use(kind, balancer.arn, balancer.logs[kind]);
  }
  drain();
  for (auto& logs : logs_)
    std::erase_if(logs, [](const auto& each) { return !each.second.is_wanted; });
  changed_.notify_all();
}

void Logs::use(LogKind kind, const std::string& arn, const routing::LogPolicy& policy) {
  if (!policy.is_on()) return;
  Log& log = logs_[static_cast<std::size_t>(kind)][arn];
  log.is_wanted = true;
  if (log.file_policy != policy.file) {
    write(arn, log);
    log.file.reset();
    log.file_policy = policy.file;
    std::string folder(resource_of(arn));
    std::ranges::replace(folder, '/', '.');
    if (policy.file)
      log.file.emplace(fmt::format("{}/{}/{}", options_.folder, folder, file_name_of(kind)),
                       policy.file->bytes_max, policy.file->keep);
  }
  if (log.bucket_policy != policy.bucket) use_bucket(kind, arn, log, policy.bucket);
}

void Logs::use_bucket(LogKind kind, const std::string& arn, Log& log,
                      const std::optional<routing::LogPolicy::Bucket>& bucket) {
  write(arn, log);
  log.parts.reset();
  log.bucket_policy = bucket;
  if (!bucket) return;
  auto names = ObjectNames::of(arn, kind, *bucket);
  if (!names) return;
  const std::string note = fmt::format("Enabled: {} of {} at {}\n", file_name_of(kind),
                                       resource_of(arn), iso8601_us(options_.clock_us()));
  if (auto put = deliverer_.put(names->test_object(), note); !put)
    log::warn("the bucket '{}' cannot be written: {}", bucket->name, put.error().message);
  log.parts = std::make_unique<PartFiles>(options_.parts, std::move(*names), deliverer_);
}

bool Logs::has_logs() const {
  return std::ranges::any_of(logs_, [](const LogsByArn& logs) { return !logs.empty(); });
}

// Without a log nothing wakes the thread: an idle daemon uses no processor.
void Logs::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || has_logs(); });
    changed_.wait_for(lock, drain_every, [this] { return is_stopping_; });
    if (is_stopping_) return;
    drain();
  }
}

void Logs::drain() {
  for (const auto& ring : rings_) {
    while (ring->pop(record_)) take_record();
  }
  for (auto& logs : logs_)
    for (auto& [arn, log] : logs) write(arn, log);
}

void Logs::take_record() {
  switch (kind_of(record_)) {
    case LogKind::access:
      return add(unpack<LogEntry>(record_));
    case LogKind::connection:
      return add(unpack<ConnectionEntry>(record_));
    case LogKind::health_check:
      return add(unpack<HealthCheckEntry>(record_));
    case LogKind::count_:
      break;
  }
}

template <typename AnEntry>
void Logs::add(const AnEntry& entry) {
  using Which = typename AnEntry::Text;
  LogsByArn& logs = logs_[static_cast<std::size_t>(AnEntry::kind)];
  const auto found = logs.find(entry.text(Which::load_balancer_arn));
  if (found == logs.end()) return;
  Log& log = found->second;
  bool wants_line = true;
  if constexpr (AnEntry::kind == LogKind::access) {
    const bool is_json = log.file_policy && log.file_policy->is_json;
    if (is_json) append_json_line(log.lines, entry);
    wants_line = !is_json;
  }
  if (wants_line || log.parts) {
    line_.clear();
    append_line(line_, entry);
  }
  if (wants_line && log.file) log.lines += line_;
  if (log.parts) log.parts->add(entry.text(Which::node_ip), line_);
  const std::size_t kept = log.lines.size() + (log.parts ? log.parts->bytes_kept() : 0);
  if (kept >= lines_bytes_max) write(found->first, log);
}

void Logs::write(const std::string& arn, Log& log) {
  const bool has_lines = !log.lines.empty() || (log.parts && log.parts->bytes_kept() > 0);
  Status written;
  if (log.file && !log.lines.empty()) written = log.file->write(log.lines);
  log.lines.clear();
  if (log.parts) {
    auto appended = log.parts->write(options_.clock_us());
    if (written) written = std::move(appended);
  }
  if (!written && !log.has_failed)
    log::warn("a log of {} loses lines: {}", arn, written.error().message);
  if (has_lines) log.has_failed = !written;
}

}  // namespace weir::telemetry
