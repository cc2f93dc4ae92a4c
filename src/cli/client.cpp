#include "cli/client.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "daemon/channel.hpp"
#include "daemon/version.hpp"

namespace weir::cli {
namespace {

std::unexpected<Error> daemon_ended(const std::string& state_dir) {
  return fail("DaemonEnded", "the daemon ended before it answered",
              fmt::format("{}/weir.log says why", state_dir));
}

}  // namespace

Result<Json> call_daemon(const std::string& state_dir, Json request, const EventHandler& on_event,
                         std::span<const int> fds) {
  auto channel = daemon::connect_control(state_dir);
  if (!channel) return std::unexpected(channel.error());
  request["version"] = daemon::weir_version;
  const auto line = daemon::to_line(request);
  if (line.size() > daemon::request_bytes_max) {
    return fail("RequestTooLong", fmt::format("the request has {} bytes; at most {} are taken",
                                              line.size(), daemon::request_bytes_max));
  }
  if (!channel->send(line, fds)) return daemon_ended(state_dir);
  while (true) {
    const auto reply = channel->receive(daemon::reply_bytes_max);
    if (!reply || !*reply) return daemon_ended(state_dir);
    const auto parsed = daemon::parse_json((*reply)->line);
    if (!parsed || !parsed->is_object()) {
      return fail("BadReply", "the daemon's answer cannot be read",
                  "is it of another version? `weir stop` ends it");
    }
    if (parsed->contains("error")) return std::unexpected(daemon::error_from(*parsed));
    if (parsed->contains("result")) return parsed->at("result");
    if (on_event) on_event(*parsed);
  }
}

bool wait_for_end(int pid, int timeout_ms) {
  const Fd process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))};
  if (!process) return true;
  pollfd waiting{process.get(), POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) > 0;
}

}  // namespace weir::cli
