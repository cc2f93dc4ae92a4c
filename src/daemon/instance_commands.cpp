#include "daemon/instance_commands.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "daemon/report.hpp"

namespace weir::daemon {
namespace {

constexpr std::chrono::milliseconds state_timeout{60'000};
constexpr std::chrono::milliseconds follow_interval{250};
constexpr std::size_t console_bytes_max = 1U << 20U;
constexpr std::size_t exec_arguments_max = 1'024;

// An id may be shortened as long as it names one instance.
Result<std::string> full_id(const Parts& parts, const std::string& given) {
  std::vector<std::string> matches;
  bool is_exact = false;
  parts.registry.read([&](const control::State& state) {
    is_exact = state.instances.contains(given);
    for (auto it = state.instances.lower_bound(given);
         it != state.instances.end() && it->first.starts_with(given); ++it) {
      matches.push_back(it->first);
    }
  });
  if (is_exact) return given;
  if (matches.size() == 1 && given.size() > 2) return matches.front();
  if (matches.empty() || given.size() <= 2) {
    return fail("InvalidInstanceID.NotFound", fmt::format("there is no instance '{}'", given),
                "`weir instances` lists them");
  }
  return fail("InvalidInstanceID.Malformed",
              fmt::format("'{}' is the beginning of {} instance ids", given, matches.size()),
              "give more of the id");
}

Result<std::vector<std::string>> full_ids(const Parts& parts, const Json& request) {
  std::vector<std::string> ids;
  for (const auto& given : request.at("ids")) {
    auto id = full_id(parts, given.get<std::string>());
    if (!id) return std::unexpected(id.error());
    ids.push_back(std::move(*id));
  }
  return ids;
}

struct Action {
  std::string_view name;
  Status (control::Ec2::*verb)(const std::vector<std::string>&);
  model::InstanceState goal;
};

constexpr std::array<Action, 4> actions{{
    {"stop", &control::Ec2::stop_instances, model::InstanceState::stopped},
    {"start", &control::Ec2::start_instances, model::InstanceState::running},
    {"reboot", &control::Ec2::reboot_instances, model::InstanceState::running},
    {"terminate", &control::Ec2::terminate_instances, model::InstanceState::terminated},
}};

Json instances_json(const Parts& parts, const std::vector<std::string>& ids) {
  Json list = Json::array();
  parts.registry.read([&](const control::State& state) {
    for (const auto& id : ids) {
      const auto found = state.instances.find(id);
      if (found != state.instances.end()) list.push_back(instance_json(state, found->second));
    }
  });
  return list;
}

std::string user_data_name(const Result<compute::UserDataStatus>& status) {
  if (!status) return {};
  switch (status->state) {
    case compute::UserDataState::none:
      return "none";
    case compute::UserDataState::running:
      return "running";
    case compute::UserDataState::succeeded:
      return "succeeded";
    case compute::UserDataState::failed:
      return fmt::format("failed ({})", status->exit_status);
  }
  return {};
}

// What a log has more than it had when it was last looked at; the front may have been cut off.
std::string_view news(std::string_view before, std::string_view now) {
  if (now.starts_with(before)) return now.substr(before.size());
  const auto tail = before.substr(before.size() - std::min<std::size_t>(before.size(), 4'096));
  const auto found = tail.empty() ? std::string_view::npos : now.rfind(tail);
  return found == std::string_view::npos ? now : now.substr(found + tail.size());
}

}  // namespace

Result<Json> run_instances_list(Parts& parts, const Json& request, Session&) {
  const bool is_all = flag_of(request, "all");
  int hidden = 0;
  std::vector<std::string> ids;
  const std::string wanted = text_of(request, "id");
  if (!wanted.empty()) {
    auto id = full_id(parts, wanted);
    if (!id) return std::unexpected(id.error());
    return Json{{"instances", instances_json(parts, {*id})}, {"terminated_hidden", 0}};
  }
  parts.registry.read([&](const control::State& state) {
    for (const auto& [id, instance] : state.instances) {
      if (!is_all && instance.state == model::InstanceState::terminated) {
        ++hidden;
      } else {
        ids.push_back(id);
      }
    }
  });
  Json list = instances_json(parts, ids);
  for (auto& instance : list) {
    if (text_of(instance, "state") != "running") continue;
    const auto id = text_of(instance, "id");
    instance["user_data"] = user_data_name(parts.compute.user_data_status(id));
  }
  return Json{{"instances", list}, {"terminated_hidden", hidden}};
}

Result<Json> run_instances_action(Parts& parts, const Json& request, Session& session) {
  const auto name = text_of(request, "action");
  const auto action =
      std::ranges::find_if(actions, [&](const Action& known) { return known.name == name; });
  if (action == actions.end()) return fail("BadRequest", fmt::format("no action '{}'", name));
  const auto ids = full_ids(parts, request);
  if (!ids) return std::unexpected(ids.error());
  if (auto asked = (parts.ec2.*action->verb)(*ids); !asked) return std::unexpected(asked.error());
  for (const auto& id : *ids) {
    session.send_event(to_line(Json{{"event", "waiting"}, {"id", id}}));
    if (auto reached = parts.ec2.wait_for(id, action->goal, state_timeout); !reached) {
      return std::unexpected(reached.error());
    }
  }
  parts.publisher.flush();
  return Json{{"instances", instances_json(parts, *ids)}};
}

Result<Json> run_logs(Parts& parts, const Json& request, Session& session) {
  const auto id = full_id(parts, text_of(request, "id"));
  if (!id) return std::unexpected(id.error());
  const bool is_following = flag_of(request, "follow");
  std::string shown;
  while (true) {
    auto output = parts.compute.console_output(*id, console_bytes_max);
    if (!output) return std::unexpected(output.error());
    const auto more = news(shown, *output);
    if (!more.empty() && !session.send_event(to_line(Json{{"event", "log"}, {"text", more}})))
      break;
    shown = std::move(*output);
    if (!is_following || session.stopping() || session.client_gone()) break;
    std::this_thread::sleep_for(follow_interval);
  }
  return Json{{"id", *id}};
}

Result<Json> run_exec(Parts& parts, const Json& request, Session& session) {
  const auto id = full_id(parts, text_of(request, "id"));
  if (!id) return std::unexpected(id.error());
  compute::ExecRequest exec;
  exec.id = *id;
  for (const auto& word : request.at("argv")) exec.argv.push_back(word.get<std::string>());
  if (exec.argv.empty() || exec.argv.size() > exec_arguments_max) {
    return fail("BadRequest", "a command of 1 to 1024 words is needed");
  }
  if (session.fds().size() != exec.stdio.size() + 1) {
    return fail("BadRequest", "four descriptors are needed for the command");
  }
  for (std::size_t i = 0; i < exec.stdio.size(); ++i) exec.stdio[i] = session.fds()[i].get();
  exec.control = session.fds().back().get();
  exec.terminal = flag_of(request, "terminal");
  const auto status = parts.compute.exec(exec);
  if (!status) return std::unexpected(status.error());
  return Json{{"exit_status", *status}};
}

}  // namespace weir::daemon
