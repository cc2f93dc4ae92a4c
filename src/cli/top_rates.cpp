#include "cli/top_rates.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "telemetry/histogram.hpp"

namespace weir::cli {
namespace {

using daemon::Json;
using telemetry::HistogramValues;

std::uint64_t count(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// A counter that has become less has begun anew.
std::uint64_t since(const Json& before, const Json& after, const char* key) {
  const std::uint64_t old = before.is_null() ? 0 : count(before, key), now = count(after, key);
  return now >= old ? now - old : now;
}

HistogramValues times_of(const Json& entry) {
  HistogramValues out;
  if (entry.is_null() || !entry.contains("times")) return out;
  for (const auto& pair : entry.at("times")) {
    const auto bucket = pair.at(0).get<std::size_t>();
    if (bucket >= out.counts.size()) continue;
    out.counts[bucket] = pair.at(1).get<std::uint64_t>();
    out.samples += out.counts[bucket];
  }
  return out;
}

HistogramValues times_since(const Json& before, const Json& after) {
  const HistogramValues old = times_of(before);
  HistogramValues now = times_of(after);
  if (now.samples >= old.samples) now -= old;
  return now;
}

// The entry of the other answer that is of the same thing; null where there is none.
Json same(const Json& list, const Json& entry) {
  const char* identity[] = {"arn", "target_group", "id", "port"};
  const auto found = std::ranges::find_if(list, [&](const Json& other) {
    return std::ranges::all_of(identity, [&](const char* key) {
      return !entry.contains(key) || (other.contains(key) && other.at(key) == entry.at(key));
    });
  });
  return found == list.end() ? Json() : *found;
}

void add_latency(Json& row, const Json& before, const Json& after) {
  if (after.contains("times")) {
    const HistogramValues times = times_since(before, after);
    row["p50_ms"] = times.samples > 0 ? Json(times.quantile_us(0.5) / 1'000) : Json();
    row["p99_ms"] = times.samples > 0 ? Json(times.quantile_us(0.99) / 1'000) : Json();
    return;
  }
  const auto responses = static_cast<double>(since(before, after, "responses"));
  const auto us = static_cast<double>(since(before, after, "response_time_us"));
  row["mean_ms"] = responses > 0 ? Json(us / responses / 1'000) : Json();
}

Json rates(const Json& before, const Json& after, double seconds) {
  Json row;
  for (const char* key : {"name", "target_group", "id", "port", "zone", "health", "healthy",
                          "targets", "connections"}) {
    if (after.contains(key)) row[key] = after.at(key);
  }
  for (const char* key : {"requests", "2xx", "4xx", "5xx", "bytes"}) {
    if (!after.contains(key)) continue;
    const auto more = before.is_null() ? 0 : since(before, after, key);
    row[std::string(key) + "_per_second"] = seconds > 0 ? static_cast<double>(more) / seconds : 0.0;
  }
  add_latency(row, before.is_null() ? after : before, after);
  return row;
}

}  // namespace

Json top_rates(const Json& before, const Json& after) {
  const double seconds = (after.value("time_ms", 0.0) - before.value("time_ms", 0.0)) / 1'000;
  Json out{{"seconds", seconds}};
  for (const char* key : {"load_balancers", "target_groups", "targets"}) {
    Json& rows = out[key] = Json::array();
    for (const Json& entry : after.at(key))
      rows.push_back(rates(same(before.at(key), entry), entry, seconds));
  }
  return out;
}

}  // namespace weir::cli
