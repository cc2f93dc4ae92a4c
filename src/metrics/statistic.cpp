#include "metrics/statistic.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace weir::metrics {
namespace {

using Kind = Statistic::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> simple_names{{
    {"SampleCount", Kind::sample_count},
    {"Sum", Kind::sum},
    {"Average", Kind::average},
    {"Minimum", Kind::minimum},
    {"Maximum", Kind::maximum},
}};

constexpr std::array<std::pair<std::string_view, Kind>, 4> trimmed_names{{
    {"tm", Kind::trimmed_mean},
    {"wm", Kind::winsorized_mean},
    {"tc", Kind::trimmed_count},
    {"ts", Kind::trimmed_sum},
}};

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end || !std::isfinite(number))
    return std::nullopt;
  return number;
}

bool is_percent(std::optional<double> number) {
  return !number || (*number >= 0 && *number <= 100);
}

// "10%:90%", ":0.5", "1:" into the bounds of `out`.
bool parse_bounds(std::string_view text, Statistic& out) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view from = text.substr(0, colon);
  std::string_view to = text.substr(colon + 1);
  if (from.empty() && to.empty()) return false;
  out.is_percent = from.ends_with('%') || to.ends_with('%');
  for (auto [part, bound] : {std::pair(&from, &out.from), std::pair(&to, &out.to)}) {
    if (part->empty()) continue;
    if (part->ends_with('%') != out.is_percent) return false;
    if (out.is_percent) part->remove_suffix(1);
    *bound = number_of(*part);
    if (!*bound || (out.is_percent && !is_percent(*bound))) return false;
  }
  return !out.from || !out.to || *out.from <= *out.to;
}

// "tm99", "TM(10%:90%)", "PR(:300)".
std::optional<Statistic> parse_trimmed(std::string_view name) {
  const std::string_view rest = name.substr(2);
  Statistic out;
  if (rest.starts_with('(') && rest.ends_with(')')) {
    if (!parse_bounds(rest.substr(1, rest.size() - 2), out)) return std::nullopt;
    if (name.starts_with("PR")) {
      out.kind = Kind::percentile_rank;
      return out.is_percent ? std::nullopt : std::optional(out);
    }
    for (const auto& [letters, kind] : trimmed_names) {
      out.kind = kind;
      if (name[0] == letters[0] - 32 && name[1] == letters[1] - 32) return out;
    }
    return std::nullopt;
  }
  out.to = number_of(rest);
  if (!out.to || !is_percent(out.to)) return std::nullopt;
  for (const auto& [letters, kind] : trimmed_names) {
    out.kind = kind;
    if (name.starts_with(letters)) return out;
  }
  return std::nullopt;
}

// The samples in order, cut at the bounds.
struct Cut {
  double weight = 0;
  double sum = 0;
  double low = 0;  // the values at the bounds
  double high = 0;
  double weight_below = 0;
  double weight_above = 0;
};

Cut cut(const std::vector<Distribution::Point>& points, double total, const Statistic& statistic) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const bool by_share = statistic.is_percent;
  const double first = by_share ? statistic.from.value_or(0) / 100 * total : 0;
  const double last = by_share ? statistic.to.value_or(100) / 100 * total : total;
  const double from = by_share ? -infinite : statistic.from.value_or(-infinite);
  const double to = by_share ? infinite : statistic.to.value_or(infinite);
  Cut out;
  bool has_low = false;
  double before = 0;
  for (const auto& [value, weight] : points) {
    const double begin = std::max(before, first), end = std::min(before + weight, last);
    const double taken = value > from && value <= to ? std::max(end - begin, 0.0) : 0;
    if (taken > 0) {
      if (!std::exchange(has_low, true)) out.low = value;
      out.high = value;
      out.weight += taken;
      out.sum += taken * value;
      out.weight_below += begin - before;
      out.weight_above += before + weight - end;
    } else {
      (has_low ? out.weight_above : out.weight_below) += weight;
    }
    before += weight;
  }
  return out;
}

// By rank, between the neighbours.
double percentile(const std::vector<Distribution::Point>& points, double total, double percent) {
  const double rank = percent / 100 * total;
  double before = 0;
  for (const auto& [value, weight] : points) {
    before += weight;
    if (before >= rank) return value;
  }
  return points.back().value;
}

std::optional<double> of_distribution(const Datum& datum, const Statistic& statistic) {
  std::vector<Distribution::Point> points = datum.distribution.points();
  // A set of equal values has a distribution, though nobody sent it (as CloudWatch has it).
  if (points.empty() && (datum.minimum == datum.maximum || datum.sample_count == 1))
    points.push_back({datum.minimum, datum.sample_count});
  if (points.empty()) return std::nullopt;
  double total = 0;
  for (const auto& point : points) total += point.weight;
  if (statistic.kind == Kind::percentile)
    return std::clamp(percentile(points, total, statistic.to.value_or(100)), datum.minimum,
                      datum.maximum);
  const Cut kept = cut(points, total, statistic);
  switch (statistic.kind) {
    case Kind::trimmed_count:
      return kept.weight;
    case Kind::trimmed_sum:
      return kept.sum;
    case Kind::percentile_rank:
      return kept.weight / total * 100;
    default:
      break;
  }
  if (kept.weight <= 0) return std::nullopt;
  if (statistic.kind == Kind::trimmed_mean) return kept.sum / kept.weight;
  return (kept.sum + kept.weight_below * kept.low + kept.weight_above * kept.high) / total;
}

}  // namespace

std::optional<Statistic> parse_statistic(std::string_view name) {
  for (const auto& [known, kind] : simple_names) {
    if (name == known) return Statistic{.kind = kind, .from = {}, .to = {}};
  }
  if (name == "IQM") return Statistic{.kind = Kind::trimmed_mean, .from = 25, .to = 75};
  if (name.size() > 1 && name[0] == 'p') {
    const auto percent = number_of(name.substr(1));
    if (!percent || !is_percent(percent)) return std::nullopt;
    return Statistic{.kind = Kind::percentile, .from = {}, .to = percent};
  }
  return name.size() > 2 ? parse_trimmed(name) : std::nullopt;
}

std::optional<double> evaluate(const Datum& datum, const Statistic& statistic) {
  if (datum.sample_count <= 0) return std::nullopt;
  switch (statistic.kind) {
    case Kind::sample_count:
      return datum.sample_count;
    case Kind::sum:
      return datum.sum;
    case Kind::average:
      return datum.sum / datum.sample_count;
    case Kind::minimum:
      return datum.minimum;
    case Kind::maximum:
      return datum.maximum;
    default:
      return of_distribution(datum, statistic);
  }
}

}  // namespace weir::metrics
