// `weir up` and `weir down`.
#include <fcntl.h>
#include <fmt/core.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "cli/background.hpp"
#include "cli/client.hpp"
#include "cli/commands.hpp"
#include "cli/interruption.hpp"
#include "cli/terminal.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t template_bytes_max = 1U << 20U;  // CloudFormation's limit
constexpr std::size_t try_lines_max = 4;

Result<std::string> read_template_file(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) {
    return fail_errno(fmt::format("cannot read the template {}", path), errno);
  }
  if (S_ISDIR(info.st_mode)) return fail("TemplateFile", fmt::format("{} is a directory", path));
  std::string text;
  std::array<char, 65'536> block;
  while (text.size() <= template_bytes_max) {
    const auto received = ::read(file.get(), block.data(), block.size());
    if (received < 0) {
      return fail_errno(fmt::format("cannot read the template {}", path), errno);
    }
    if (received == 0) break;
    text.append(block.data(), static_cast<std::size_t>(received));
  }
  if (text.size() > template_bytes_max) {
    return fail("TemplateFile", fmt::format("the template {} is longer than 1 MiB", path));
  }
  if (text.empty()) return fail("TemplateFile", fmt::format("the template {} is empty", path));
  return text;
}

Result<Json> up_request(const UpOptions& options) {
  auto parameters = parse_parameters(options.parameters);
  if (!parameters) return std::unexpected(parameters.error());
  if (!options.app.empty()) (*parameters)["App"] = options.app == "flask" ? "Flask" : "Cpp";
  Json request{{"command", "up"},
               {"name", options.name.empty() ? stack_name_of(options.file) : options.name},
               {"parameters", *parameters},
               {"timeout_ms", options.timeout_seconds * 1'000L}};
  if (!options.file.empty()) {
    auto text = read_template_file(options.file);
    if (!text) return std::unexpected(text.error());
    request["template"] = *text;
    request["file"] = options.file;
  }
  return request;
}

// The events of a deployment, as lines for people.
class DeployProgress {
 public:
  DeployProgress(Progress& progress, std::string title)
      : progress_(progress), title_(std::move(title)) {}

  void on_event(const Json& event) {
    const auto kind = daemon::text_of(event, "event");
    if (kind == "plan") on_plan(event);
    if (kind == "changes") on_changes(event);
    if (kind == "resource") on_resource(event);
    if (kind == "targets") on_targets(event);
    if (kind == "removing") on_removing(event);
  }

 private:
  void on_plan(const Json& event) {
    resources_ = event.value("resources", 0L);
    progress_.line(fmt::format("{}: {}, {} among them", title_, counted(resources_, "resource"),
                               counted(event.value("instances", 0L), "instance")));
  }

  // What an update does to each resource, before it does it.
  void on_changes(const Json& event) {
    is_update_ = true;
    for (const auto& change : event.at("changes")) {
      const auto action = daemon::text_of(change, "action");
      std::string properties;
      for (const auto& name : change.at("properties")) {
        properties += (properties.empty() ? ": " : ", ") + name.get<std::string>();
      }
      progress_.line(fmt::format("  {:<8}{} ({}){}", action, daemon::text_of(change, "logical_id"),
                                 daemon::text_of(change, "type"), properties));
    }
  }

  void on_resource(const Json& event) {
    const auto status = daemon::text_of(event, "status");
    const auto type = daemon::text_of(event, "type");
    const auto id = daemon::text_of(event, "logical_id");
    if (type == "AWS::CloudFormation::Stack") return;
    if (status.ends_with("_FAILED")) {
      progress_.line(fmt::format("{} ({}): {}", id, type, daemon::text_of(event, "reason")));
    } else if (is_update_ && status.ends_with("_COMPLETE")) {
      progress_.update(
          fmt::format("{} {}", status == "DELETE_COMPLETE" ? "removed" : "updated", id));
    } else if (status == "CREATE_COMPLETE") {
      ++made_;
      progress_.update(fmt::format("making resources: {} of {}, {}", made_, resources_, id));
      if (made_ == resources_) progress_.line(fmt::format("{} made", counted(made_, "resource")));
    } else if (status == "DELETE_COMPLETE") {
      progress_.update(fmt::format("removing {}", id));
    }
  }

  void on_targets(const Json& event) {
    const auto text = fmt::format("targets healthy: {} of {}", event.value("healthy", 0L),
                                  event.value("total", 0L));
    if (event.value("healthy", 0L) == event.value("total", 0L)) {
      progress_.line(text);
    } else {
      progress_.update(text);
    }
  }

  void on_removing(const Json& event) {
    progress_.update(fmt::format("removing stack {}", daemon::text_of(event, "stack")));
  }

  Progress& progress_;
  std::string title_;
  long resources_ = 0;
  long made_ = 0;
  bool is_update_ = false;
};

bool resolves(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

bool has_proxy_variable() {
  return std::ranges::any_of(std::array{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"},
                             [](const char* name) {
                               const char* value = std::getenv(name);
                               return value != nullptr && *value != '\0';
                             });
}

// What to type first, and who understands the name.
std::string try_text(const Json& balancer, const Json& listener) {
  const auto url = daemon::text_of(listener, "url");
  std::vector<std::string> paths;
  for (const auto& rule : listener.at("rules")) {
    const auto path = daemon::text_of(rule, "path");
    if (!path.empty() && paths.size() < try_lines_max) paths.push_back(path);
  }
  if (paths.empty()) paths.emplace_back("/");
  std::string text = fmt::format("\n  {}\n\nTry:\n", coloured(stdout, Colour::bold, url));
  for (const auto& path : paths) text += fmt::format("  curl {}{}\n", url, path);

  const auto name = daemon::text_of(balancer, "dns_name");
  if (resolves(name)) {
    text += "\nEvery program on this machine resolves the name.\n";
  } else {
    text += fmt::format(
        "\ncurl and browsers know the name by themselves. For other programs install\n"
        "libnss-myhostname, or give them 127.0.0.1 and the header\n  Host: {}\n",
        name);
  }
  if (has_proxy_variable()) {
    text += "A proxy is set in the environment: add --noproxy '*' to curl.\n";
  }
  return text;
}

// How AWS's tools are told of this daemon.
std::string api_text(const Json& api) {
  const auto url = daemon::text_of(api, "url");
  if (url.empty()) return {};
  if (daemon::flag_of(api, "verifies_signatures")) {
    return fmt::format("\nAWS APIs at {}; `weir credentials create` makes credentials for them.\n",
                       url);
  }
  return fmt::format("\nAWS APIs at {}, which take any credentials:\n{}", url,
                     environment_text(api, "weir", "weir"));
}

std::string port_notice(const Json& listener) {
  const auto wanted = listener.value("port", 0L);
  const auto bound = listener.value("bound_port", 0L);
  if (bound == 0 || bound == wanted) return {};
  return fmt::format("port {} could not be bound here; the listener is on {}", wanted, bound);
}

std::vector<std::string> notices_of(const Json& result) {
  std::vector<std::string> notices;
  for (const auto& notice : result.at("notices")) notices.push_back(notice.get<std::string>());
  for (const auto& balancer : result.at("load_balancers")) {
    const auto reason = daemon::text_of(balancer, "state_reason");
    if (!reason.empty()) notices.push_back(reason);
    for (const auto& listener : balancer.at("listeners")) {
      if (auto notice = port_notice(listener); !notice.empty()) notices.push_back(notice);
    }
  }
  const auto& about = result.at("daemon");
  if (!daemon::flag_of(about, "limits_enforced")) {
    notices.push_back(daemon::text_of(about, "limits_reason"));
  }
  return notices;
}

void print_timings(const Json& timings) {
  double sum = 0;
  Table table({"PHASE", "TIME"});
  for (const auto& phase : timings) {
    const auto ms = phase.value("ms", 0.0);
    sum += ms;
    table.add({{daemon::text_of(phase, "phase")}, {fmt::format("{:8.1f} ms", ms)}});
  }
  table.add({{"in all"}, {fmt::format("{:8.1f} ms", sum)}});
  std::fputs(("\n" + table.text(stdout)).c_str(), stdout);
}

void print_up(const Json& result, const UpOptions& options, double ms) {
  const auto name = daemon::text_of(result.at("stack"), "name");
  const auto healthy = result.at("targets").value("healthy", 0L);
  if (daemon::flag_of(result, "updated")) {
    fmt::print("Stack {} is updated: {} healthy after {}.\n", name, counted(healthy, "target"),
               duration_text(ms));
  } else if (daemon::flag_of(result, "existed")) {
    fmt::print("Stack {} is up already: {} healthy.\n", name, counted(healthy, "target"));
  } else {
    fmt::print("Stack {} is up: {} healthy after {}.\n", name, counted(healthy, "target"),
               duration_text(ms));
  }
  for (const auto& balancer : result.at("load_balancers")) {
    for (const auto& listener : balancer.at("listeners")) {
      if (!daemon::text_of(listener, "url").empty()) {
        std::fputs(try_text(balancer, listener).c_str(), stdout);
      }
    }
  }
  std::fputs(api_text(result.at("daemon").at("api")).c_str(), stdout);
  for (const auto& notice : notices_of(result)) fmt::print("Note: {}.\n", notice);
  if (options.wants_timings) print_timings(result.at("timings"));
}

// Start of this command, the daemon's phases, the stack's phases.
Json all_timings(const StartedDaemon& started, double before_ms, const Json& of_stack) {
  Json timings = Json::array();
  double in_daemon = 0;
  for (const auto& [phase, ms] : started.timings) in_daemon += ms;
  if (started.was_started) {
    timings.push_back(Json{{"phase", "start of the daemon: process"},
                           {"ms", std::max(0.0, before_ms - in_daemon)}});
    for (const auto& [phase, ms] : started.timings) {
      timings.push_back(Json{{"phase", "start of the daemon: " + phase}, {"ms", ms}});
    }
  }
  for (const auto& phase : of_stack) timings.push_back(phase);
  return timings;
}

// A daemon that this very command started, with nothing to look after, goes again.
void stop_if_empty(const Common& common) {
  const auto stopped = call_daemon(common.state_dir, Json{{"command", "stop"}, {"if_empty", true}});
  if (!stopped || !daemon::flag_of(*stopped, "stopping")) return;
  std::ignore = wait_for_end(static_cast<int>(stopped->value("pid", 0L)), 10'000);
}

}  // namespace

std::string stack_name_of(const std::string& file) {
  if (file.empty()) return "two-clusters";
  std::string name;
  for (const char c : std::filesystem::path(file).stem().string()) {
    name.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-');
  }
  if (name.empty() || std::isalpha(static_cast<unsigned char>(name.front())) == 0) {
    name.insert(0, "stack-");
  }
  return name;
}

Result<std::map<std::string, std::string>> parse_parameters(const std::vector<std::string>& words) {
  std::map<std::string, std::string> parameters;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail("BadParameter", fmt::format("'{}' is no KEY=VALUE", word),
                  "for example: -p Cluster1Size=3");
    }
    const auto key = word.substr(0, equals);
    if (!parameters.emplace(key, word.substr(equals + 1)).second) {
      return fail("BadParameter", fmt::format("the parameter {} is given twice", key));
    }
  }
  return parameters;
}

int up(const Common& common, const UpOptions& options) {
  const auto start_ns = monotonic_ns();
  const auto elapsed_ms = [&] { return static_cast<double>(monotonic_ns() - start_ns) / 1e6; };
  Progress progress(common.is_json);
  auto request = up_request(options);
  if (!request) return report_error(common, request.error());
  const Interruption interruption(
      fmt::format("weir: interrupted; what the daemon has begun goes on without this command\n"
                  "  `weir status` shows how far stack {0} is, `weir down {0}` removes it",
                  daemon::text_of(*request, "name")));
  progress.update("starting the daemon");
  const auto started = ensure_daemon(options.serve);
  if (!started) {
    progress.update("");
    return report_error(common, started.error());
  }
  const auto before_ms = elapsed_ms();
  if (started->was_started) {
    progress.line(fmt::format("daemon started in {}", duration_text(before_ms)));
  }
  DeployProgress deploy(progress,
                        options.file.empty() ? "two-clusters.yaml (built in)" : options.file);
  auto result =
      call_daemon(common.state_dir, *request, [&](const Json& event) { deploy.on_event(event); });
  if (!result) {
    if (started->was_started) stop_if_empty(common);
    return report_error(common, result.error());
  }
  (*result)["timings"] = all_timings(*started, before_ms, result->at("timings"));
  (*result)["elapsed_ms"] = elapsed_ms();
  if (common.is_json) {
    std::fputs((result->dump(2) + "\n").c_str(), stdout);
  } else {
    print_up(*result, options, elapsed_ms());
  }
  return 0;
}

int down(const Common& common, const std::string& name, bool is_all) {
  Json request{{"command", "down"}, {"name", name}, {"all", is_all}};
  Json result;
  const Interruption interruption(
      "weir: interrupted; the daemon goes on removing\n"
      "  `weir status` shows what is still there");
  const auto started = ensure_daemon_of_state(common.state_dir);
  if (!started) return report_error(common, started.error());
  {
    Progress progress(common.is_json);
    DeployProgress deploy(progress, name);
    auto removed = call_daemon(common.state_dir, std::move(request),
                               [&](const Json& event) { deploy.on_event(event); });
    if (!removed) return report_error(common, removed.error());
    result = std::move(*removed);
  }
  if (started->was_started) stop_if_empty(common);
  if (common.is_json) {
    std::fputs((result.dump(2) + "\n").c_str(), stdout);
    return 0;
  }
  for (const auto& stack : result.at("removed")) {
    fmt::print("Stack {} is removed.\n", stack.get<std::string>());
  }
  if (result.at("removed").empty()) fmt::print("There is no stack.\n");
  return 0;
}

}  // namespace weir::cli
