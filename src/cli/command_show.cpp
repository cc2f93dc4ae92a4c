// The commands that show: status, instances, images, version.
#include <fmt/core.h>

#include <cstdio>

#include "cli/client.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "daemon/version.hpp"

namespace weir::cli {
namespace {

Colour colour_of_state(const std::string& state) {
  if (state == "healthy" || state == "running" || state == "active" ||
      state.ends_with("_COMPLETE")) {
    return Colour::green;
  }
  if (state == "unhealthy" || state == "failed" || state.ends_with("_FAILED")) return Colour::red;
  if (state == "stopped" || state == "terminated" || state == "unused") return Colour::dim;
  return Colour::yellow;
}

std::string text(const Json& object, const char* key) { return daemon::text_of(object, key); }

void print_json(const Json& json) { std::fputs((json.dump(2) + "\n").c_str(), stdout); }

void print_heading(std::string_view heading) {
  fmt::print("\n{}\n", coloured(stdout, Colour::bold, heading));
}

void print_api(const Json& api) {
  const auto url = text(api, "url");
  if (url.empty()) return;
  fmt::print("AWS APIs at {}: {}\n", url,
             daemon::flag_of(api, "verifies_signatures")
                 ? "signatures are verified"
                 : "development mode, any well-formed signature is taken");
}

void print_daemon(const Json& about) {
  fmt::print("weir {}, pid {}, {} ({}), {}, {}\n", text(about, "version"), about.value("pid", 0),
             text(about, "state_dir"), daemon::flag_of(about, "rootless") ? "rootless" : "root",
             text(about, "event_loop"), counted(about.value("workers", 0L), "worker"));
  print_api(about.at("api"));
  if (!daemon::flag_of(about, "limits_enforced")) {
    fmt::print("Note: {}.\n", text(about, "limits_reason"));
  }
}

void print_stacks(const Json& stacks) {
  print_heading("Stacks");
  Table table({"NAME", "STATUS", "RESOURCES", "CREATED", ""});
  for (const auto& stack : stacks) {
    const auto status = text(stack, "status");
    table.add({{text(stack, "name")},
               {status, colour_of_state(status)},
               {std::to_string(stack.at("resources").size())},
               {text(stack, "created_at")},
               {text(stack, "status_reason")}});
  }
  std::fputs(table.text(stdout, "  ").c_str(), stdout);
}

void print_listener(const Json& listener) {
  const auto url = text(listener, "url");
  fmt::print("    {}  {} {}\n", url.empty() ? "(not open)" : url, text(listener, "protocol"),
             listener.value("port", 0L));
  Table rules({"RULE", "WHEN", "THEN"});
  for (const auto& rule : listener.at("rules")) {
    rules.add({{std::to_string(rule.value("priority", 0L))},
               {text(rule, "conditions")},
               {text(rule, "actions")}});
  }
  rules.add({{"default"}, {"all else"}, {text(listener, "default")}});
  std::fputs(rules.text(stdout, "      ").c_str(), stdout);
}

void print_load_balancers(const Json& balancers) {
  print_heading("Load balancers");
  for (const auto& balancer : balancers) {
    std::string zones;
    for (const auto& zone : balancer.at("zones")) {
      zones += (zones.empty() ? "" : ", ") + zone.get<std::string>();
    }
    const auto state = text(balancer, "state");
    fmt::print("  {}  {}  {}\n", text(balancer, "name"),
               coloured(stdout, colour_of_state(state), state), zones);
    if (const auto reason = text(balancer, "state_reason"); !reason.empty()) {
      fmt::print("    {}\n", reason);
    }
    for (const auto& listener : balancer.at("listeners")) print_listener(listener);
  }
}

std::string why(const Json& target) {
  if (const auto note = text(target, "note"); !note.empty()) return note;
  if (const auto description = text(target, "description"); !description.empty()) {
    return description;
  }
  return text(target, "reason");
}

void print_target_groups(const Json& groups) {
  print_heading("Target groups");
  for (const auto& group : groups) {
    long healthy = 0;
    Table table({"TARGET", "PORT", "ZONE", "HEALTH", ""});
    for (const auto& target : group.at("targets")) {
      const auto state = text(target, "state");
      if (state == "healthy") ++healthy;
      table.add({{text(target, "id")},
                 {std::to_string(target.value("port", 0L))},
                 {text(target, "zone")},
                 {state, colour_of_state(state)},
                 {state == "healthy" ? "" : why(target)}});
    }
    fmt::print("  {}  {} {}, checked on {}: {} of {} healthy\n", text(group, "name"),
               text(group, "protocol"), group.value("port", 0L), text(group, "health_check_path"),
               healthy, group.at("targets").size());
    std::fputs(table.text(stdout, "    ").c_str(), stdout);
  }
}

void print_instances(const Json& list) {
  Table table({"ID", "NAME", "TYPE", "STATE", "ZONE", "PRIVATE IP", "USER DATA", "STACK", ""});
  for (const auto& instance : list) {
    const auto state = text(instance, "state");
    const auto user_data = text(instance, "user_data");
    table.add({{text(instance, "id")},
               {text(instance, "name")},
               {text(instance, "type")},
               {state, colour_of_state(state)},
               {text(instance, "zone")},
               {text(instance, "private_ip")},
               {user_data, user_data.starts_with("failed") ? Colour::red : Colour::none},
               {text(instance, "stack")},
               {text(instance, "state_reason")}});
  }
  std::fputs(table.text(stdout).c_str(), stdout);
}

}  // namespace

int status(const Common& common) {
  const auto result = call_daemon(common.state_dir, Json{{"command", "status"}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) {
    print_json(*result);
    return 0;
  }
  print_daemon(result->at("daemon"));
  if (result->at("stacks").empty() && result->at("load_balancers").empty()) {
    fmt::print("\nNothing runs. `weir up` brings the two clusters up.\n");
    return 0;
  }
  print_stacks(result->at("stacks"));
  print_load_balancers(result->at("load_balancers"));
  print_target_groups(result->at("target_groups"));
  return 0;
}

int instances(const Common& common, bool is_all) {
  const auto result =
      call_daemon(common.state_dir, Json{{"command", "instances"}, {"all", is_all}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) {
    print_json(*result);
    return 0;
  }
  const auto& list = result->at("instances");
  if (list.empty()) {
    fmt::print("There are no instances.\n");
  } else {
    print_instances(list);
  }
  if (const auto hidden = result->value("terminated_hidden", 0L); hidden > 0) {
    fmt::print("{} not shown (--all shows them)\n", counted(hidden, "terminated instance"));
  }
  return 0;
}

int instances_action(const Common& common, const std::string& action,
                     const std::vector<std::string>& ids) {
  Progress progress(common.is_json);
  const auto result = call_daemon(
      common.state_dir, Json{{"command", "instances-action"}, {"action", action}, {"ids", ids}},
      [&](const Json& event) {
        progress.update(fmt::format("{}: waiting for {}", action, text(event, "id")));
      });
  progress.update("");
  if (!result) return report_error(common, result.error());
  if (common.is_json) {
    print_json(*result);
  } else {
    print_instances(result->at("instances"));
  }
  return 0;
}

int image_list(const Common& common) {
  const auto result = call_daemon(common.state_dir, Json{{"command", "image-list"}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) {
    print_json(*result);
    return 0;
  }
  Table table({"IMAGE", "SOURCE"});
  for (const auto& image : result->at("images")) {
    table.add({{text(image, "id")},
               {daemon::flag_of(image, "built_in") ? "built from this machine" : "imported"}});
  }
  std::fputs(table.text(stdout).c_str(), stdout);
  return 0;
}

int version(const Common& common) {
  const auto running = call_daemon(common.state_dir, Json{{"command", "ping"}});
  if (common.is_json) {
    Json json{{"version", daemon::weir_version}};
    json["daemon"] = running ? *running : Json{};
    print_json(json);
    return 0;
  }
  fmt::print("weir {}\n", daemon::weir_version);
  if (running)
    fmt::print("daemon: weir {}, pid {}\n", text(*running, "version"), running->value("pid", 0L));
  return 0;
}

}  // namespace weir::cli
