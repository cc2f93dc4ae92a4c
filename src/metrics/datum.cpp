#include "metrics/datum.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace weir::metrics {
namespace {

using Point = Distribution::Point;
static_assert(sizeof(Point) == 2 * sizeof(double));

// Sorted points with equal values as one.
std::vector<Point> united(std::vector<Point> points) {
  std::vector<Point> out;
  out.reserve(points.size());
  for (const Point& point : points) {
    if (!out.empty() && out.back().value == point.value) {
      out.back().weight += point.weight;
    } else {
      out.push_back(point);
    }
  }
  return out;
}

// The middle of the step that a value lies in.
double rounded(double value) {
  constexpr double steps = 64;  // of a mantissa in 0.5..1
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::ldexp((std::trunc(mantissa * steps) + std::copysign(0.5, value)) / steps, exponent);
}

// Two neighbours as one, so half as many.
std::vector<Point> paired(const std::vector<Point>& points) {
  std::vector<Point> out;
  for (std::size_t i = 0; i < points.size(); i += 2) {
    if (i + 1 == points.size()) {
      out.push_back(points[i]);
      break;
    }
    const Point &low = points[i], &high = points[i + 1];
    const double weight = low.weight + high.weight;
    out.push_back({low.value + (high.value - low.value) * (high.weight / weight), weight});
  }
  return out;
}

}  // namespace

Distribution::Distribution(std::vector<Point> points) {
  std::ranges::sort(points, {}, &Point::value);
  points_ = united(std::move(points));
  bound();
}

void Distribution::bound() {
  if (points_.size() <= points_max) return;
  for (Point& point : points_) {
    if (point.value != 0) point.value = rounded(point.value);
  }
  points_ = united(std::move(points_));
  while (points_.size() > points_max) points_ = united(paired(points_));
}

void Distribution::merge(const Distribution& other) {
  std::vector<Point> both;
  both.reserve(points_.size() + other.points_.size());
  std::ranges::merge(points_, other.points_, std::back_inserter(both), {}, &Point::value,
                     &Point::value);
  points_ = united(std::move(both));
  bound();
}

std::string Distribution::encode() const {
  return {reinterpret_cast<const char*>(points_.data()), points_.size() * sizeof(Point)};
}

Distribution Distribution::decode(std::string_view bytes) {
  if (bytes.size() % sizeof(Point) != 0 || bytes.size() / sizeof(Point) > points_max) return {};
  std::vector<Point> points(bytes.size() / sizeof(Point));
  if (!points.empty()) std::memcpy(points.data(), bytes.data(), bytes.size());
  const bool is_sound = std::ranges::all_of(points, [](const Point& point) {
    return std::isfinite(point.value) && std::isfinite(point.weight) && point.weight > 0;
  });
  return is_sound ? Distribution(std::move(points)) : Distribution();
}

Datum Datum::of(double value, double count) {
  return {count, value * count, value, value, Distribution({{value, count}})};
}

Datum Datum::of(const telemetry::HistogramValues& durations) {
  using telemetry::Buckets;
  Datum out;
  std::vector<Point> points;
  for (std::size_t i = 0; i < Buckets::count; ++i) {
    if (durations.counts[i] == 0) continue;
    const auto start = static_cast<double>(Buckets::start(i));
    const auto width = static_cast<double>(Buckets::start(i + 1)) - start;
    points.push_back({(start + (width - 1) / 2) / 1e6, static_cast<double>(durations.counts[i])});
  }
  if (points.empty()) return out;
  out.sample_count = static_cast<double>(durations.samples);
  out.sum = static_cast<double>(durations.sum_us) / 1e6;
  out.minimum = points.front().value;
  out.maximum = points.back().value;
  out.distribution = Distribution(std::move(points));
  return out;
}

void Datum::merge(const Datum& other) {
  if (other.sample_count == 0) return;
  if (sample_count == 0) {
    *this = other;
    return;
  }
  sample_count += other.sample_count;
  sum += other.sum;
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  // One part without known values makes the whole unknown.
  if (distribution.empty() || other.distribution.empty()) {
    distribution = {};
  } else {
    distribution.merge(other.distribution);
  }
}

}  // namespace weir::metrics
