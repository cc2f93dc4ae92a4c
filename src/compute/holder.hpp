// The holder's parts, put together: what is set up once, and the operations on it.
//
// Setting up goes from single-threaded (namespaces, signals, rights) to multi-threaded (reaper,
// requests). Everything that comes from a daemon passes validation here before it is acted upon.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "compute/compute.hpp"
#include "compute/executor.hpp"
#include "compute/instance.hpp"
#include "compute/layout.hpp"
#include "compute/network.hpp"
#include "compute/process.hpp"
#include "compute/protocol.hpp"
#include "compute/runtime.hpp"

namespace weir::compute {

class Holder {
 public:
  // An answer and the descriptors that go with it.
  struct Answer {
    Response response;
    std::vector<Fd> fds;
  };
  using ExitEvent = std::function<void(const std::string& id, int exit_status)>;

  // Everything up to the point where instances can be launched. `ended` may be called from then on.
  Status set_up(const Options& options, ExitEvent ended);

  // Executes one request; blocks as long as it takes. Any thread.
  Answer execute(const Request& request, std::vector<Fd> fds);

  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] Instances& instances() { return *instances_; }
  [[nodiscard]] Executor& executor() { return executor_; }
 private:
  Status take_lock();
  Status enter_namespaces(const Options& options);
  Status make_folders() const;
  void start_reaper();
  Status dispatch(const Request& request, std::vector<Fd>& fds, Answer& answer);
  Status ensure_vpc(const VpcSpec& spec);
  Status set_node_addresses(const std::vector<std::string>& addresses);
  Result<int> exec(const Request& request, const std::vector<Fd>& fds);
  bool release();
  void remove_foreign_files() const;

  Layout layout_;
  Fd lock_;
  Capabilities capabilities_;
  Children children_;
  Executor executor_;
  std::optional<Network> network_;
  std::optional<Runtime> runtime_;
  std::optional<Instances> instances_;

  std::mutex vpc_mutex_;
  std::optional<VpcSpec> vpc_;
  std::atomic<int> launches_open_ = 0;
  std::atomic<bool> is_closing_ = false;
};

// The sockets that the holder hands out.
inline constexpr int sockets_max = 64;

}  // namespace weir::compute
