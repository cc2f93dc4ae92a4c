// PutMetricData: everything is checked before anything is taken.
#include <fmt/format.h>

#include <cmath>

#include "aws/cloudwatch/handlers.hpp"

namespace weir::aws::cloudwatch {
namespace {

using metrics::Datum;
using metrics::Distribution;
using metrics::Sample;

// CloudWatch's own limits.
constexpr std::size_t data_per_call_max = 1'000;
constexpr std::size_t values_max = 150;
constexpr std::int64_t past_s_max = 14 * 24 * 3'600;
constexpr std::int64_t future_s_max = 2 * 3'600;
const double value_max = std::ldexp(1.0, 360);

std::unexpected<Error> invalid(std::string message) {
  return fail("InvalidParameterValue", std::move(message));
}

bool is_in_range(double value) { return std::isfinite(value) && std::fabs(value) <= value_max; }

double number_of(const Value& value) {
  if (const auto* number = std::get_if<double>(&value.held())) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value.held()))
    return static_cast<double>(*number);
  return NAN;
}

Result<Datum> datum_of_set(const Value& set) {
  const Datum out{*set.number("SampleCount"),
                  *set.number("Sum"),
                  *set.number("Minimum"),
                  *set.number("Maximum"),
                  {}};
  for (const double number : {out.sample_count, out.sum, out.minimum, out.maximum}) {
    if (!is_in_range(number)) return invalid("A value of StatisticValues is out of range");
  }
  if (out.sample_count <= 0)
    return invalid("The parameter StatisticValues.SampleCount must be greater than 0.");
  if (out.maximum < out.minimum)
    return invalid(
        "The parameter StatisticValues.Maximum must be greater than or equal to "
        "StatisticValues.Minimum.");
  return out;
}

Result<Datum> datum_of_values(const Value& datum) {
  const auto& values = datum.list("Values");
  const auto& counts = datum.list("Counts");
  if (values.size() > values_max)
    return invalid(
        fmt::format("The collection Values must not have a size greater than {}.", values_max));
  if (!counts.empty() && counts.size() != values.size())
    return invalid("The parameters Values and Counts must be of the same size.");
  Datum out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = number_of(values[i]);
    const double count = counts.empty() ? 1 : number_of(counts[i]);
    if (!is_in_range(value)) return invalid("A value of Values is out of range");
    if (!is_in_range(count) || count < 0) return invalid("A value of Counts is out of range");
    if (count > 0) out.merge(Datum::of(value, count));
  }
  return out;
}

Result<Datum> datum_of(const Value& datum) {
  const bool has_value = datum.has("Value"), has_set = datum.has("StatisticValues"),
             has_values = !datum.list("Values").empty();
  if (int{has_value} + int{has_set} + int{has_values} != 1) {
    return fail("InvalidParameterCombination",
                "Exactly one of the parameters Value, Values and StatisticValues must be given.");
  }
  if (has_set) return datum_of_set(*datum.find("StatisticValues"));
  if (has_values) return datum_of_values(datum);
  const double value = datum.number("Value").value_or(NAN);
  if (!is_in_range(value))
    return invalid(fmt::format("The value {} for parameter Value is invalid.", value));
  return Datum::of(value);
}

Result<Sample> sample_of(const std::string& name_space, const Value& datum, std::int64_t now_s) {
  auto metric = metric_of(name_space, datum);
  if (!metric) return std::unexpected(metric.error());
  auto values = datum_of(datum);
  if (!values) return std::unexpected(values.error());
  const auto time = datum.time("Timestamp");
  const std::int64_t time_s = time ? time->ms / 1'000 : now_s;
  if (time_s < now_s - past_s_max || time_s > now_s + future_s_max) {
    return invalid(
        "The parameter Timestamp must specify a time no more than two weeks in the past "
        "and no more than two hours in the future.");
  }
  if (const auto resolution = datum.integer("StorageResolution").value_or(60);
      resolution != 1 && resolution != 60) {
    return invalid("The parameter StorageResolution must be 1 or 60.");
  }
  return Sample{std::move(*metric), datum.text("Unit", "None"), time_s, std::move(*values),
                metrics::Joining::samples};
}

Result<Value> put_metric_data(const CloudWatchParts& parts, const Value& input) {
  const auto name_space = input.text("Namespace");
  if (name_space.starts_with("AWS/"))
    return invalid("The value AWS/ for parameter Namespace is invalid.");
  std::vector<const Value*> data;
  for (const Value& datum : input.list("MetricData")) data.push_back(&datum);
  for (const Value& entity : input.list("EntityMetricData"))
    for (const Value& datum : entity.list("MetricData")) data.push_back(&datum);
  if (data.empty()) return fail("MissingParameter", "The parameter MetricData is required.");
  if (data.size() > data_per_call_max) {
    return invalid(fmt::format("The collection MetricData must not have a size greater than {}.",
                               data_per_call_max));
  }
  const std::int64_t now_s = parts.clock() / 1'000;
  std::vector<Sample> samples;
  for (const Value* datum : data) {
    auto sample = sample_of(name_space, *datum, now_s);
    if (!sample) return std::unexpected(sample.error());
    if (sample->datum.sample_count > 0) samples.push_back(std::move(*sample));
  }
  if (auto taken = parts.metrics.put(std::move(samples)); !taken)
    return std::unexpected(taken.error());
  return Value{};
}

}  // namespace

void add_putting(Handlers& handlers, const CloudWatchParts& parts) {
  handlers["PutMetricData"] = [parts](const Caller&, const Value& input) {
    return put_metric_data(parts, input);
  };
}

}  // namespace weir::aws::cloudwatch
