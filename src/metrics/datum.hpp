// What a metric holds of one period: CloudWatch's statistic set, and where the single values are
// known, their distribution for percentiles.
//
// A distribution is a sorted list of values with weights. Values stay exact while there are few;
// more than `Distribution::points_max` are rounded to 32 steps an octave, so that a datum is
// bounded whatever is put in and data of any periods can be merged.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/histogram.hpp"

namespace weir::metrics {

class Distribution {
 public:
  static constexpr std::size_t points_max = 256;

  struct Point {
    double value = 0;
    double weight = 0;
    bool operator==(const Point&) const = default;
  };

  Distribution() = default;
  // Any order; finite values, weights above 0.
  explicit Distribution(std::vector<Point> points);

  void merge(const Distribution& other);
  [[nodiscard]] bool empty() const { return points_.empty(); }
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }  // sorted by value

  // As it lies in the database. Bytes that are none give an empty one.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Distribution decode(std::string_view bytes);

  bool operator==(const Distribution&) const = default;

 private:
  void bound();

  std::vector<Point> points_;
};

struct Datum {
  double sample_count = 0;
  double sum = 0;
  double minimum = 0;
  double maximum = 0;
  // Of all samples, or empty.
  Distribution distribution;

  [[nodiscard]] static Datum of(double value, double count = 1);
  // Seconds.
  [[nodiscard]] static Datum of(const telemetry::HistogramValues& durations);
  void merge(const Datum& other);
  bool operator==(const Datum&) const = default;
};

}  // namespace weir::metrics
