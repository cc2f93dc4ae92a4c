// Durable, versioned, watchable records: what the control plane must not lose.
//
// A Store holds records (kind, key) → body, the body being JSON that it does not look into. A
// commit is a transaction: all of its changes or none, on disk when it returns, and one revision
// further. SQLite is behind it by default (WAL, synchronous=FULL); the interface is small enough
// for etcd.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace weir::store {

struct Record {
  std::string kind;  // "instance", "listener", …
  std::string key;   // unique within its kind
  std::string body;
};

struct Change {
  std::string kind;
  std::string key;
  std::optional<std::string> body;  // no body: the record is deleted
};

class Store {
 public:
  virtual ~Store() = default;
  // All records, in (kind, key) order.
  [[nodiscard]] virtual Result<std::vector<Record>> load() = 0;
  // Returns the new revision. Deleting a record that is not there is not an error.
  [[nodiscard]] virtual Result<std::uint64_t> commit(std::span<const Change> changes) = 0;
  [[nodiscard]] virtual std::uint64_t revision() const = 0;
  // `watcher` is called after each commit, on the committing thread. One watcher; set it before the
  // first commit.
  using Watcher = std::function<void(std::uint64_t revision, std::span<const Change> changes)>;
  virtual void watch(Watcher watcher) = 0;
};

// Opens or creates the database. Refuses one that another daemon holds open ("StoreLocked"), one
// written by a newer Weir ("StoreTooNew") and a damaged one ("StoreDamaged"); the message names the
// file. Calls are serialised by the caller.
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

}  // namespace weir::store
