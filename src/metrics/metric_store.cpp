#include "metrics/metric_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "base/log.hpp"
#include "metrics/history.hpp"

namespace weir::metrics {
namespace {

constexpr std::int64_t prune_every_s = 3'600;

std::int64_t floor_to(std::int64_t time_s, std::int64_t width) { return time_s - time_s % width; }

std::size_t bytes_of(const MetricId& metric) {
  std::size_t bytes = 256 + metric.name_space.size() + metric.name.size();
  for (const auto& [name, value] : metric.dimensions) bytes += 128 + name.size() + value.size();
  return bytes;
}

void join(Datum& datum, const Datum& more, Joining joining) {
  if (joining == Joining::samples || datum.sample_count == 0) return datum.merge(more);
  if (joining == Joining::total) {
    datum.sum += more.sum;
    datum.minimum = datum.maximum = datum.sum;
    return;
  }
  datum.minimum = std::min(datum.minimum, more.minimum);
  datum.maximum = std::max(datum.maximum, more.maximum);
  datum.sum = more.sum;
}

bool matches(const MetricFilter& filter, const MetricId& metric) {
  if (!filter.name_space.empty() && filter.name_space != metric.name_space) return false;
  if (!filter.name.empty() && filter.name != metric.name) return false;
  return std::ranges::all_of(filter.dimensions, [&](const auto& wanted) {
    const auto found = metric.dimensions.find(wanted.first);
    return found != metric.dimensions.end() && (!wanted.second || *wanted.second == found->second);
  });
}

class Store final : public MetricStore {
 public:
  Store(std::unique_ptr<History> history, Clock clock, Limits limits)
      : history_(std::move(history)), clock_(std::move(clock)), limits_(limits) {}
  ~Store() override {
    if (auto written = flush(true); !written)
      log::warn("the last minute's metrics are lost: {}", written.error().message);
  }

  Status load();

  Status put(std::vector<Sample> samples) override;
  [[nodiscard]] std::vector<MetricId> list(const MetricFilter& filter) const override;
  [[nodiscard]] Result<std::vector<Period>> query(const Query& query) override;
  void refresh() override {
    if (refresh_) refresh_();
  }
  void set_refresh(std::function<void()> refresh) override { refresh_ = std::move(refresh); }
  Status flush(bool all) override;

  Result<std::map<std::string, std::string>> load_records(const std::string& kind) override {
    const std::lock_guard lock(mutex_);
    return history_->load_records(kind);
  }
  Status put_record(const std::string& kind, const std::string& key,
                    const std::optional<std::string>& body) override {
    const std::lock_guard lock(mutex_);
    return history_->put_record(kind, key, body);
  }

 private:
  struct Series {
    SeriesId id = 0;
    std::int64_t last_s = 0;
    std::map<std::int64_t, Datum> pending;  // by minute
  };
  using Units = std::map<std::string, Series>;

  // All with mutex_.
  [[nodiscard]] std::int64_t now_s() const { return clock_() / 1'000; }
  Status check_room(const std::vector<Sample>& samples) const;
  Status add(Sample& sample);
  Status write_before(std::int64_t time_s);
  Status prune();
  Status remove_idle(std::int64_t before_s);
  // The width to read by, and the start that goes with it.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> tier_for(const Query& query) const;
  Status collect(const Query& query, const std::string& unit, const Series& series,
                 std::vector<Period>& out);

  std::unique_ptr<History> history_;
  Clock clock_;
  const Limits limits_;
  std::function<void()> refresh_;
  mutable std::mutex mutex_;
  std::map<MetricId, Units> metrics_;
  std::size_t series_ = 0;
  std::size_t series_bytes_ = 0;
  std::size_t pending_ = 0;
  std::int64_t pruned_s_ = 0;
};

Status Store::load() {
  auto all = history_->load_series();
  if (!all) return std::unexpected(all.error());
  for (History::Series& series : *all) {
    ++series_;
    series_bytes_ += bytes_of(series.metric);
    metrics_[std::move(series.metric)][series.unit] = {series.id, series.last_s, {}};
  }
  return {};
}

Status Store::check_room(const std::vector<Sample>& samples) const {
  std::set<std::pair<MetricId, std::string>> added;
  std::size_t bytes = series_bytes_;
  for (const Sample& sample : samples) {
    const auto found = metrics_.find(sample.metric);
    if (found != metrics_.end() && found->second.contains(sample.unit)) continue;
    if (added.emplace(sample.metric, sample.unit).second) bytes += bytes_of(sample.metric);
  }
  if (added.empty() ||
      (series_ + added.size() <= limits_.series_max && bytes <= limits_.series_bytes_max)) {
    return {};
  }
  return fail("LimitExceeded", fmt::format("there are {} metrics already", series_),
              "metrics without data for 15 days make room");
}

Status Store::add(Sample& sample) {
  const std::int64_t minute = floor_to(sample.time_s, minute_s);
  Units& units = metrics_[sample.metric];
  auto found = units.find(sample.unit);
  if (found == units.end()) {
    const auto id = history_->add_series(sample.metric, sample.unit);
    if (!id) return std::unexpected(id.error());
    found = units.emplace(sample.unit, Series{*id, 0, {}}).first;
    ++series_;
    series_bytes_ += bytes_of(sample.metric);
  }
  Series& series = found->second;
  const auto [datum, is_new] = series.pending.try_emplace(minute);
  if (is_new) ++pending_;
  join(datum->second, sample.datum, sample.joining);
  series.last_s = std::max(series.last_s, minute);
  return {};
}

Status Store::put(std::vector<Sample> samples) {
  const std::lock_guard lock(mutex_);
  if (auto room = check_room(samples); !room) return room;
  for (Sample& sample : samples) {
    if (auto added = add(sample); !added) return added;
  }
  if (pending_ <= limits_.pending_max) return {};
  return write_before(now_s() + 24 * 3'600);
}

std::vector<MetricId> Store::list(const MetricFilter& filter) const {
  const std::lock_guard lock(mutex_);
  std::vector<MetricId> out;
  for (const auto& [metric, units] : metrics_) {
    const bool is_active = std::ranges::any_of(units, [&](const auto& unit) {
      return unit.second.last_s > 0 && unit.second.last_s + minute_s > filter.active_since_s;
    });
    if (is_active && matches(filter, metric)) out.push_back(metric);
  }
  return out;
}

std::pair<std::int64_t, std::int64_t> Store::tier_for(const Query& query) const {
  const std::int64_t age = now_s() - query.start_s;
  const std::int64_t finest = age <= limits_.minutes_kept_s        ? minute_s
                              : age <= limits_.five_minutes_kept_s ? 300
                                                                   : 3'600;
  const std::int64_t start = floor_to(query.start_s, finest);
  std::int64_t tier = finest;
  for (const std::int64_t width : History::tiers) {
    if (width > tier && query.period_s % width == 0 && start % width == 0) tier = width;
  }
  return {tier, start};
}

Status Store::collect(const Query& query, const std::string& unit, const Series& series,
                      std::vector<Period>& out) {
  const auto [tier, start] = tier_for(query);
  if (tier > query.period_s) return {};  // no longer kept that fine
  std::map<std::int64_t, Datum> periods;
  const auto take = [&, first = start](std::int64_t time_s, const Datum& datum) {
    periods[first + floor_to(time_s - first, query.period_s)].merge(datum);
  };
  if (auto read = history_->read(tier, series.id, start, query.end_s, take); !read) return read;
  for (auto at = series.pending.lower_bound(start);
       at != series.pending.end() && at->first < query.end_s; ++at)
    take(at->first, at->second);
  for (auto& [time_s, datum] : periods) out.push_back({time_s, unit, std::move(datum)});
  return {};
}

Result<std::vector<Period>> Store::query(const Query& query) {
  std::vector<Period> out;
  if (query.period_s < minute_s || query.start_s < 0 || query.end_s <= query.start_s) return out;
  const std::lock_guard lock(mutex_);
  const auto found = metrics_.find(query.metric);
  if (found == metrics_.end()) return out;
  for (const auto& [unit, series] : found->second) {
    if (query.unit && *query.unit != unit) continue;
    if (auto read = collect(query, unit, series, out); !read) return std::unexpected(read.error());
  }
  std::ranges::stable_sort(out, {}, &Period::time_s);
  return out;
}

Status Store::write_before(std::int64_t time_s) {
  std::vector<History::Point> points;
  for (const auto& [metric, units] : metrics_) {
    for (const auto& [unit, series] : units) {
      for (const auto& [minute, datum] : series.pending) {
        if (minute + minute_s <= time_s) points.push_back({series.id, minute, datum});
      }
    }
  }
  if (points.empty()) return {};
  const Status written = history_->write(points);
  // What cannot be written is dropped once there is too much of it: memory is bounded, always.
  if (!written && pending_ <= limits_.pending_max) return written;
  for (auto& [metric, units] : metrics_) {
    for (auto& [unit, series] : units) {
      pending_ -= std::erase_if(
          series.pending, [&](const auto& entry) { return entry.first + minute_s <= time_s; });
    }
  }
  return written;
}

Status Store::prune() {
  std::vector<SeriesId> ids;
  for (const auto& [metric, units] : metrics_) {
    for (const auto& [unit, series] : units) ids.push_back(series.id);
  }
  const std::int64_t now = now_s();
  // Where the database is too large, each round keeps half as long.
  for (std::int64_t share = 1; share <= 64; share *= 2) {
    const std::map<std::int64_t, std::int64_t> before{
        {60, now - limits_.minutes_kept_s / share},
        {300, now - limits_.five_minutes_kept_s / share},
        {3'600, now - limits_.hours_kept_s / share}};
    if (auto pruned = history_->prune(ids, before); !pruned) return pruned;
    const auto bytes = history_->bytes();
    if (!bytes) return std::unexpected(bytes.error());
    if (*bytes <= limits_.database_bytes_max) break;
  }
  return remove_idle(now - limits_.hours_kept_s);
}

Status Store::remove_idle(std::int64_t before_s) {
  for (auto metric = metrics_.begin(); metric != metrics_.end();) {
    for (auto unit = metric->second.begin(); unit != metric->second.end();) {
      const Series& series = unit->second;
      if (series.last_s >= before_s || !series.pending.empty()) {
        ++unit;
        continue;
      }
      if (auto removed = history_->remove_series(series.id); !removed) return removed;
      --series_;
      series_bytes_ -= bytes_of(metric->first);
      unit = metric->second.erase(unit);
    }
    metric = metric->second.empty() ? metrics_.erase(metric) : std::next(metric);
  }
  return {};
}

Status Store::flush(bool all) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = now_s();
  if (auto written = write_before(all ? now + 24 * 3'600 : now); !written) return written;
  if (now < pruned_s_ + prune_every_s) return {};
  pruned_s_ = now;
  return prune();
}

}  // namespace

Result<std::unique_ptr<MetricStore>> MetricStore::open(const std::string& path, Clock clock,
                                                       Limits limits) {
  auto history = History::open(path);
  if (!history) return std::unexpected(history.error());
  auto store = std::make_unique<Store>(std::move(*history), std::move(clock), limits);
  if (auto loaded = store->load(); !loaded) return std::unexpected(loaded.error());
  return store;
}

}  // namespace weir::metrics
