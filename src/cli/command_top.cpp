// `weir top`: what the load balancers do right now. On a terminal the table is drawn anew in place
// until Ctrl-C; into a pipe it is written once, or again and again where an interval is asked for.
#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "cli/client.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "cli/top_rates.hpp"

namespace weir::cli {
namespace {

constexpr const char* home_and_clear = "\x1b[H\x1b[J";

std::string rate_text(const Json& row, const char* key) {
  const double rate = row.value(key, 0.0);
  if (rate <= 0) return "0";
  return rate < 10 ? fmt::format("{:.1f}", rate) : fmt::format("{:.0f}", rate);
}

std::string ms_text(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) return "-";
  return fmt::format("{:.2f}", found->get<double>());
}

Table::Cell alarming(const Json& row, const char* key, Colour colour) {
  return {rate_text(row, key), row.value(key, 0.0) > 0 ? colour : Colour::none};
}

std::vector<Table::Cell> rate_cells(const Json& row) {
  return {{rate_text(row, "requests_per_second")},
          {rate_text(row, "2xx_per_second")},
          alarming(row, "4xx_per_second", Colour::yellow),
          alarming(row, "5xx_per_second", Colour::red)};
}

Colour colour_of_health(const std::string& health) {
  if (health == "healthy") return Colour::green;
  if (health == "unhealthy") return Colour::red;
  return health == "unused" ? Colour::dim : Colour::yellow;
}

std::string balancers_text(const Json& rows) {
  Table table({"LOAD BALANCER", "REQ/S", "2XX/S", "4XX/S", "5XX/S", "P50 MS", "P99 MS", "CLIENTS"});
  for (const Json& row : rows) {
    std::vector<Table::Cell> cells{{daemon::text_of(row, "name")}};
    for (auto& cell : rate_cells(row)) cells.push_back(std::move(cell));
    cells.push_back({ms_text(row, "p50_ms")});
    cells.push_back({ms_text(row, "p99_ms")});
    cells.push_back({std::to_string(row.value("connections", 0L))});
    table.add(std::move(cells));
  }
  return table.text(stdout);
}

std::string groups_text(const Json& rows) {
  Table table({"TARGET GROUP", "REQ/S", "2XX/S", "4XX/S", "5XX/S", "P50 MS", "P99 MS",
               "CONNECTIONS", "HEALTHY"});
  for (const Json& row : rows) {
    const long healthy = row.value("healthy", 0L), all = row.value("targets", 0L);
    std::vector<Table::Cell> cells{{daemon::text_of(row, "name")}};
    for (auto& cell : rate_cells(row)) cells.push_back(std::move(cell));
    cells.push_back({ms_text(row, "p50_ms")});
    cells.push_back({ms_text(row, "p99_ms")});
    cells.push_back({std::to_string(row.value("connections", 0L))});
    cells.push_back({fmt::format("{} of {}", healthy, all), healthy == all ? Colour::green
                                                            : healthy == 0 ? Colour::red
                                                                           : Colour::yellow});
    table.add(std::move(cells));
  }
  return table.text(stdout);
}

std::string targets_text(const Json& rows) {
  Table table({"TARGET", "GROUP", "REQ/S", "2XX/S", "4XX/S", "5XX/S", "MEAN MS", "CONNECTIONS",
               "ZONE", "HEALTH"});
  for (const Json& row : rows) {
    const auto health = daemon::text_of(row, "health");
    std::vector<Table::Cell> cells{
        {fmt::format("{}:{}", daemon::text_of(row, "id"), row.value("port", 0L))},
        {daemon::text_of(row, "target_group")}};
    for (auto& cell : rate_cells(row)) cells.push_back(std::move(cell));
    cells.push_back({ms_text(row, "mean_ms")});
    cells.push_back({std::to_string(row.value("connections", 0L))});
    cells.push_back({daemon::text_of(row, "zone")});
    cells.push_back({health, colour_of_health(health)});
    table.add(std::move(cells));
  }
  return table.text(stdout);
}

std::string text_of(const Json& rates) {
  if (rates.at("load_balancers").empty())
    return "There are no load balancers. `weir up` brings the two clusters up.\n";
  return balancers_text(rates.at("load_balancers")) + "\n" +
         groups_text(rates.at("target_groups")) + "\n" + targets_text(rates.at("targets"));
}

// False: nobody reads any more.
bool show(const Json& rates, bool is_json, bool is_live) {
  const std::string text = is_json ? rates.dump() + "\n" : text_of(rates);
  if (is_live) std::fputs(home_and_clear, stdout);
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0;
}

}  // namespace

int top(const Common& common, const TopOptions& options) {
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const bool is_live = is_terminal && !common.is_json && !options.is_once;
  const bool is_once = options.is_once || (!is_live && options.interval_seconds <= 0);
  const auto interval =
      std::chrono::duration<double>(options.interval_seconds > 0 ? options.interval_seconds : 1.0);
  const Json request{{"command", "top"}};
  auto before = call_daemon(common.state_dir, request);
  if (!before) return report_error(common, before.error());
  while (true) {
    std::this_thread::sleep_for(interval);
    auto after = call_daemon(common.state_dir, request);
    if (!after) return report_error(common, after.error());
    const bool is_read = show(top_rates(*before, *after), common.is_json, is_live);
    if (is_once || !is_read) return 0;
    before = std::move(after);
  }
}

}  // namespace weir::cli
