// The access logs of all load balancers: workers put packed entries into rings, one thread takes
// them out, formats them and appends to <folder>/<app.name.id>/access.log.
//
// A ring that is full drops the line and the worker counts it; a disk that fails costs lines, never
// requests.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "routing/snapshot.hpp"
#include "telemetry/log_ring.hpp"
#include "telemetry/rotating_file.hpp"

namespace weir::telemetry {

class AccessLogs {
 public:
  explicit AccessLogs(std::string folder);
  ~AccessLogs();  // writes what has been put in
  AccessLogs(const AccessLogs&) = delete;
  AccessLogs& operator=(const AccessLogs&) = delete;

  // Any thread, all three. Before the workers serve by the snapshot.
  void apply(const routing::Snapshot& snapshot);
  [[nodiscard]] std::shared_ptr<LogRing> add_worker();
  // Returns when all that has been put in is in its file.
  void flush();

 private:
  struct Log {
    routing::LoadBalancer::AccessLog settings;
    RotatingFile file;
    std::string lines;  // of one drain
    bool has_failed = false;
  };

  void run();
  void drain();  // with mutex_
  void write(const std::string& name, Log& log);

  const std::string folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::vector<std::shared_ptr<LogRing>> rings_;
  std::map<std::string, Log, std::less<>> logs_;  // by ARN
  std::string record_;
  std::thread thread_;
};

}  // namespace weir::telemetry
