#include "compute/instance.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/log.hpp"
#include "compute/bundle.hpp"
#include "compute/firewall.hpp"
#include "compute/image.hpp"
#include "compute/instance_files.hpp"
#include "compute/tree.hpp"

namespace weir::compute {
namespace {

// After SIGKILL a process ends within moments, or it hangs in the kernel.
constexpr std::chrono::seconds kill_patience{20};
constexpr int leftover_kill_ms = 5'000;

Result<Fd> duplicate(int fd) {
  Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail_errno("cannot duplicate a descriptor", errno);
  return copy;
}

bool is_known_to_runtime(const Layout& layout, const std::string& id) {
  std::error_code error;
  return std::filesystem::exists(layout.runtime_root() + "/" + id, error);
}

}  // namespace

struct Instances::Instance {
  std::string id;
  // Held while the instance is brought up or taken down, and while its firewall changes.
  std::mutex operation;

  std::mutex state;  // guards what follows
  std::condition_variable changed;
  Fd pidfd;
  pid_t pid = 0;
  bool is_running = false;
  bool is_adopted = false;
  bool is_end_wanted = false;
  bool is_gone = false;  // taken down
  int exit_status = -1;

  // Written by launch, adoption and take_down only, under `operation`.
  Fd network_namespace;
  Fd metadata;
  bool is_mounted = false;
};

Instances::Instances(Setting setting)
    : setting_(std::move(setting)),
      // Starting a runtime is CPU work: more at once than this only queue for the cores.
      start_slots_(
          static_cast<std::ptrdiff_t>(2 * std::max(1U, std::thread::hardware_concurrency()))) {}

Instances::~Instances() = default;

Instances::InstancePtr Instances::find(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = instances_.find(id);
  return found == instances_.end() ? nullptr : found->second;
}

Result<Instances::InstancePtr> Instances::find_running(const std::string& id) {
  InstancePtr instance = find(id);
  if (instance) {
    const std::scoped_lock operation(instance->operation);  // waits for a launch under way
    const std::scoped_lock lock(instance->state);
    if (instance->is_running) return instance;
  }
  return fail("IncorrectInstanceState", id + " is not running");
}

Result<Fd> Instances::launch(const InstanceSpec& spec) {
  const auto instance = std::make_shared<Instance>();
  instance->id = spec.id;
  const std::scoped_lock operation(instance->operation);
  {
    const std::scoped_lock lock(mutex_);
    if (!instances_.emplace(spec.id, instance).second) {
      return fail("IncorrectInstanceState", spec.id + " is running already");
    }
  }
  start_slots_.acquire();
  Status status = start(*instance, spec);
  start_slots_.release();
  Result<Fd> metadata =
      status ? duplicate(instance->metadata.get()) : std::unexpected(status.error());
  if (metadata) {
    watch(instance, instance->pid);
    return metadata;
  }
  take_down(*instance);
  if (spec.is_first_boot) {
    if (Status removed = remove_tree(setting_.layout->instances_dir(), spec.id); !removed) {
      log::warn("{}: {}", spec.id, removed.error().message);
    }
  }
  const std::scoped_lock lock(mutex_);
  instances_.erase(spec.id);
  return metadata;
}

Status Instances::start(Instance& instance, const InstanceSpec& spec) {
  BundleInput input;
  input.is_user_namespace = setting_.is_user_namespace;
  input.has_uid_range = setting_.has_uid_range;
  if (!setting_.is_user_namespace) input.cgroup = setting_.layout->cgroup() + "/" + spec.id;
  const bool has_way_out = !setting_.is_user_namespace;
  if (Status status = prepare_folder(*setting_.layout, spec, has_way_out, input); !status) {
    return status;
  }
  if (Status status = prepare_network(instance, spec); !status) return status;
  // Opened anew by the runtime, a child of this process, through this process's descriptor.
  input.network_namespace = "/proc/" + std::to_string(getpid()) + "/fd/" +
                            std::to_string(instance.network_namespace.get());
  if (Status status = write_bundle(spec, input); !status) return status;
  if (Status status = mount_root(*setting_.layout, spec, setting_.is_user_namespace); !status) {
    return status;
  }
  instance.is_mounted = true;
  return run(instance, spec);
}

Status Instances::prepare_network(Instance& instance, const InstanceSpec& spec) {
  auto space = setting_.network->make_instance_namespace(spec);
  if (!space) return std::unexpected(space.error());
  instance.network_namespace = std::move(*space);
  const int fd = instance.network_namespace.get();
  if (Status status = setting_.network->apply_ruleset(fd, render_firewall(spec.firewall));
      !status) {
    return status;
  }
  auto listener = setting_.network->listen_for_metadata(fd);
  if (!listener) return std::unexpected(listener.error());
  instance.metadata = std::move(*listener);
  return {};
}

Status Instances::run(Instance& instance, const InstanceSpec& spec) {
  const auto console = open_console(*setting_.layout, spec.id);
  if (!console) return std::unexpected(console.error());
  const auto status_log = open_status(*setting_.layout, spec.id, spec.is_first_boot);
  if (!status_log) return std::unexpected(status_log.error());
  const auto pid = setting_.runtime->run(spec.id, console->get(), status_log->get());
  if (!pid) return std::unexpected(pid.error());
  const auto identity = identify(*pid);
  if (!identity) {
    return fail("RuntimeFailed", "the first process of " + spec.id + " ended at once",
                "weir logs " + spec.id + " may tell why");
  }
  if (Status status = write_record(*setting_.layout, spec.id, *identity); !status) return status;
  auto pidfd = open_process(*identity);
  if (!pidfd) return fail("RuntimeFailed", "the first process of " + spec.id + " ended at once");
  const std::scoped_lock lock(instance.state);
  instance.pid = *pid;
  instance.pidfd = std::move(*pidfd);
  instance.is_running = true;
  return {};
}

void Instances::watch(const InstancePtr& instance, pid_t pid) {
  setting_.children->watch(pid,
                           [this, instance](int exit_status) { on_end(instance, exit_status); });
}

void Instances::on_end(const InstancePtr& instance, int exit_status) {
  {
    const std::scoped_lock lock(instance->state);
    if (!instance->is_running) return;
    instance->is_running = false;
    instance->exit_status = exit_status;
  }
  setting_.defer([this, instance] { finish(instance); });
}

// The one place where an instance that has run is taken down.
void Instances::finish(const InstancePtr& instance) {
  {
    const std::scoped_lock operation(instance->operation);
    take_down(*instance);
  }
  {
    const std::scoped_lock lock(mutex_);
    instances_.erase(instance->id);
  }
  bool is_end_wanted = false;
  {
    const std::scoped_lock lock(instance->state);
    instance->is_gone = true;
    is_end_wanted = instance->is_end_wanted;
    instance->changed.notify_all();
  }
  if (!is_end_wanted) setting_.ended(instance->id, instance->exit_status);
}

// Also after a launch that failed half-way: whatever exists goes.
void Instances::take_down(Instance& instance) {
  const Layout& layout = *setting_.layout;
  if (instance.pidfd) {
    signal_process(instance.pidfd.get(), SIGKILL);
    if (!wait_for_end(instance.pidfd.get(), leftover_kill_ms)) {
      log::error("{}: its first process does not end", instance.id);
    }
  }
  if (is_known_to_runtime(layout, instance.id)) {
    if (Status status = setting_.runtime->remove(instance.id); !status) {
      log::warn("{}", status.error().message);
    }
  }
  if (instance.is_mounted) unmount_root(layout, instance.id);
  instance.is_mounted = false;
  remove_record(layout, instance.id);
  instance.metadata.reset();
  instance.network_namespace.reset();
}

Result<Fd> Instances::metadata_socket(const std::string& id) {
  const auto instance = find_running(id);
  if (!instance) return std::unexpected(instance.error());
  const std::scoped_lock operation((*instance)->operation);
  if (!(*instance)->metadata) return fail("IncorrectInstanceState", id + " is not running");
  return duplicate((*instance)->metadata.get());
}

Status Instances::set_firewall(const std::string& id, const Firewall& firewall) {
  const auto instance = find_running(id);
  if (!instance) return std::unexpected(instance.error());
  const std::scoped_lock operation((*instance)->operation);
  if (!(*instance)->network_namespace) {
    return fail("IncorrectInstanceState", id + " is not running");
  }
  return setting_.network->apply_ruleset((*instance)->network_namespace.get(),
                                         render_firewall(firewall));
}

Result<int> Instances::exec(const ExecRequest& request) {
  const auto instance = find_running(request.id);
  if (!instance) return std::unexpected(instance.error());
  return setting_.runtime->exec(request);
}

Status Instances::end(const InstancePtr& instance, int signal, int grace_ms) {
  std::unique_lock lock(instance->state);
  instance->is_end_wanted = true;
  const auto gone = [&] { return instance->is_gone; };
  if (instance->is_running) signal_process(instance->pidfd.get(), signal);
  if (instance->changed.wait_for(lock, std::chrono::milliseconds(grace_ms), gone)) return {};
  if (instance->is_running) signal_process(instance->pidfd.get(), SIGKILL);
  if (instance->changed.wait_for(lock, kill_patience, gone)) return {};
  return fail("RuntimeFailed", instance->id + " does not end, even when killed",
              "one of its processes hangs in the kernel: see dmesg");
}

Status Instances::stop(const std::string& id, int grace_ms) {
  const auto instance = find_running(id);
  if (!instance) return {};  // it has ended already
  return end(*instance, SIGTERM, grace_ms);
}

Status Instances::terminate(const std::string& id) {
  if (const auto instance = find_running(id)) {
    if (Status status = end(*instance, SIGKILL, 0); !status) return status;
  }
  return remove_tree(setting_.layout->instances_dir(), id);
}

std::vector<RunningInstance> Instances::running() {
  std::vector<InstancePtr> all;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, instance] : instances_) all.push_back(instance);
  }
  std::vector<RunningInstance> list;
  for (const InstancePtr& instance : all) {
    const std::scoped_lock lock(instance->state);
    if (instance->is_running) list.push_back({instance->id, instance->pid, "running"});
  }
  return list;
}

void Instances::adopt() {
  for (const std::string& id : list_folders(*setting_.layout)) adopt_one(id);
}

void Instances::adopt_one(const std::string& id) {
  const Layout& layout = *setting_.layout;
  const auto record = read_record(layout, id);
  auto pidfd = record ? open_process(*record) : std::nullopt;
  const auto instance = std::make_shared<Instance>();
  instance->id = id;
  if (!pidfd || setting_.is_user_namespace) {
    if (!pidfd && !is_known_to_runtime(layout, id)) return;
    log::info("{}: removing what is left of it", id);
    if (pidfd) instance->pidfd = std::move(*pidfd);
    take_down(*instance);
    return;
  }
  instance->pid = record->pid;
  instance->pidfd = std::move(*pidfd);
  instance->is_adopted = true;
  instance->is_running = true;
  const std::string path = "/proc/" + std::to_string(record->pid) + "/ns/net";
  instance->network_namespace = Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto listener = setting_.network->listen_for_metadata(instance->network_namespace.get());
  if (listener) {
    instance->metadata = std::move(*listener);
  } else {
    log::error("{}: adopted without metadata service: {}", id, listener.error().message);
  }
  log::info("{}: adopted, process {}", id, record->pid);
  const std::scoped_lock lock(mutex_);
  instances_.emplace(id, instance);
}

std::vector<int> Instances::adopted_pidfds() {
  const std::scoped_lock lock(mutex_);
  std::vector<int> pidfds;
  for (const auto& [id, instance] : instances_) {
    const std::scoped_lock state(instance->state);
    if (instance->is_adopted && instance->is_running) pidfds.push_back(instance->pidfd.get());
  }
  return pidfds;
}

void Instances::check_adopted() {
  std::vector<InstancePtr> ended;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, instance] : instances_) {
      const std::scoped_lock state(instance->state);
      if (instance->is_adopted && instance->is_running && wait_for_end(instance->pidfd.get(), 0)) {
        ended.push_back(instance);
      }
    }
  }
  for (const InstancePtr& instance : ended) on_end(instance, -1);
}

}  // namespace weir::compute
