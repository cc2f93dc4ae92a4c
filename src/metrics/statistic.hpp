// CloudWatch's statistics, from their names to numbers: SampleCount, Sum, Average, Minimum,
// Maximum, and those that need the distribution: pNN, tmNN, wmNN, tcNN, tsNN, TM/WM/TC/TS(a:b),
// PR(a:b), IQM.
#pragma once

#include <optional>
#include <string_view>

#include "metrics/datum.hpp"

namespace weir::metrics {

struct Statistic {
  enum class Kind : unsigned char {
    sample_count,
    sum,
    average,
    minimum,
    maximum,
    percentile,       // `to`, in percent
    trimmed_mean,     // of the samples between the bounds
    winsorized_mean,  // those outside count as the bound
    trimmed_count,
    trimmed_sum,
    percentile_rank,  // share in percent of the samples between two values
  };
  Kind kind = Kind::average;
  // Bounds, in percent of the samples or as values; none: open.
  std::optional<double> from;
  std::optional<double> to;
  bool is_percent = true;

  bool operator==(const Statistic&) const = default;
};

// "Average", "p99.9", "TM(2%:98%)"; nothing where it is none.
[[nodiscard]] std::optional<Statistic> parse_statistic(std::string_view name);

// Nothing where the datum cannot tell: no samples, or no distribution of different values.
[[nodiscard]] std::optional<double> evaluate(const Datum& datum, const Statistic& statistic);

}  // namespace weir::metrics
