// The commands that act on the daemon or look into an instance: serve, stop, logs, image import;
// and how an error is told.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "cli/background.hpp"
#include "cli/client.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace weir::cli {
namespace {

constexpr int stop_timeout_ms = 60'000;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void print_json(const Json& json) { std::fputs((json.dump(2) + "\n").c_str(), stdout); }

}  // namespace

int report_error(const Common& common, const Error& error) {
  std::fflush(stdout);
  std::fputs(fmt::format("{}: {}\n", coloured(stderr, Colour::red, "weir"), error.message).c_str(),
             stderr);
  if (!error.hint.empty()) std::fputs(fmt::format("  {}\n", error.hint).c_str(), stderr);
  if (common.is_json) print_json(daemon::error_json(error));
  return 1;
}

int logs(const Common& common, const std::string& id, bool is_following) {
  std::string all;
  const auto result =
      call_daemon(common.state_dir, Json{{"command", "logs"}, {"id", id}, {"follow", is_following}},
                  [&](const Json& event) {
                    const auto text = daemon::text_of(event, "text");
                    if (common.is_json) {
                      all += text;
                    } else if (!write_all(STDOUT_FILENO, text)) {
                      std::_Exit(0);  // nobody reads any more (weir logs -f … | head)
                    }
                  });
  if (!result) return report_error(common, result.error());
  if (common.is_json) print_json(Json{{"id", daemon::text_of(*result, "id")}, {"output", all}});
  return 0;
}

int stop(const Common& common, bool with_instances) {
  Progress progress(common.is_json);
  if (with_instances) {
    if (auto started = ensure_daemon_of_state(common.state_dir); !started) {
      return report_error(common, started.error());
    }
  }
  const auto about = call_daemon(common.state_dir, Json{{"command", "ping"}});
  if (!about) return report_error(common, about.error());
  progress.update("ending the daemon");
  const auto result =
      call_daemon(common.state_dir, Json{{"command", "stop"}, {"with_instances", with_instances}});
  if (!result) return report_error(common, result.error());
  const auto pid = static_cast<int>(about->value("pid", 0L));
  if (!wait_for_end(pid, stop_timeout_ms)) {
    return report_error(common, {"StillRuns", fmt::format("the daemon (pid {}) still ends", pid),
                                 "its log says what it waits for"});
  }
  progress.update("");
  if (common.is_json) {
    print_json(*result);
    return 0;
  }
  fmt::print("The daemon has ended.\n");
  if (const auto left = result->value("instances", 0L); left > 0) {
    fmt::print(
        "{} still up, and nothing balances their load: the next `weir up` or `weir serve`\n"
        "finds them again, `weir down` removes them.\n",
        counted(left, "instance"));
  }
  return 0;
}

int serve(const Common& common, daemon::ServeOptions options) {
  const bool is_waited_for = options.ready_fd >= 0;
  if (const auto served = daemon::serve(options); !served) {
    return is_waited_for ? 1 : report_error(common, served.error());
  }
  return 0;
}

int image_import(const Common& common, const std::string& id, const std::string& tar_path) {
  const auto path = std::filesystem::absolute(tar_path).string();
  Progress progress(common.is_json);
  progress.update(fmt::format("importing {}", tar_path));
  const auto result =
      call_daemon(common.state_dir, Json{{"command", "image-import"}, {"id", id}, {"path", path}});
  progress.update("");
  if (!result) return report_error(common, result.error());
  if (common.is_json) {
    print_json(*result);
  } else {
    fmt::print("Image {} is there; instances can be launched from it.\n", id);
  }
  return 0;
}

}  // namespace weir::cli
