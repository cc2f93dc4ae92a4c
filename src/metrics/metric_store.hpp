// The metrics as CloudWatch has them: data by the minute, of the load balancers, the instances and
// whatever is put in.
//
// Memory holds the names of the series and the minutes that have not been written; history lies in
// a database of its own (metrics.db), in three tiers that every write goes to: minutes, 5 minutes,
// hours, each kept for its time. So memory is bounded by the series, the disk by `Limits`, and a
// query reads the coarsest tier that answers it. Any thread; nothing here is on a request's way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "metrics/datum.hpp"

namespace weir::metrics {

inline constexpr std::int64_t minute_s = 60;

struct MetricId {
  std::string name_space;
  std::string name;
  std::map<std::string, std::string> dimensions;

  auto operator<=>(const MetricId&) const = default;
};

// How a sample joins what its minute holds already.
enum class Joining : unsigned char {
  samples,  // beside it
  total,    // adds to a sum that is one sample a minute
  gauge,    // takes its place; minimum and maximum remember
};

struct Sample {
  MetricId metric;
  std::string unit = "None";
  std::int64_t time_s = 0;  // since 1970; any second of its minute
  Datum datum;
  Joining joining = Joining::samples;
};

// A filter of names; what is empty matches all. A dimension without value matches any value.
struct MetricFilter {
  std::string name_space;
  std::string name;
  std::map<std::string, std::optional<std::string>> dimensions;
  std::int64_t active_since_s = 0;
};

struct Query {
  MetricId metric;
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;            // not included
  std::int64_t period_s = minute_s;  // a multiple of a minute
  std::optional<std::string> unit;   // none: any
};

struct Period {
  std::int64_t time_s = 0;  // its start
  std::string unit;
  Datum datum;  // `evaluate` (statistic.hpp) makes statistics of it
};

struct Limits {
  std::int64_t minutes_kept_s = 24 * 3'600;
  std::int64_t five_minutes_kept_s = 3 * 24 * 3'600;
  std::int64_t hours_kept_s = 15 * 24 * 3'600;
  std::size_t series_max = 10'000;
  std::size_t series_bytes_max = std::size_t{16} << 20U;         // of their names, in memory
  std::size_t pending_max = 50'000;                              // data not yet written
  std::uint64_t database_bytes_max = std::uint64_t{256} << 20U;  // beyond it the oldest go early
};

class MetricStore {
 public:
  // Wall clock, milliseconds.
  using Clock = std::function<std::int64_t()>;

  // Opens or creates the database. Errors as of store::open_sqlite.
  [[nodiscard]] static Result<std::unique_ptr<MetricStore>> open(const std::string& path,
                                                                 Clock clock, Limits limits = {});
  virtual ~MetricStore() = default;  // writes what is pending

  // Error "LimitExceeded" where there are too many series; then nothing of it was taken.
  virtual Status put(std::vector<Sample> samples) = 0;

  // In order. Only metrics that have data.
  [[nodiscard]] virtual std::vector<MetricId> list(const MetricFilter& filter) const = 0;

  // The periods that have data, by time; the minute under way included. Periods begin at `start_s`
  // rounded down: to a minute, to 5 minutes or an hour where only those are left (by age).
  [[nodiscard]] virtual Result<std::vector<Period>> query(const Query& query) = 0;

  // Brings the minute under way up to date: see set_refresh.
  virtual void refresh() = 0;
  // What `refresh` calls, on the caller's thread: whoever puts data in by itself. Once, at start.
  virtual void set_refresh(std::function<void()> refresh) = 0;

  // Writes the minutes that are over (all: the one under way too) and forgets what is too old.
  virtual Status flush(bool all = false) = 0;

  // Records beside the data, by kind and key: CloudWatch's alarms.
  [[nodiscard]] virtual Result<std::map<std::string, std::string>> load_records(
      const std::string& kind) = 0;
  // No body: removes it.
  virtual Status put_record(const std::string& kind, const std::string& key,
                            const std::optional<std::string>& body) = 0;

 protected:
  MetricStore() = default;
};

}  // namespace weir::metrics
