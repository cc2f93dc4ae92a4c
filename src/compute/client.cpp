// Compute as the daemon has it: every call is a request to the holder. What an instance has written
// into files (console, status lines) is read here directly: the files lie in the state folder, out
// of the instance's reach, and reading them needs no privilege.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <optional>

#include "base/log.hpp"
#include "compute/boot/protocol.hpp"
#include "compute/compute.hpp"
#include "compute/connection.hpp"
#include "compute/endpoint.hpp"
#include "compute/layout.hpp"
#include "compute/process.hpp"
#include "compute/validate.hpp"
#include "compute/wire.hpp"

namespace weir::compute {
namespace {

constexpr std::size_t console_bytes_max = 1024 * 1024;

std::vector<std::string> own_environment() {
  std::vector<std::string> words;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    words.emplace_back(*entry);
  }
  return words;
}

struct StartedHolder {
  pid_t pid = 0;
  Fd control;
};

// The holder is this very program, under another command: the two are always of one version.
Result<StartedHolder> spawn_holder(const Options& options, const Layout& layout) {
  auto pair = packet_socket_pair();
  if (!pair) return std::unexpected(pair.error());
  const Fd log(open(layout.log_file().c_str(),
                    O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!log) return fail_errno("cannot open " + layout.log_file(), errno);
  Command command;
  command.program = "/proc/self/exe";
  command.argv = {"weir",         "hold", "--state",   layout.state_dir,
                  "--control-fd", "3",    "--runtime", options.runtime};
  if (options.rootless) command.argv.emplace_back("--rootless");
  command.environment = own_environment();
  command.fds = {-1, log.get(), log.get(), pair->second.get()};
  command.new_session = true;  // a signal to the daemon's terminal must not reach it
  const auto pid = start_process(command);
  if (!pid) return std::unexpected(pid.error());
  return StartedHolder{*pid, std::move(pair->first)};
}

Result<std::string> read_file_end(const std::string& path, std::size_t bytes_max) {
  const Fd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::string();
  if (!file) return fail_errno("cannot open " + path, errno);
  const off_t size = lseek(file.get(), 0, SEEK_END);
  const auto wanted = std::min(static_cast<std::size_t>(std::max<off_t>(size, 0)), bytes_max);
  std::string text(wanted, '\0');
  const ssize_t got = pread(file.get(), text.data(), wanted, size - static_cast<off_t>(wanted));
  if (got < 0) return fail_errno("cannot read " + path, errno);
  text.resize(static_cast<std::size_t>(got));
  return text;
}

Result<std::string> read_file_start(const std::string& path, std::size_t bytes_max) {
  const Fd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::string();
  if (!file) return fail_errno("cannot open " + path, errno);
  std::string text(bytes_max, '\0');
  const ssize_t got = pread(file.get(), text.data(), text.size(), 0);
  if (got < 0) return fail_errno("cannot read " + path, errno);
  text.resize(static_cast<std::size_t>(got));
  return text;
}

Request request_for(Operation operation, const std::string& instance = {}) {
  Request request;
  request.operation = operation;
  request.instance = instance;
  return request;
}

class Client final : public Compute {
 public:
  Client(Layout layout, Fd socket, Capabilities capabilities, pid_t holder)
      : layout_(std::move(layout)),
        capabilities_(std::move(capabilities)),
        holder_(holder),
        connection_(std::move(socket), [this] { return reconnect(); }) {}

  [[nodiscard]] const Capabilities& capabilities() const override { return capabilities_; }
  [[nodiscard]] bool needs_vpc_sockets() const override { return capabilities_.rootless; }

  Result<bool> clashes(const std::string& cidr) override {
    Request request = request_for(Operation::clashes);
    request.cidr = cidr;
    const auto reply = connection_.call(std::move(request));
    if (!reply) return std::unexpected(reply.error());
    return reply->response.flag;
  }

  Status ensure_vpc(const VpcSpec& spec) override {
    Request request = request_for(Operation::ensure_vpc);
    request.vpc = spec;
    return remembered(vpc_request_, std::move(request));
  }

  Status set_node_addresses(const std::vector<std::string>& addresses) override {
    Request request = request_for(Operation::set_node_addresses);
    request.words = addresses;
    return remembered(nodes_request_, std::move(request));
  }

  Result<Fd> launch(const InstanceSpec& spec) override {
    Request request = request_for(Operation::launch);
    request.spec = spec;
    return fd_of(std::move(request));
  }

  Result<Fd> metadata_socket(const std::string& id) override {
    return fd_of(request_for(Operation::metadata_socket, id));
  }

  Status stop(const std::string& id, int grace_ms) override {
    Request request = request_for(Operation::stop, id);
    request.number = grace_ms;
    return status_of(std::move(request));
  }

  Status terminate(const std::string& id) override {
    return status_of(request_for(Operation::terminate, id));
  }

  Status set_firewall(const std::string& id, const Firewall& firewall) override {
    Request request = request_for(Operation::set_firewall, id);
    request.firewall = firewall;
    return status_of(std::move(request));
  }

  Result<std::vector<RunningInstance>> running() override {
    auto reply = connection_.call(request_for(Operation::running));
    if (!reply) return std::unexpected(reply.error());
    return std::move(reply->response.running);
  }

  Result<UserDataStatus> user_data_status(const std::string& id) override {
    if (Status status = validate_instance_id(id); !status) return std::unexpected(status.error());
    const auto text =
        read_file_start(layout_.instance_dir(id) + "/" + status_file, status_file_bytes_max);
    if (!text) return std::unexpected(text.error());
    return parse_status(*text);
  }

  Result<std::string> console_output(const std::string& id, std::size_t bytes_max) override {
    if (Status status = validate_instance_id(id); !status) return std::unexpected(status.error());
    return read_file_end(layout_.instance_dir(id) + "/" + console_file,
                         std::min(bytes_max, console_bytes_max));
  }

  Result<int> exec(const ExecRequest& request) override {
    Request message = request_for(Operation::exec, request.id);
    message.words = request.argv;
    message.terminal = request.terminal;
    std::vector<int> fds(request.stdio.begin(), request.stdio.end());
    if (request.control >= 0) fds.push_back(request.control);
    const auto reply = connection_.call(std::move(message), fds);
    if (!reply) return std::unexpected(reply.error());
    return reply->response.number;
  }

  Result<std::vector<Fd>> sockets(int count) override {
    Request request = request_for(Operation::sockets);
    request.number = count;
    auto reply = connection_.call(std::move(request));
    if (!reply) return std::unexpected(reply.error());
    return std::move(reply->fds);
  }

  void on_exit(ExitHandler handler) override { connection_.on_event(std::move(handler)); }

  void release_holder() override {
    connection_.expect_end();
    const auto reply = connection_.call(request_for(Operation::release));
    if (!reply || !reply->response.flag || holder_ <= 0) return;
    waitpid(holder_, nullptr, 0);
    holder_ = 0;
  }

 private:
  Status status_of(Request request) {
    const auto reply = connection_.call(std::move(request));
    if (!reply) return std::unexpected(reply.error());
    return {};
  }

  Result<Fd> fd_of(Request request) {
    auto reply = connection_.call(std::move(request));
    if (!reply) return std::unexpected(reply.error());
    if (reply->fds.size() != 1) {
      return fail("HolderFailed", "the holder process answered without a socket");
    }
    return std::move(reply->fds.front());
  }

  // What a new holder has to be told again.
  Status remembered(std::optional<Request>& place, Request request) {
    if (Status status = status_of(request); !status) return status;
    const std::scoped_lock lock(mutex_);
    place = std::move(request);
    return {};
  }

  Fd reconnect() {
    auto socket = connect_in(layout_.state_dir);
    if (!socket) return {};
    auto greeted = HolderConnection::greet(std::move(*socket));
    if (!greeted) return {};
    const std::scoped_lock lock(mutex_);
    for (const auto& request : {vpc_request_, nodes_request_}) {
      if (!request) continue;
      if (auto reply = HolderConnection::call_on(greeted->first.get(), *request); !reply) {
        log::error("the new holder: {}", reply.error().message);
        return {};
      }
    }
    return std::move(greeted->first);
  }

  Layout layout_;
  Capabilities capabilities_;
  pid_t holder_;      // our child; 0: an earlier daemon's
  std::mutex mutex_;  // guards the requests
  std::optional<Request> vpc_request_;
  std::optional<Request> nodes_request_;
  HolderConnection connection_;  // last: its threads use what is above
};

}  // namespace

Result<std::unique_ptr<Compute>> Compute::start(const Options& options) {
  auto layout = Layout::of(options.state_dir);
  if (!layout) return std::unexpected(layout.error());
  std::error_code error;
  if (std::filesystem::create_directories(layout->state_dir, error)) {
    std::filesystem::permissions(layout->state_dir, std::filesystem::perms::owner_all, error);
  }
  if (auto socket = connect_in(layout->state_dir)) {
    // One that is about to end greets nobody; then a new one takes its place.
    if (auto greeted = HolderConnection::greet(std::move(*socket))) {
      return std::make_unique<Client>(std::move(*layout), std::move(greeted->first),
                                      std::move(greeted->second), 0);
    }
  } else if (socket.error().code != "NoHolder") {
    return std::unexpected(socket.error());
  }
  auto started = spawn_holder(options, *layout);
  if (!started) return std::unexpected(started.error());
  auto greeted = HolderConnection::greet(std::move(started->control));
  if (!greeted) {
    waitpid(started->pid, nullptr, 0);
    Error problem = greeted.error();
    if (problem.code == "HolderLost") problem.code = "HolderFailed";
    return std::unexpected(std::move(problem));
  }
  return std::make_unique<Client>(std::move(*layout), std::move(greeted->first),
                                  std::move(greeted->second), started->pid);
}

}  // namespace weir::compute
