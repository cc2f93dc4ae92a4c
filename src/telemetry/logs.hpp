// The logs of all load balancers (access, connection, health check): workers and the health checker
// put packed entries into rings, one thread takes them out, formats them and appends the lines
// where they belong: to <folder>/<app.name.id>/<kind>.log, to parts on their way into a bucket, or
// to both.
//
// A ring that is full drops the line and its writer counts it; a disk that fails costs lines, never
// requests.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "routing/snapshot.hpp"
#include "telemetry/deliverer.hpp"
#include "telemetry/entry.hpp"
#include "telemetry/log_ring.hpp"
#include "telemetry/part_file.hpp"
#include "telemetry/rotating_file.hpp"

namespace weir::telemetry {

class Logs {
 public:
  struct Options {
    std::string folder;   // of the files that are kept here
    std::string parts;    // of what is on its way into a bucket
    std::string buckets;  // each a folder in this one
    std::function<std::int64_t()> clock_us = wall_us;
  };

  explicit Logs(Options options);
  ~Logs();  // writes and delivers what has been put in
  Logs(const Logs&) = delete;
  Logs& operator=(const Logs&) = delete;

  // Any thread, all three. Before the workers serve by the snapshot.
  void apply(const routing::Snapshot& snapshot);
  // A ring for one thread that puts entries in.
  [[nodiscard]] std::shared_ptr<LogRing> add_writer();
  // Returns when all that has been put in is in its file, and what is due is delivered.
  void flush();

 private:
  struct Log {
    std::optional<routing::LogPolicy::File> file_policy;
    std::optional<RotatingFile> file;
    std::string lines;  // of one drain, for the file
    std::optional<routing::LogPolicy::Bucket> bucket_policy;
    std::unique_ptr<PartFiles> parts;
    bool has_failed = false;
    bool is_wanted = false;
  };
  using LogsByArn = std::map<std::string, Log, std::less<>>;

  void run();
  // All of these with mutex_.
  [[nodiscard]] bool has_logs() const;
  void use(LogKind kind, const std::string& arn, const routing::LogPolicy& policy);
  void use_bucket(LogKind kind, const std::string& arn, Log& log,
                  const std::optional<routing::LogPolicy::Bucket>& bucket);
  void drain();
  void take_record();
  template <typename AnEntry>
  void add(const AnEntry& entry);
  void write(const std::string& arn, Log& log);

  const Options options_;
  Deliverer deliverer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::vector<std::shared_ptr<LogRing>> rings_;
  std::array<LogsByArn, static_cast<std::size_t>(LogKind::count_)> logs_;
  std::string record_, line_;  // scratch
  std::thread thread_;
};

}  // namespace weir::telemetry
