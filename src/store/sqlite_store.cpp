// The Store on SQLite: one table of records and one row with the revision.
//
// The whole program holds the database by SQLite's own lock: with locking_mode=EXCLUSIVE the lock
// that the first statement takes is kept until the end, so a second daemon cannot even read. It
// goes with the process however that ends, and with it a WAL without shared memory.
// WAL + synchronous=FULL: a commit that has returned has been fsynced.
#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "base/assert.hpp"
#include "base/fd.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"

namespace weir::store {
namespace {

// Raise it with every change of the schema, and migrate in `prepare_schema`.
constexpr int schema_version = 1;
// "Weir" in the file's header, so that `file` and we can tell it from other databases.
constexpr int application_id = 0x57656972;

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::string path) : path_(std::move(path)) {}
  ~SqliteStore() override = default;

  Status open();

  Result<std::vector<Record>> load() override;
  Result<std::uint64_t> commit(std::span<const Change> changes) override;
  std::uint64_t revision() const override { return revision_; }
  void watch(Watcher watcher) override { watcher_ = std::move(watcher); }

 private:
  Status open_file();
  Status lock();
  Status check_integrity();
  Status prepare_schema();
  Status prepare_statements();
  Status write(std::span<const Change> changes, std::uint64_t revision);
  Status execute(const char* sql);
  Result<Statement> prepare(const char* sql);
  Result<std::int64_t> ask_number(const char* sql);
  std::unexpected<Error> failure(const char* what) const;

  std::string path_;
  Database database_;
  // After the database: statements must be finalized first.
  Statement begin_, commit_, rollback_, put_, erase_, set_revision_;
  std::uint64_t revision_ = 0;
  Watcher watcher_;
};

// The error that SQLite holds now, in our words.
std::unexpected<Error> SqliteStore::failure(const char* what) const {
  const int code = sqlite3_errcode(database_.get());
  const char* text = sqlite3_errmsg(database_.get());
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail("StoreLocked", fmt::format("{} is held open by another daemon", path_),
                  "Stop the other daemon, or use another state folder (--state DIR).");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail("StoreDamaged", fmt::format("{} is damaged: {}", path_, text),
                  "Restore the file from a copy, or remove it to begin anew.");
    case SQLITE_FULL:
      return fail("StoreFull", fmt::format("no space left to write {}", path_),
                  "Free some space on this file system.");
    default:
      return fail("StoreFailed", fmt::format("{}: {}: {}", path_, what, text));
  }
}

Status SqliteStore::execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure(sql);
  }
  return {};
}

Result<Statement> SqliteStore::prepare(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK) {
    return failure(sql);
  }
  return Statement(raw);
}

Result<std::int64_t> SqliteStore::ask_number(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  Run run(*statement);
  if (run.step() != SQLITE_ROW) return failure(sql);
  return run.number(0);
}

Status SqliteStore::open_file() {
  // Made here and not by SQLite, so that nobody else can read it: user data lies in it. Its WAL
  // takes the same mode. A file that is there is not opened a second time: closing that descriptor
  // would drop the locks of this process.
  const Fd made(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made && errno != EEXIST) return fail_errno("cannot create " + path_, errno);

  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(raw);
  if (code != SQLITE_OK) return failure("cannot open it");
  sqlite3_extended_result_codes(raw, 0);
  return {};
}

Status SqliteStore::lock() {
  for (const char* sql :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=OFF", "BEGIN EXCLUSIVE", "COMMIT"}) {
    if (auto done = execute(sql); !done) return done;
  }
  return {};
}

Status SqliteStore::check_integrity() {
  const auto check = prepare("PRAGMA quick_check(1)");
  if (!check) return std::unexpected(check.error());
  Run run(*check);
  if (run.step() != SQLITE_ROW) return failure("cannot check it");
  if (const std::string verdict = run.text(0); verdict != "ok") {
    return fail("StoreDamaged", fmt::format("{} is damaged: {}", path_, verdict),
                "Restore the file from a copy, or remove it to begin anew.");
  }
  return {};
}

Status SqliteStore::prepare_schema() {
  const auto version = ask_number("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version > schema_version) {
    return fail("StoreTooNew",
                fmt::format("{} was written by a newer Weir (schema {}, this one knows {})", path_,
                            *version, schema_version),
                "Use the newer program, or another state folder (--state DIR).");
  }
  const auto tables = ask_number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return std::unexpected(tables.error());
  if (*version == 0 && *tables > 0) {
    return fail("StoreDamaged", fmt::format("{} is a database, but not Weir's", path_),
                "Move the file away, or use another state folder (--state DIR).");
  }
  if (*version == schema_version) return {};
  return execute(fmt::format("BEGIN;"
                             "CREATE TABLE record (kind TEXT NOT NULL, key TEXT NOT NULL,"
                             " body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;"
                             "CREATE TABLE revision (number INTEGER NOT NULL);"
                             "INSERT INTO revision VALUES (0);"
                             "PRAGMA application_id={};"
                             "PRAGMA user_version={};"
                             "COMMIT",
                             application_id, schema_version)
                     .c_str());
}

Status SqliteStore::prepare_statements() {
  const std::pair<Statement*, const char*> wanted[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&rollback_, "ROLLBACK"},
      {&put_, "INSERT OR REPLACE INTO record (kind, key, body) VALUES (?1, ?2, ?3)"},
      {&erase_, "DELETE FROM record WHERE kind = ?1 AND key = ?2"},
      {&set_revision_, "UPDATE revision SET number = ?1"},
  };
  for (const auto& [statement, sql] : wanted) {
    auto prepared = prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::move(*prepared);
  }
  return {};
}

Status SqliteStore::open() {
  for (const auto step :
       {&SqliteStore::open_file, &SqliteStore::lock, &SqliteStore::check_integrity,
        &SqliteStore::prepare_schema, &SqliteStore::prepare_statements}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  const auto revision = ask_number("SELECT number FROM revision");
  if (!revision) return std::unexpected(revision.error());
  revision_ = static_cast<std::uint64_t>(*revision);
  return {};
}

Result<std::vector<Record>> SqliteStore::load() {
  const auto select = prepare("SELECT kind, key, body FROM record ORDER BY kind, key");
  if (!select) return std::unexpected(select.error());
  Run run(*select);
  std::vector<Record> records;
  int code = SQLITE_ROW;
  while ((code = run.step()) == SQLITE_ROW) {
    records.push_back({run.text(0), run.text(1), run.text(2)});
  }
  if (code != SQLITE_DONE) return failure("cannot read the records");
  return records;
}

Status SqliteStore::write(std::span<const Change> changes, std::uint64_t revision) {
  if (Run(begin_).step() != SQLITE_DONE) return failure("cannot begin a transaction");
  for (const Change& change : changes) {
    Run run(change.body ? put_ : erase_);
    run.bind(1, change.kind).bind(2, change.key);
    if (change.body) run.bind(3, *change.body);
    if (run.step() != SQLITE_DONE) return failure("cannot write");
  }
  if (Run(set_revision_).bind(1, revision).step() != SQLITE_DONE) return failure("cannot write");
  if (Run(commit_).step() != SQLITE_DONE) return failure("cannot commit");
  return {};
}

Result<std::uint64_t> SqliteStore::commit(std::span<const Change> changes) {
  const std::uint64_t next = revision_ + 1;
  if (auto written = write(changes, next); !written) {
    // Some failures (disk full) have rolled back already; then there is nothing to roll back.
    if (sqlite3_get_autocommit(database_.get()) == 0) {
      static_cast<void>(Run(rollback_).step());
    }
    return std::unexpected(written.error());
  }
  revision_ = next;
  if (watcher_) watcher_(revision_, changes);
  return revision_;
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path) {
  auto store = std::make_unique<SqliteStore>(path);
  if (auto opened = store->open(); !opened) return std::unexpected(opened.error());
  return store;
}

}  // namespace weir::store
