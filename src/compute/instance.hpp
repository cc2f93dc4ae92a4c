// The life of instances in the holder: launch, watch, stop, terminate, adopt.
//
// Each call is straight-line code on a thread of its own; per instance one call at a time. What an
// instance has (process, namespace, mount, folder) is owned by one Instance object and taken down
// in one place, however its life ends: when its first process has ended.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "compute/compute.hpp"
#include "compute/layout.hpp"
#include "compute/network.hpp"
#include "compute/process.hpp"
#include "compute/runtime.hpp"

namespace weir::compute {

class Instances {
 public:
  struct Setting {
    const Layout* layout = nullptr;
    const Network* network = nullptr;
    const Runtime* runtime = nullptr;
    Children* children = nullptr;
    bool is_user_namespace = false;
    bool has_uid_range = true;
    // Runs a task on another thread; never fails, never blocks.
    std::function<void(std::function<void()>)> defer;
    // Called once for an instance that ended without having been asked to. Any thread.
    std::function<void(const std::string& id, int exit_status)> ended;
  };

  explicit Instances(Setting setting);
  ~Instances();

  // Returns the metadata service's listening socket. On failure nothing is left behind.
  Result<Fd> launch(const InstanceSpec& spec);
  Result<Fd> metadata_socket(const std::string& id);
  Status stop(const std::string& id, int grace_ms);
  Status terminate(const std::string& id);
  Status set_firewall(const std::string& id, const Firewall& firewall);
  Result<int> exec(const ExecRequest& request);
  [[nodiscard]] std::vector<RunningInstance> running();

  // At the holder's start: takes over what an earlier holder left running (root), or removes it
  // (rootless: its network went with the holder).
  void adopt();

  // An adopted instance is no child: its end shows at this descriptor. To be polled by the holder's
  // loop, which calls check_adopted() when one becomes readable.
  [[nodiscard]] std::vector<int> adopted_pidfds();
  void check_adopted();

 private:
  struct Instance;
  using InstancePtr = std::shared_ptr<Instance>;

  InstancePtr find(const std::string& id);
  Result<InstancePtr> find_running(const std::string& id);
  Status start(Instance& instance, const InstanceSpec& spec);
  Status prepare_network(Instance& instance, const InstanceSpec& spec);
  Status run(Instance& instance, const InstanceSpec& spec);
  void watch(const InstancePtr& instance, pid_t pid);
  void on_end(const InstancePtr& instance, int exit_status);
  Status end(const InstancePtr& instance, int signal, int grace_ms);
  void take_down(Instance& instance);
  void finish(const InstancePtr& instance);
  void adopt_one(const std::string& id);

  Setting setting_;
  std::mutex mutex_;
  std::map<std::string, InstancePtr> instances_;
  std::counting_semaphore<> start_slots_;
};

}  // namespace weir::compute
