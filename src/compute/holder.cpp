#include "compute/holder.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/log.hpp"
#include "compute/firewall.hpp"
#include "compute/host_forwarding.hpp"
#include "compute/image.hpp"
#include "compute/instance_files.hpp"
#include "compute/ipv4.hpp"
#include "compute/tree.hpp"
#include "compute/user_namespace.hpp"
#include "compute/validate.hpp"

namespace weir::compute {
namespace {

// How long a new holder waits for one that is about to end.
constexpr std::chrono::seconds lock_patience{5};
constexpr std::size_t exec_words_max = 1'000;
constexpr int grace_ms_max = 600'000;

void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void set_signals() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);  // inherited by all threads; the reaper waits for it
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
}

// Runtimes make one folder a controller and leave the common parent; removing an empty one is all
// that Weir ever does to cgroups itself.
void remove_empty_cgroups(const std::string& cgroup) {
  namespace fs = std::filesystem;
  std::error_code error;
  rmdir(("/sys/fs/cgroup" + cgroup).c_str());
  for (const auto& controller : fs::directory_iterator("/sys/fs/cgroup", error)) {
    if (controller.is_symlink(error)) continue;
    rmdir((controller.path().string() + cgroup).c_str());
  }
}

Result<std::vector<Fd>> make_sockets(int count) {
  if (count < 1 || count > sockets_max) {
    return fail("InvalidParameterValue", "1 to 64 sockets can be made at once");
  }
  std::vector<Fd> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!sockets.back()) return fail_errno("cannot make a socket", errno);
  }
  return sockets;
}

}  // namespace

Status Holder::take_lock() {
  lock_ = Fd(open(layout_.lock_file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) return fail_errno("cannot open " + layout_.lock_file(), errno);
  const auto deadline = std::chrono::steady_clock::now() + lock_patience;
  while (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail("HolderFailed", "another holder of " + layout_.state_dir + " does not answer",
                  "its process id is in " + layout_.lock_file() + ": end it and start again");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(lock_.get(), 0) != 0 || write(lock_.get(), pid.data(), pid.size()) < 0) {
    return fail_errno("cannot write " + layout_.lock_file(), errno);
  }
  return {};
}

Status Holder::enter_namespaces(const Options& options) {
  capabilities_.rootless = options.rootless || geteuid() != 0;
  if (!capabilities_.rootless) {
    capabilities_.limits_enforced = true;
    return enter_mount_namespace();
  }
  const auto entered = enter_user_namespace();
  if (!entered) return std::unexpected(entered.error());
  capabilities_.has_uid_range = entered->has_uid_range;
  capabilities_.limits_reason =
      "vCPU, memory, process and disk limits are not enforced: rootless, without delegated cgroups";
  if (!entered->has_uid_range) {
    capabilities_.limits_reason += "; instances have no user but root: " + entered->reason;
  }
  return {};
}

Status Holder::make_folders() const {
  std::error_code error;
  for (const std::string& folder :
       {layout_.runtime_root(), layout_.boot_dir(), layout_.instances_dir()}) {
    std::filesystem::create_directories(folder, error);
    if (error) return fail("HolderFailed", "cannot make " + folder + ": " + error.message());
  }
  return {};
}

void Holder::start_reaper() {
  std::thread([this] {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (true) {
      children_.reap();
      int number = 0;
      sigwait(&child, &number);
    }
  }).detach();
}

Status Holder::set_up(const Options& options, ExitEvent ended) {
  auto layout = Layout::of(options.state_dir);
  if (!layout) return std::unexpected(layout.error());
  layout_ = std::move(*layout);
  umask(022);
  set_signals();
  raise_open_files_limit();
  if (Status status = take_lock(); !status) return status;
  if (chdir("/") != 0) return fail_errno("cannot enter /", errno);
  if (Status status = enter_namespaces(options); !status) return status;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (Status status = make_folders(); !status) return status;

  auto network = Network::open(layout_.bridge());
  if (!network) return std::unexpected(network.error());
  network_ = std::move(*network);
  if (capabilities_.rootless) {
    if (Status status = network_->bring_up_loopback(); !status) return status;
  }
  start_reaper();
  auto runtime = Runtime::probe(options.runtime, layout_, children_);
  if (!runtime) return std::unexpected(runtime.error());
  runtime_ = std::move(*runtime);
  capabilities_.runtime_version = runtime_->version();
  if (Status status = write_boot_files(layout_.boot_dir()); !status) return status;

  instances_.emplace(Instances::Setting{
      .layout = &layout_,
      .network = &*network_,
      .runtime = &*runtime_,
      .children = &children_,
      .is_user_namespace = capabilities_.rootless,
      .has_uid_range = capabilities_.has_uid_range,
      .defer = [this](std::function<void()> task) { executor_.submit(std::move(task)); },
      .ended = std::move(ended)});
  instances_->adopt();
  return {};
}

Holder::Answer Holder::execute(const Request& request, std::vector<Fd> fds) {
  Answer answer;
  answer.response.id = request.id;
  if (Status status = dispatch(request, fds, answer); !status) {
    answer.response.error = status.error();
    answer.fds.clear();
  }
  return answer;
}

namespace {

// Puts the one descriptor of a result into an answer.
Status put(Result<Fd> result, Holder::Answer& answer) {
  if (!result) return std::unexpected(result.error());
  answer.fds.push_back(std::move(*result));
  return {};
}

}  // namespace

Status Holder::dispatch(const Request& request, std::vector<Fd>& fds, Answer& answer) {
  switch (request.operation) {
    case Operation::ensure_vpc:
      return ensure_vpc(request.vpc);
    case Operation::set_node_addresses:
      return set_node_addresses(request.words);
    case Operation::clashes: {
      if (!parse_ipv4_cidr(request.cidr)) {
        return fail("InvalidParameterValue", "not a valid CIDR of a VPC");
      }
      if (capabilities_.rootless) return {};  // the VPC has a network of its own
      const auto found = network_->clashes(request.cidr);
      if (!found) return std::unexpected(found.error());
      answer.response.flag = *found;
      return {};
    }
    case Operation::launch: {
      if (Status status = validate(request.spec); !status) return status;
      // Counted before the check, as release() closes before it counts: one of the two sees the
      // other.
      launches_open_.fetch_add(1);
      Status status = is_closing_ ? fail("HolderFailed", "the holder is about to end")
                                  : put(instances_->launch(request.spec), answer);
      launches_open_.fetch_sub(1);
      return status;
    }
    case Operation::running:
      answer.response.running = instances_->running();
      return {};
    case Operation::sockets: {
      auto sockets = make_sockets(request.number);
      if (!sockets) return std::unexpected(sockets.error());
      answer.fds = std::move(*sockets);
      return {};
    }
    case Operation::release:
      answer.response.flag = release();
      return {};
    case Operation::metadata_socket:
    case Operation::stop:
    case Operation::terminate:
    case Operation::set_firewall:
    case Operation::exec:
      break;
  }
  if (Status status = validate_instance_id(request.instance); !status) return status;
  switch (request.operation) {
    case Operation::metadata_socket:
      return put(instances_->metadata_socket(request.instance), answer);
    case Operation::stop:
      return instances_->stop(request.instance, std::clamp(request.number, 0, grace_ms_max));
    case Operation::terminate:
      return instances_->terminate(request.instance);
    case Operation::set_firewall:
      if (Status status = validate(request.firewall); !status) return status;
      return instances_->set_firewall(request.instance, request.firewall);
    default: {
      const auto exit_status = exec(request, fds);
      if (!exit_status) return std::unexpected(exit_status.error());
      answer.response.number = *exit_status;
      return {};
    }
  }
}

Status Holder::ensure_vpc(const VpcSpec& spec) {
  if (Status status = validate(spec); !status) return status;
  const std::scoped_lock lock(vpc_mutex_);
  if (Status status = network_->ensure_bridge(spec); !status) return status;
  vpc_ = spec;
  if (capabilities_.rootless) return {};
  if (auto output = run_nft(render_host_table(layout_.host_table(), layout_.bridge(), spec.cidr));
      !output) {
    return std::unexpected(output.error());
  }
  enable_forwarding();
  return accept_forwarding(layout_.bridge());
}

Status Holder::set_node_addresses(const std::vector<std::string>& addresses) {
  if (addresses.size() > node_addresses_max) {
    return fail("InvalidParameterValue", "too many load balancer addresses");
  }
  const std::scoped_lock lock(vpc_mutex_);
  if (!vpc_) return fail("IncorrectState", "the VPC has not been made yet");
  const Ipv4Range range = parse_ipv4_cidr(vpc_->cidr)->range();
  for (const std::string& text : addresses) {
    const auto address = parse_ipv4(text);
    if (!address || !range.contains(*address)) {
      return fail("InvalidParameterValue",
                  "a load balancer's address must lie in the VPC's range " + vpc_->cidr);
    }
  }
  return network_->set_node_addresses(addresses, *vpc_);
}

Result<int> Holder::exec(const Request& request, const std::vector<Fd>& fds) {
  ExecRequest command{.id = request.instance, .argv = request.words, .terminal = request.terminal};
  const std::size_t standard = command.stdio.size();
  if (fds.size() != standard && fds.size() != standard + 1) {
    return fail("InvalidParameterValue", "a command needs its three standard descriptors");
  }
  if (request.words.empty() || request.words.size() > exec_words_max) {
    return fail("InvalidParameterValue", "a command has 1 to 1000 words");
  }
  const auto holds_zero = [](const std::string& word) {
    return word.find('\0') != std::string::npos;
  };
  if (std::ranges::any_of(request.words, holds_zero)) {
    return fail("InvalidParameterValue", "a command's words must not hold a zero byte");
  }
  for (std::size_t i = 0; i < standard; ++i) command.stdio[i] = fds[i].get();
  if (fds.size() > standard) command.control = fds.back().get();
  return instances_->exec(command);
}

// "Remove the folder and Weir is new" must hold for an ordinary user as well, who cannot remove
// files of the ids that exist in the user namespace only. The built-in image is made again when it
// is needed; instances that are only stopped keep it, and their own files.
void Holder::remove_foreign_files() const {
  if (!list_folders(layout_).empty()) return;
  const std::string images = layout_.state_dir + "/images";
  if (Status status = remove_tree(images, std::string(builtin_image_id)); !status) {
    log::warn("{}", status.error().message);
  }
}

// Takes everything down that outlives this process, if no instance needs it.
bool Holder::release() {
  is_closing_ = true;
  if (launches_open_ > 0 || !instances_->running().empty()) {
    is_closing_ = false;
    return false;
  }
  const std::scoped_lock lock(vpc_mutex_);
  if (!capabilities_.rootless) {
    if (Status status = network_->remove_bridge(); !status) {
      log::warn("{}", status.error().message);
    }
    const std::string table = layout_.host_table();
    if (auto output = run_nft("add table inet " + table + "; delete table inet " + table + ";");
        !output) {
      log::warn("{}", output.error().message);
    }
    if (Status status = withdraw_forwarding(layout_.bridge()); !status) {
      log::warn("{}", status.error().message);
    }
    remove_empty_cgroups(layout_.cgroup());
  }
  if (capabilities_.rootless) remove_foreign_files();
  unlink((layout_.state_dir + "/" + holder_socket_name).c_str());
  return true;
}

}  // namespace weir::compute
