#include "compute/runtime.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/ids.hpp"
#include "compute/exec_control.hpp"

namespace weir::compute {
namespace {

constexpr std::size_t runtime_log_bytes_max = 16 * 1024;
constexpr const char* pid_file = "pid";
// Runtimes tolerate neither a missing PATH nor a terminal that they know nothing of.
const std::vector<std::string> environment = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "TERM=xterm"};

std::string read_end(int fd, std::size_t bytes_max) {
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0) return {};
  const auto wanted = std::min(static_cast<std::size_t>(size), bytes_max);
  std::string text(wanted, '\0');
  const ssize_t got = pread(fd, text.data(), wanted, size - static_cast<off_t>(wanted));
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

std::string last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

// The log is JSON, a line a message; where it is not, the line itself says it.
std::string message_of(const std::string& line) {
  const auto value = nlohmann::json::parse(line, nullptr, false);
  if (value.is_object() && value.contains("msg") && value["msg"].is_string()) {
    return value["msg"].get<std::string>();
  }
  return line;
}

Result<pid_t> read_pid(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::array<char, 32> buffer{};
  const ssize_t size = file ? read(file.get(), buffer.data(), buffer.size()) : -1;
  pid_t pid = 0;
  if (size > 0) std::from_chars(buffer.data(), buffer.data() + size, pid);
  if (pid <= 1) return fail("RuntimeFailed", "the OCI runtime did not say which process it made");
  return pid;
}

}  // namespace

Result<Runtime> Runtime::probe(const std::string& name, const Layout& layout, Children& children) {
  const auto program = find_program(name);
  if (!program) {
    return fail("NoRuntime", "no OCI runtime: the program " + name + " was not found",
                "install it (apt install runc), or name another one with --runtime");
  }
  const Fd output(memfd_create("runtime-version", MFD_CLOEXEC));
  const auto status =
      children.run({*program, {name, "--version"}, environment, {-1, output.get(), output.get()}});
  if (!status) return std::unexpected(status.error());
  const std::string text = read_end(output.get(), runtime_log_bytes_max);
  if (*status != 0) {
    return fail("RuntimeFailed", *program + " --version failed: " + last_line(text),
                "reinstall the OCI runtime, or name another one with --runtime");
  }
  Runtime runtime(*program, layout, children);
  runtime.version_ = text.substr(0, text.find('\n'));
  return runtime;
}

Command Runtime::command(const std::string& id, std::vector<std::string> words) const {
  Command command;
  command.program = program_;
  command.environment = environment;
  command.argv = {program_,
                  "--root",
                  layout_->runtime_root(),
                  "--log",
                  layout_->instance_dir(id) + "/" + runtime_log_file,
                  "--log-format",
                  "json"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  return command;
}

std::unexpected<Error> Runtime::failure(const std::string& id, const std::string& what) const {
  const std::string path = layout_->instance_dir(id) + "/" + runtime_log_file;
  const Fd log(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string reason = log ? message_of(last_line(read_end(log.get(), runtime_log_bytes_max))) : "";
  if (reason.empty()) reason = "it gave no reason";
  return fail("RuntimeFailed", what + " " + id + " failed: " + reason,
              "the OCI runtime is " + program_ + " (" + version_ + ")");
}

Result<pid_t> Runtime::run(const std::string& id, int console, int status) const {
  const std::string folder = layout_->instance_dir(id);
  const std::string pid_path = folder + "/" + pid_file;
  unlink((folder + "/" + runtime_log_file).c_str());
  unlink(pid_path.c_str());
  Command start = command(id, {"run", "--detach", "--bundle", folder, "--pid-file", pid_path,
                               "--preserve-fds", "1", id});
  start.fds = {-1, console, console, status};
  const auto exit_status = children_->run(start);
  if (!exit_status) return std::unexpected(exit_status.error());
  if (*exit_status != 0) return failure(id, "starting");
  return read_pid(pid_path);
}

Result<int> Runtime::exec(const ExecRequest& request) const {
  std::vector<std::string> words = {"exec",
                                    "--cwd",
                                    "/",
                                    "--env",
                                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                                    "/sbin:/bin",
                                    "--env",
                                    "HOME=/root",
                                    "--env",
                                    "TERM=xterm"};
  if (request.terminal) words.emplace_back("--tty");
  const std::string pid_path =
      layout_->instance_dir(request.id) + "/exec-" + random_hex(12) + "." + pid_file;
  if (request.control >= 0) words.insert(words.end(), {"--pid-file", pid_path});
  words.push_back(request.id);
  words.insert(words.end(), request.argv.begin(), request.argv.end());
  Command start = command(request.id, std::move(words));
  start.fds.assign(request.stdio.begin(), request.stdio.end());
  if (request.control < 0) return children_->run(start);
  return run_controlled(*children_, start, request.control, pid_path);
}

Status Runtime::remove(const std::string& id) const {
  Command start = command(id, {"delete", "--force", id});
  const auto exit_status = children_->run(start);
  if (!exit_status) return std::unexpected(exit_status.error());
  if (*exit_status != 0) return failure(id, "removing");
  return {};
}

}  // namespace weir::compute
