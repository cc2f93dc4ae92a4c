// nlohmann's exceptions (a member missing, or of another type) end here.
#include "daemon/commands.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "compute/image.hpp"
#include "daemon/certificate_commands.hpp"
#include "daemon/credential_commands.hpp"
#include "daemon/deploy.hpp"
#include "daemon/explain_command.hpp"
#include "daemon/instance_commands.hpp"
#include "daemon/json.hpp"
#include "daemon/report.hpp"
#include "daemon/top_command.hpp"

namespace weir::daemon {
namespace {

Result<Json> run_status(Parts& parts, const Json&, Session&) { return status_json(parts); }

Result<Json> run_explain(Parts& parts, const Json& request, Session&) {
  Result<Json> out = Json{};
  parts.registry.read([&](const control::State& state) { out = explain_json(state, request); });
  return out;
}

Result<Json> run_top(Parts& parts, const Json&, Session&) {
  return top_json(parts.ledger->totals(), *parts.ledger->snapshot(), monotonic_ms());
}

Result<Json> run_ping(Parts& parts, const Json&, Session&) { return daemon_json(parts); }

struct Leftovers {
  std::size_t stacks = 0;
  std::size_t instances = 0;  // not terminated
};

Leftovers count_leftovers(const Parts& parts) {
  Leftovers left;
  parts.registry.read([&](const control::State& state) {
    left.stacks = state.stacks.size();
    left.instances =
        static_cast<std::size_t>(std::ranges::count_if(state.instances, [](const auto& entry) {
          return entry.second.state != model::InstanceState::terminated;
        }));
  });
  return left;
}

// Removes everything that a `stop --with-instances` is to leave nothing of.
Status remove_all(Parts& parts, Session& session) {
  if (auto removed = run_down(parts, Json{{"all", true}}, session); !removed) {
    return std::unexpected(removed.error());
  }
  std::vector<std::string> ids;
  parts.registry.read([&](const control::State& state) {
    for (const auto& [id, instance] : state.instances) {
      if (instance.state != model::InstanceState::terminated) ids.push_back(id);
    }
  });
  if (ids.empty()) return {};
  if (auto gone = run_instances_action(parts, Json{{"action", "terminate"}, {"ids", ids}}, session);
      !gone) {
    return std::unexpected(gone.error());
  }
  return {};
}

Result<Json> run_stop(Parts& parts, const Json& request, Session& session) {
  if (flag_of(request, "with_instances")) {
    if (auto removed = remove_all(parts, session); !removed) {
      return std::unexpected(removed.error());
    }
  }
  const auto left = count_leftovers(parts);
  const bool is_empty = left.stacks == 0 && left.instances == 0;
  const bool stops = is_empty || !flag_of(request, "if_empty");
  if (stops) parts.request_stop();
  return Json{{"stopping", stops},
              {"pid", ::getpid()},
              {"stacks", left.stacks},
              {"instances", left.instances}};
}

Result<Json> run_image_list(Parts& parts, const Json&, Session&) {
  Json images = Json::array();
  for (const auto& id : compute::list_images(parts.state_dir)) {
    images.push_back(Json{{"id", id}, {"built_in", id == compute::builtin_image_id}});
  }
  return Json{{"images", images}};
}

Result<Json> run_image_import(Parts& parts, const Json& request, Session&) {
  const auto id = text_of(request, "id");
  const auto path = text_of(request, "path");
  if (auto imported = compute::import_image(parts.state_dir, id, path); !imported) {
    return std::unexpected(imported.error());
  }
  log::info("image {} is imported", id);
  return Json{{"id", id}};
}

struct Command {
  std::string_view name;
  Result<Json> (*run)(Parts&, const Json&, Session&);
  bool any_version = false;  // understood from a CLI of another version too
};

constexpr std::array<Command, 19> commands{{
    {"ping", run_ping, true},
    {"stop", run_stop, true},
    {"status", run_status},
    {"top", run_top},
    {"explain", run_explain},
    {"up", run_up},
    {"down", run_down},
    {"instances", run_instances_list},
    {"instances-action", run_instances_action},
    {"logs", run_logs},
    {"exec", run_exec},
    {"image-list", run_image_list},
    {"image-import", run_image_import},
    {"certificate-import", run_certificate_import},
    {"certificate-list", run_certificate_list},
    {"certificate-delete", run_certificate_delete},
    {"credentials-create", run_credentials_create},
    {"credentials-list", run_credentials_list},
    {"credentials-delete", run_credentials_delete},
}};

Result<Json> dispatch(Parts& parts, const Json& request, Session& session) {
  const auto name = text_of(request, "command");
  const auto command =
      std::ranges::find_if(commands, [&](const Command& known) { return known.name == name; });
  if (command == commands.end()) {
    return fail("BadRequest", fmt::format("the daemon knows no command '{}'", name));
  }
  if (const auto version = text_of(request, "version");
      version != weir_version && !command->any_version) {
    return fail("VersionMismatch",
                fmt::format("the daemon that runs is weir {}, this command is weir {}",
                            weir_version, version),
                "`weir stop` ends it (instances go on); the next command starts the new one");
  }
  return command->run(parts, request, session);
}

}  // namespace

std::string run_command(Parts& parts, const std::string& request, Session& session) {
  try {
    const auto parsed = parse_json(request);
    if (!parsed || !parsed->is_object()) {
      return to_line(error_json({"BadRequest", "a request is one JSON object", ""}));
    }
    const auto result = dispatch(parts, *parsed, session);
    return to_line(result ? Json{{"result", *result}} : error_json(result.error()));
  } catch (const nlohmann::json::exception& wrong) {
    return to_line(error_json({"BadRequest", wrong.what(), ""}));
  } catch (const std::exception& wrong) {
    log::error("a command failed: {}", wrong.what());
    return to_line(error_json({"InternalError", wrong.what(), "the daemon's log says more"}));
  }
}

}  // namespace weir::daemon
