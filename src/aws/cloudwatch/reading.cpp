// ListMetrics, GetMetricStatistics, GetMetricData.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "aws/cloudwatch/handlers.hpp"
#include "metrics/statistic.hpp"

namespace weir::aws::cloudwatch {
namespace {

using metrics::MetricId;
using metrics::Period;
using metrics::Statistic;

// CloudWatch's own limits.
constexpr std::size_t metrics_per_page = 500;
constexpr std::int64_t datapoints_max = 1'440;  // of GetMetricStatistics
constexpr std::size_t queries_max = 500;
constexpr std::size_t data_max = 100'800;  // of GetMetricData
constexpr std::int64_t recently_s = 3 * 3'600;

std::int64_t start_s(const Value& input) { return input.time("StartTime")->ms / 1'000; }
std::int64_t end_s(const Value& input) { return (input.time("EndTime")->ms + 999) / 1'000; }

// Data are kept by the minute, so finer periods are minutes.
Result<std::int64_t> period_of(const Value& value) {
  const std::int64_t period = value.integer("Period").value_or(metrics::minute_s);
  const bool is_fine = period == 1 || period == 5 || period == 10 || period == 30;
  if (!is_fine && period % metrics::minute_s != 0) {
    return fail("InvalidParameterValue",
                "The parameter Period must be 1, 5, 10, 30 or a multiple of 60");
  }
  return std::max(period, metrics::minute_s);
}

Status check_times(const Value& input) {
  if (input.time("StartTime")->ms < input.time("EndTime")->ms) return {};
  return fail("InvalidParameterValue",
              "The parameter StartTime must be less than the parameter EndTime.");
}

// ---------------------------------------------------------------- ListMetrics
Result<std::size_t> first_of_page(const Value& input) {
  const auto token = input.optional_text("NextToken");
  if (!token) return std::size_t{0};
  const auto key = read_marker(*token);
  std::size_t first = 0;
  const auto* end = key ? key->data() + key->size() : nullptr;
  if (!key || std::from_chars(key->data(), end, first).ptr != end)
    return fail("InvalidParameterValue", "The parameter NextToken is not valid");
  return first;
}

Result<Value> list_metrics(const CloudWatchParts& parts, const Value& input) {
  const auto first = first_of_page(input);
  if (!first) return std::unexpected(first.error());
  metrics::MetricFilter filter;
  filter.name_space = input.text("Namespace");
  filter.name = input.text("MetricName");
  for (const Value& dimension : input.list("Dimensions"))
    filter.dimensions[dimension.text("Name")] = dimension.optional_text("Value");
  if (input.has("RecentlyActive")) filter.active_since_s = parts.clock() / 1'000 - recently_s;
  parts.metrics.refresh();
  const auto all = parts.metrics.list(filter);
  const std::size_t end = std::min(all.size(), *first + metrics_per_page);
  Value::List page;
  for (std::size_t i = *first; i < end; ++i) page.push_back(metric_value(all[i]));
  Value output{{"Metrics", std::move(page)}};
  if (end < all.size()) output.set("NextToken", make_marker(std::to_string(end)));
  return output;
}

// ---------------------------------------------------------------- GetMetricStatistics
using NamedStatistics = std::vector<std::pair<std::string, Statistic>>;

Result<NamedStatistics> statistics_of(const std::vector<std::string>& names) {
  NamedStatistics out;
  for (const std::string& name : names) {
    const auto parsed = metrics::parse_statistic(name);
    if (!parsed) {
      return fail(
          "InvalidParameterValue",
          fmt::format("The value {} for parameter ExtendedStatistics is not supported.", name));
    }
    out.emplace_back(name, *parsed);
  }
  return out;
}

Value datapoint(const Period& period, const NamedStatistics& simple,
                const NamedStatistics& extended) {
  Value out{{"Timestamp", Timestamp{period.time_s * 1'000}}, {"Unit", period.unit}};
  for (const auto& [name, statistic] : simple) {
    if (const auto value = evaluate(period.datum, statistic)) out.set(name, *value);
  }
  Value more;
  for (const auto& [name, statistic] : extended) {
    if (const auto value = evaluate(period.datum, statistic)) more.set(name, *value);
  }
  if (!more.members().empty()) out.set("ExtendedStatistics", std::move(more));
  return out;
}

Result<Value> get_metric_statistics(const CloudWatchParts& parts, const Value& input) {
  if (auto times = check_times(input); !times) return std::unexpected(times.error());
  const auto period = period_of(input);
  if (!period) return std::unexpected(period.error());
  const auto simple = statistics_of(input.texts("Statistics"));
  if (!simple) return std::unexpected(simple.error());
  const auto extended = statistics_of(input.texts("ExtendedStatistics"));
  if (!extended) return std::unexpected(extended.error());
  if (simple->empty() && extended->empty()) {
    return fail(
        "MissingParameter",
        "At least one of the parameters Statistics and ExtendedStatistics must be specified");
  }
  if (const auto wanted = (end_s(input) - start_s(input) + *period - 1) / *period;
      wanted > datapoints_max) {
    return fail("InvalidParameterCombination",
                fmt::format("You have requested up to {} datapoints, which exceeds the limit of "
                            "1,440. You may reduce the datapoints requested by increasing Period, "
                            "or decreasing the time range.",
                            wanted));
  }
  const auto metric = metric_of(input.text("Namespace"), input);
  if (!metric) return std::unexpected(metric.error());
  parts.metrics.refresh();
  const auto found = parts.metrics.query(
      {*metric, start_s(input), end_s(input), *period, input.optional_text("Unit")});
  if (!found) return fail("InternalServiceError", found.error().message);
  Value::List points;
  for (const Period& one : *found) points.push_back(datapoint(one, *simple, *extended));
  return Value{{"Label", metric->name}, {"Datapoints", std::move(points)}};
}

// ---------------------------------------------------------------- GetMetricData
std::unexpected<Error> invalid(std::string message) {
  return fail("ValidationError", std::move(message));
}

bool is_id(const std::string& id) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !id.empty() && id[0] >= 'a' && id[0] <= 'z' && std::ranges::all_of(id, is_word);
}

struct DataQuery {
  std::string id;
  std::string label;
  Statistic statistic;
  metrics::Query query;
};

Result<DataQuery> data_query(const Value& wanted, const Value& input) {
  DataQuery out;
  out.id = wanted.text("Id");
  if (!is_id(out.id)) {
    return invalid(
        fmt::format("The value {} for parameter MetricDataQueries.member.Id is not "
                    "matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
                    out.id));
  }
  const Value* stat = wanted.find("MetricStat");
  if (wanted.has("Expression") || stat == nullptr) {
    return invalid(
        fmt::format("Query {} has no MetricStat: expressions are not supported by Weir", out.id));
  }
  const Value& metric = *stat->find("Metric");
  if (!metric.has("Namespace") || !metric.has("MetricName"))
    return invalid("The parameters Namespace and MetricName must be set in MetricStat.Metric");
  auto id = metric_of(metric.text("Namespace"), metric);
  if (!id) return invalid(id.error().message);
  const auto statistic = metrics::parse_statistic(stat->text("Stat"));
  if (!statistic)
    return invalid(
        fmt::format("The value {} for parameter Stat is not supported.", stat->text("Stat")));
  const auto period = period_of(*stat);
  if (!period) return invalid(period.error().message);
  out.label = wanted.text("Label", id->name);
  out.statistic = *statistic;
  out.query = {std::move(*id), start_s(input), end_s(input), *period, stat->optional_text("Unit")};
  return out;
}

// All of them are read before any is answered: one that is wrong refuses the call.
Result<std::vector<DataQuery>> data_queries(const Value& input) {
  const auto& wanted = input.list("MetricDataQueries");
  if (wanted.empty() || wanted.size() > queries_max)
    return invalid(fmt::format("MetricDataQueries must hold 1 to {} queries", queries_max));
  std::vector<DataQuery> out;
  std::set<std::string> ids;
  for (const Value& one : wanted) {
    auto query = data_query(one, input);
    if (!query) return std::unexpected(query.error());
    if (!ids.insert(query->id).second)
      return invalid("The values for parameter id in MetricDataQueries are not unique.");
    if (one.flag("ReturnData").value_or(true)) out.push_back(std::move(*query));
  }
  return out;
}

Value data_result(const DataQuery& query, const std::vector<Period>& periods, bool is_descending,
                  std::size_t room) {
  std::vector<std::pair<std::int64_t, double>> points;
  for (const Period& period : periods) {
    if (const auto value = evaluate(period.datum, query.statistic))
      points.emplace_back(period.time_s, *value);
  }
  if (is_descending) std::ranges::reverse(points);
  const bool is_cut = points.size() > room;
  if (is_cut) points.resize(room);
  Value::List times, values;
  for (const auto& [time_s, value] : points) {
    times.emplace_back(Timestamp{time_s * 1'000});
    values.emplace_back(value);
  }
  return {{"Id", query.id},
          {"Label", query.label},
          {"Timestamps", std::move(times)},
          {"Values", std::move(values)},
          {"StatusCode", is_cut ? "PartialData" : "Complete"}};
}

Result<Value> get_metric_data(const CloudWatchParts& parts, const Value& input) {
  if (input.time("StartTime")->ms >= input.time("EndTime")->ms)
    return invalid("The parameter StartTime must be less than the parameter EndTime.");
  const auto queries = data_queries(input);
  if (!queries) return std::unexpected(queries.error());
  if (input.has("NextToken")) return fail("InvalidNextToken", "The token is not valid");
  const bool is_descending = input.text("ScanBy") != "TimestampAscending";
  const auto asked = input.integer("MaxDatapoints").value_or(data_max);
  std::size_t room = static_cast<std::size_t>(std::clamp<std::int64_t>(asked, 1, data_max));
  parts.metrics.refresh();
  Value::List results;
  for (const DataQuery& query : *queries) {
    const auto found = parts.metrics.query(query.query);
    if (!found) return fail("InternalServiceError", found.error().message);
    Value result = data_result(query, *found, is_descending, room);
    room -= result.list("Values").size();
    results.push_back(std::move(result));
  }
  return Value{{"MetricDataResults", std::move(results)}, {"Messages", Value::List{}}};
}

}  // namespace

Result<MetricId> metric_of(const std::string& name_space, const Value& value) {
  MetricId out{name_space, value.text("MetricName"), {}};
  for (const Value& dimension : value.list("Dimensions")) {
    if (!out.dimensions.emplace(dimension.text("Name"), dimension.text("Value")).second) {
      return fail("InvalidParameterValue",
                  fmt::format("The dimension {} is given twice", dimension.text("Name")));
    }
  }
  return out;
}

Value metric_value(const MetricId& metric) {
  Value::List dimensions;
  for (const auto& [name, value] : metric.dimensions)
    dimensions.push_back({{"Name", name}, {"Value", value}});
  return {{"Namespace", metric.name_space},
          {"MetricName", metric.name},
          {"Dimensions", std::move(dimensions)}};
}

void add_reading(Handlers& handlers, const CloudWatchParts& parts) {
  const auto add = [&](const char* name,
                       Result<Value> (*run)(const CloudWatchParts&, const Value&)) {
    handlers[name] = [parts, run](const Caller&, const Value& input) { return run(parts, input); };
  };
  add("ListMetrics", list_metrics);
  add("GetMetricStatistics", get_metric_statistics);
  add("GetMetricData", get_metric_data);
}

}  // namespace weir::aws::cloudwatch
