// The data that have been written: metrics.db. One table of series, one of points by
// (tier, series, time). One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "metrics/datum.hpp"
#include "metrics/metric_store.hpp"
#include "store/sqlite.hpp"

namespace weir::metrics {

using SeriesId = std::int64_t;

class History {
 public:
  struct Series {
    SeriesId id = 0;
    MetricId metric;
    std::string unit;
    std::int64_t last_s = 0;  // of the newest datum
  };
  struct Point {
    SeriesId series = 0;
    std::int64_t time_s = 0;  // a minute's start
    Datum datum;
  };
  // The widths of the periods that are kept, the finest first.
  static constexpr std::int64_t tiers[] = {60, 300, 3'600};

  [[nodiscard]] static Result<std::unique_ptr<History>> open(const std::string& path);

  [[nodiscard]] Result<std::vector<Series>> load_series();
  [[nodiscard]] Result<SeriesId> add_series(const MetricId& metric, const std::string& unit);
  Status remove_series(SeriesId id);

  // Each point joins its period of every tier; all of them or none.
  Status write(std::span<const Point> points);
  // In order, of one tier, from `start_s` to before `end_s`.
  Status read(std::int64_t tier, SeriesId series, std::int64_t start_s, std::int64_t end_s,
              const std::function<void(std::int64_t time_s, const Datum&)>& reader);
  // Removes what is older than `before` says of each tier.
  Status prune(std::span<const SeriesId> series,
               const std::map<std::int64_t, std::int64_t>& before);
  // Bytes in use, free pages not counted.
  [[nodiscard]] Result<std::uint64_t> bytes();

  [[nodiscard]] Result<std::map<std::string, std::string>> load_records(const std::string& kind);
  Status put_record(const std::string& kind, const std::string& key,
                    const std::optional<std::string>& body);

 private:
  explicit History(std::string path) : path_(std::move(path)) {}
  Status prepare();
  Status execute(const char* sql);
  Status join(std::int64_t tier, const Point& point);
  // `work` within a transaction.
  Status transact(const std::function<Status()>& work);
  std::unexpected<Error> failure(const char* what) const;

  std::string path_;
  store::Database database_;
  store::Statement add_series_, touch_series_, remove_series_, get_, put_, range_, prune_, records_,
      put_record_, erase_record_;
};

}  // namespace weir::metrics
