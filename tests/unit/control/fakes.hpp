// Stand-ins for what control stands on, so that its logic can be driven into every corner: a store
// in memory that can refuse, a compute that starts nothing and can be held up, a data plane that
// says what the test told it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "compute/compute.hpp"
#include "control/elb.hpp"
#include "control/registry.hpp"
#include "store/store.hpp"

namespace weir::control {

// Shared by the stores of one test, as a file would be.
struct Disk {
  std::map<std::pair<std::string, std::string>, std::string> records;
  std::uint64_t revision = 0;
  int commits_until_full = -1;  // -1: never
};

class MemoryStore final : public store::Store {
 public:
  explicit MemoryStore(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}

  Result<std::vector<store::Record>> load() override {
    std::vector<store::Record> out;
    for (const auto& [where, body] : disk_->records) {
      out.push_back({where.first, where.second, body});
    }
    return out;
  }
  Result<std::uint64_t> commit(std::span<const store::Change> changes) override {
    if (disk_->commits_until_full == 0) return fail("StoreFull", "no space left");
    if (disk_->commits_until_full > 0) --disk_->commits_until_full;
    for (const store::Change& change : changes) {
      if (change.body) {
        disk_->records[{change.kind, change.key}] = *change.body;
      } else {
        disk_->records.erase({change.kind, change.key});
      }
    }
    return ++disk_->revision;
  }
  std::uint64_t revision() const override { return disk_->revision; }
  void watch(Watcher) override {}

 private:
  std::shared_ptr<Disk> disk_;
};

inline std::unique_ptr<Registry> open_registry(const std::shared_ptr<Disk>& disk) {
  auto registry = Registry::open(std::make_unique<MemoryStore>(disk));
  return registry ? std::move(*registry) : nullptr;
}

inline State copy_of(const Registry& registry) {
  State out;
  registry.read([&](const State& state) { out = state; });
  return out;
}

class FakeCompute final : public compute::Compute {
 public:
  const compute::Capabilities& capabilities() const override { return capabilities_; }
  Result<bool> clashes(const std::string& cidr) override {
    const std::lock_guard lock(mutex_);
    return taken_ranges_.contains(cidr);
  }
  Status ensure_vpc(const compute::VpcSpec& spec) override {
    const std::lock_guard lock(mutex_);
    vpc_ = spec;
    return {};
  }
  Status set_node_addresses(const std::vector<std::string>& addresses) override {
    const std::lock_guard lock(mutex_);
    if (nodes_error_) return std::unexpected(*nodes_error_);
    nodes_ = addresses;
    changed_.notify_all();
    return {};
  }
  Result<Fd> launch(const compute::InstanceSpec& spec) override {
    std::unique_lock lock(mutex_);
    launched_.push_back(spec);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_held_; });
    if (launch_error_) return std::unexpected(*launch_error_);
    running_.insert(spec.id);
    firewalls_[spec.id] = spec.firewall;
    return listener();
  }
  Result<Fd> metadata_socket(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    metadata_asked_.insert(id);
    return listener();
  }
  Status stop(const std::string& id, int) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back("stop " + id);
    if (stop_error_) return std::unexpected(*stop_error_);
    running_.erase(id);
    return {};
  }
  Status terminate(const std::string& id) override {
    const std::lock_guard lock(mutex_);
    calls_.push_back("terminate " + id);
    if (stop_error_) return std::unexpected(*stop_error_);
    running_.erase(id);
    return {};
  }
  Status set_firewall(const std::string& id, const compute::Firewall& firewall) override {
    const std::lock_guard lock(mutex_);
    firewalls_[id] = firewall;
    ++firewalls_set_;
    changed_.notify_all();
    return {};
  }
  Result<std::vector<compute::RunningInstance>> running() override {
    const std::lock_guard lock(mutex_);
    std::vector<compute::RunningInstance> out;
    for (const std::string& id : running_) out.push_back({id, 1, "running"});
    return out;
  }
  Result<compute::UserDataStatus> user_data_status(const std::string&) override {
    return compute::UserDataStatus{};
  }
  Result<std::string> console_output(const std::string&, std::size_t) override {
    return std::string();
  }
  Result<int> exec(const compute::ExecRequest&) override { return 0; }
  Result<std::vector<Fd>> sockets(int) override { return std::vector<Fd>(); }
  bool needs_vpc_sockets() const override { return false; }
  void on_exit(ExitHandler handler) override { exit_handler_ = std::move(handler); }
  void release_holder() override {}

  // ---- what tests do with it
  void hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    changed_.notify_all();
  }
  void die(const std::string& id, int exit_status) {
    {
      const std::lock_guard lock(mutex_);
      running_.erase(id);
    }
    exit_handler_(id, exit_status);
  }
  void report_exit(const std::string& id, int exit_status) { exit_handler_(id, exit_status); }
  void add_running(const std::string& id) {
    const std::lock_guard lock(mutex_);
    running_.insert(id);
  }
  void fail_launches(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    launch_error_ = std::move(error);
  }
  void fail_stops(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    stop_error_ = std::move(error);
  }
  void fail_nodes(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    nodes_error_ = std::move(error);
  }
  void take_range(const std::string& cidr) {
    const std::lock_guard lock(mutex_);
    taken_ranges_.insert(cidr);
  }
  // Waits (at most ten seconds) until `condition`, which sees this under the lock, holds.
  template <typename Condition>
  bool wait_until(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return condition(*this); });
  }
  template <typename Reader>
  auto look(Reader reader) {
    const std::lock_guard lock(mutex_);
    return reader(*this);
  }

  // Read inside wait_until and look.
  std::vector<compute::InstanceSpec> launched_;
  std::vector<std::string> calls_;
  std::set<std::string> running_, metadata_asked_, taken_ranges_;
  std::map<std::string, compute::Firewall> firewalls_;
  int firewalls_set_ = 0;
  std::vector<std::string> nodes_;
  compute::VpcSpec vpc_;

 private:
  static Fd listener() {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd.get(), 8) != 0) {
      return {};
    }
    return fd;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  compute::Capabilities capabilities_;
  ExitHandler exit_handler_;
  bool is_held_ = false;
  std::optional<Error> launch_error_, stop_error_, nodes_error_;
};

class FakeDataPlane final : public DataPlane {
 public:
  TargetHealth health(const TargetKey& key) const override {
    const auto found = healths.find(key);
    return found == healths.end() ? TargetHealth{} : found->second;
  }
  Result<std::uint16_t> open_port(std::uint16_t port) override {
    opened.push_back(port);
    if (taken.contains(port)) return fail("PortInUse", "ports 80 and 8080 are in use");
    return static_cast<std::uint16_t>(port + offset);
  }

  std::map<TargetKey, TargetHealth> healths;
  std::set<std::uint16_t> taken;
  std::vector<std::uint16_t> opened;
  std::uint16_t offset = 0;
};

}  // namespace weir::control
