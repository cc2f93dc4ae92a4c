// `weir explain`: the daemon's answer as a table.
#include <fmt/core.h>

#include <cstdio>

#include "cli/client.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"

namespace weir::cli {
namespace {

std::string text(const Json& object, const char* key) { return daemon::text_of(object, key); }

void print_rules(const Json& result) {
  Table table({"RULE", "WHEN", ""});
  for (const auto& rule : result.at("rules")) {
    const bool takes_it = daemon::flag_of(rule, "takes_it");
    table.add({{std::to_string(rule.value("priority", 0L))},
               {text(rule, "conditions")},
               {takes_it ? "takes it" : fmt::format("no: {}", text(rule, "seen")),
                takes_it ? Colour::green : Colour::dim}});
  }
  if (text(result, "priority") == "default") {
    table.add({{"default"}, {"no other rule does"}, {"takes it", Colour::green}});
  }
  std::fputs(table.text(stdout, "  ").c_str(), stdout);
}

void print_transform(const Json& transform) {
  const auto status = text(transform, "status");
  if (status == "-") return fmt::print("Transforms: none matches; the request stays as it is.\n");
  if (status != "TransformSuccess") return fmt::print("Transforms: 500, {}.\n", status);
  if (const auto host = text(transform, "host"); !host.empty())
    fmt::print("Host becomes {}\n", host);
  if (const auto uri = text(transform, "uri"); !uri.empty()) fmt::print("URL becomes {}\n", uri);
}

}  // namespace

int explain(const Common& common, const ExplainOptions& options) {
  const auto result = call_daemon(common.state_dir, Json{{"command", "explain"},
                                                         {"method", options.method},
                                                         {"url", options.url},
                                                         {"headers", options.headers},
                                                         {"client_ip", options.client_ip}});
  if (!result) return report_error(common, result.error());
  if (common.is_json) {
    std::fputs((result->dump(2) + "\n").c_str(), stdout);
    return 0;
  }
  fmt::print("{}, listener on port {}\n", text(*result, "load_balancer"),
             result->value("listener_port", 0L));
  print_rules(*result);
  fmt::print("Action: {}\n", text(*result, "action"));
  if (const auto transform = result->find("transform"); transform != result->end())
    print_transform(*transform);
  for (const auto& warning : result->at("warnings"))
    fmt::print("Warning: {}.\n", warning.get<std::string>());
  return 0;
}

}  // namespace weir::cli
