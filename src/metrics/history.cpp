// Dimensions are JSON text in the table of series; nlohmann's exceptions end here.
#include "metrics/history.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/fd.hpp"

namespace weir::metrics {
namespace {

using store::Run;

constexpr int schema_version = 1;
constexpr const char* schema =
    "BEGIN;"
    "CREATE TABLE series (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL,"
    " dimensions TEXT NOT NULL, unit TEXT NOT NULL, last INTEGER NOT NULL);"
    "CREATE TABLE point (tier INTEGER NOT NULL, series INTEGER NOT NULL, time INTEGER NOT NULL,"
    " count REAL NOT NULL, sum REAL NOT NULL, minimum REAL NOT NULL, maximum REAL NOT NULL,"
    " distribution BLOB, PRIMARY KEY (tier, series, time)) WITHOUT ROWID;"
    "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (kind, key)) WITHOUT ROWID;"
    "PRAGMA user_version=1;"
    "COMMIT";

std::string to_text(const std::map<std::string, std::string>& dimensions) {
  return nlohmann::json(dimensions).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::map<std::string, std::string> from_text(const std::string& text) {
  try {
    return nlohmann::json::parse(text).get<std::map<std::string, std::string>>();
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

Datum datum_of(const Run& row, int first) {
  return {row.real(first), row.real(first + 1), row.real(first + 2), row.real(first + 3),
          Distribution::decode(row.blob(first + 4))};
}

}  // namespace

std::unexpected<Error> History::failure(const char* what) const {
  const char* text = sqlite3_errmsg(database_.get());
  const int code = sqlite3_errcode(database_.get());
  const bool is_damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return fail(is_damaged ? "StoreDamaged" : "StoreFailed",
              fmt::format("{}: {}: {}", path_, what, text),
              is_damaged ? "Remove the file: the history of the metrics begins anew." : "");
}

Status History::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure("cannot write");
  return {};
}

Result<std::unique_ptr<History>> History::open(const std::string& path) {
  // Made here, so that nobody else can read it.
  const Fd made(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made && errno != EEXIST) return fail_errno("cannot create " + path, errno);
  std::unique_ptr<History> history(new History(path));
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  history->database_.reset(raw);
  if (code != SQLITE_OK) return history->failure("cannot open it");
  if (auto prepared = history->prepare(); !prepared) return std::unexpected(prepared.error());
  return history;
}

// A lost minute of metrics is no lost resource: NORMAL, so that no write waits for the disk.
Status History::prepare() {
  for (const char* sql : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
                          "PRAGMA synchronous=NORMAL", "BEGIN EXCLUSIVE", "COMMIT"}) {
    if (auto done = execute(sql); !done) return done;
  }
  const auto statement = [&](const char* sql) {
    sqlite3_stmt* prepared = nullptr;
    sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    return store::Statement(prepared);
  };
  int version = 0;
  {
    const auto ask = statement("PRAGMA user_version");
    if (!ask) return failure("cannot read it");
    Run run(ask);
    if (run.step() != SQLITE_ROW) return failure("cannot read it");
    version = static_cast<int>(run.number(0));
  }
  if (version > schema_version)
    return fail("StoreTooNew", path_ + " was written by a newer Weir", "Use the newer program.");
  if (version == 0) {
    if (auto made = execute(schema); !made) return made;
  }
  const std::pair<store::Statement*, const char*> wanted[] = {
      {&add_series_,
       "INSERT INTO series (namespace, name, dimensions, unit, last) VALUES (?1, ?2, ?3, ?4, 0)"},
      {&touch_series_, "UPDATE series SET last = max(last, ?2) WHERE id = ?1"},
      {&remove_series_, "DELETE FROM series WHERE id = ?1"},
      {&get_,
       "SELECT count, sum, minimum, maximum, distribution FROM point"
       " WHERE tier = ?1 AND series = ?2 AND time = ?3"},
      {&put_, "INSERT OR REPLACE INTO point VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"},
      {&range_,
       "SELECT time, count, sum, minimum, maximum, distribution FROM point"
       " WHERE tier = ?1 AND series = ?2 AND time >= ?3 AND time < ?4 ORDER BY time"},
      {&prune_, "DELETE FROM point WHERE tier = ?1 AND series = ?2 AND time < ?3"},
      {&records_, "SELECT key, body FROM record WHERE kind = ?1"},
      {&put_record_, "INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3)"},
      {&erase_record_, "DELETE FROM record WHERE kind = ?1 AND key = ?2"},
  };
  for (const auto& [place, sql] : wanted) {
    *place = statement(sql);
    if (!*place) return failure("cannot read it");
  }
  return {};
}

Status History::transact(const std::function<Status()>& work) {
  if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
  Status done = work();
  if (done) done = execute("COMMIT");
  // Some failures (disk full) have rolled back already.
  if (!done && sqlite3_get_autocommit(database_.get()) == 0)
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

Result<std::vector<History::Series>> History::load_series() {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(database_.get(),
                     "SELECT id, namespace, name, dimensions, unit, last FROM series", -1, &raw,
                     nullptr);
  const store::Statement select(raw);
  if (!select) return failure("cannot read the series");
  Run run(select);
  std::vector<Series> all;
  int code = SQLITE_ROW;
  while ((code = run.step()) == SQLITE_ROW) {
    all.push_back({run.number(0),
                   {run.text(1), run.text(2), from_text(run.text(3))},
                   run.text(4),
                   run.number(5)});
  }
  if (code != SQLITE_DONE) return failure("cannot read the series");
  return all;
}

Result<SeriesId> History::add_series(const MetricId& metric, const std::string& unit) {
  const std::string dimensions = to_text(metric.dimensions);
  Run run(add_series_);
  run.bind(1, metric.name_space).bind(2, metric.name).bind(3, dimensions).bind(4, unit);
  if (run.step() != SQLITE_DONE) return failure("cannot write");
  return sqlite3_last_insert_rowid(database_.get());
}

Status History::remove_series(SeriesId id) {
  Run run(remove_series_);
  if (run.bind(1, id).step() != SQLITE_DONE) return failure("cannot write");
  return {};
}

Status History::join(std::int64_t tier, const Point& point) {
  const std::int64_t time_s = point.time_s - point.time_s % tier;
  Datum datum;
  {
    Run run(get_);
    if (run.bind(1, tier).bind(2, point.series).bind(3, time_s).step() == SQLITE_ROW)
      datum = datum_of(run, 0);
  }
  datum.merge(point.datum);
  const std::string distribution = datum.distribution.encode();
  Run run(put_);
  run.bind(1, tier).bind(2, point.series).bind(3, time_s);
  run.bind(4, datum.sample_count).bind(5, datum.sum).bind(6, datum.minimum);
  run.bind(7, datum.maximum).bind_blob(8, distribution);
  if (run.step() != SQLITE_DONE) return failure("cannot write");
  return {};
}

Status History::write(std::span<const Point> points) {
  return transact([&]() -> Status {
    for (const Point& point : points) {
      for (const std::int64_t tier : tiers) {
        if (auto joined = join(tier, point); !joined) return joined;
      }
      Run run(touch_series_);
      if (run.bind(1, point.series).bind(2, point.time_s).step() != SQLITE_DONE)
        return failure("cannot write");
    }
    return {};
  });
}

Status History::read(std::int64_t tier, SeriesId series, std::int64_t start_s, std::int64_t end_s,
                     const std::function<void(std::int64_t, const Datum&)>& reader) {
  Run run(range_);
  run.bind(1, tier).bind(2, series).bind(3, start_s).bind(4, end_s);
  int code = SQLITE_ROW;
  while ((code = run.step()) == SQLITE_ROW) reader(run.number(0), datum_of(run, 1));
  if (code != SQLITE_DONE) return failure("cannot read");
  return {};
}

Status History::prune(std::span<const SeriesId> series,
                      const std::map<std::int64_t, std::int64_t>& before) {
  return transact([&]() -> Status {
    for (const SeriesId id : series) {
      for (const auto& [tier, time_s] : before) {
        Run run(prune_);
        if (run.bind(1, tier).bind(2, id).bind(3, time_s).step() != SQLITE_DONE)
          return failure("cannot write");
      }
    }
    return {};
  });
}

Result<std::uint64_t> History::bytes() {
  std::int64_t numbers[3] = {};
  const char* questions[] = {"PRAGMA page_count", "PRAGMA freelist_count", "PRAGMA page_size"};
  for (std::size_t i = 0; i < 3; ++i) {
    sqlite3_stmt* raw = nullptr;
    sqlite3_prepare_v2(database_.get(), questions[i], -1, &raw, nullptr);
    const store::Statement ask(raw);
    if (!ask) return failure("cannot read it");
    Run run(ask);
    if (run.step() != SQLITE_ROW) return failure("cannot read it");
    numbers[i] = run.number(0);
  }
  return static_cast<std::uint64_t>((numbers[0] - numbers[1]) * numbers[2]);
}

Result<std::map<std::string, std::string>> History::load_records(const std::string& kind) {
  std::map<std::string, std::string> out;
  Run run(records_);
  run.bind(1, kind);
  int code = SQLITE_ROW;
  while ((code = run.step()) == SQLITE_ROW) out.emplace(run.text(0), run.text(1));
  if (code != SQLITE_DONE) return failure("cannot read");
  return out;
}

Status History::put_record(const std::string& kind, const std::string& key,
                           const std::optional<std::string>& body) {
  Run run(body ? put_record_ : erase_record_);
  run.bind(1, kind).bind(2, key);
  if (body) run.bind(3, *body);
  if (run.step() != SQLITE_DONE) return failure("cannot write");
  return {};
}

}  // namespace weir::metrics
