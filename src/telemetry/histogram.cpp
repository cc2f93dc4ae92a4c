#include "telemetry/histogram.hpp"

namespace weir::telemetry {

HistogramValues& HistogramValues::operator+=(const HistogramValues& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  samples += other.samples;
  sum_us += other.sum_us;
  return *this;
}

HistogramValues& HistogramValues::operator-=(const HistogramValues& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] -= other.counts[i];
  samples -= other.samples;
  sum_us -= other.sum_us;
  return *this;
}

double HistogramValues::quantile_us(double share) const {
  if (samples == 0) return 0;
  const double wanted = std::clamp(share, 0.0, 1.0) * static_cast<double>(samples);
  double below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= wanted) {
      const auto start = static_cast<double>(Buckets::start(i));
      const auto end = static_cast<double>(Buckets::start(i + 1));
      return start + (end - start) * std::max(0.0, wanted - below) / here;
    }
    below += here;
  }
  return static_cast<double>(Buckets::start(Buckets::count));
}

double HistogramValues::mean_us() const {
  return samples == 0 ? 0 : static_cast<double>(sum_us) / static_cast<double>(samples);
}

std::uint64_t HistogramValues::at_most(std::uint64_t us) const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size() && Buckets::start(i + 1) <= us + 1; ++i)
    total += counts[i];
  return total;
}

// The samples are those of the buckets read, so that a copy made while the writer goes on is
// consistent in itself.
void Histogram::add_to(HistogramValues& out) const {
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const std::uint64_t here = counts_[i].value();
    out.counts[i] += here;
    out.samples += here;
  }
  out.sum_us += sum_us_.value();
}

}  // namespace weir::telemetry
