// Change sets: updates and creations that are described before they are made.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "stacks/engine.hpp"

namespace weir::aws::cloudformation {

struct ChangeSet {
  std::string id;  // arn:aws:cloudformation:…:changeSet/<name>/<uuid>
  std::string name;
  std::string description;
  bool is_creation = false;
  stacks::CreateInput input;  // stack_id set
  std::vector<stacks::PlannedChange> changes;
  std::string status = "CREATE_COMPLETE";  // or FAILED
  std::string status_reason;
  std::string execution_status = "AVAILABLE";
  std::int64_t created_at_ms = 0;
};

// Any thread. The oldest go where there are too many.
class ChangeSets {
 public:
  static constexpr std::size_t count_max = 1'000;

  // "AlreadyExistsException": the stack has one of this name that could still be executed.
  Status add(ChangeSet set);
  // By its id, or by its name and that or the id of its stack. "ChangeSetNotFound".
  [[nodiscard]] Result<ChangeSet> find(const std::string& set, const std::string& stack) const;
  void erase(const std::string& id);
  // The stack is about to be made what the set says; its other sets are of no use any more.
  void note_executed(const std::string& id);
  [[nodiscard]] std::vector<ChangeSet> of_stack(const std::string& stack) const;
  // The creations that have not been executed: stacks in the state REVIEW_IN_PROGRESS.
  [[nodiscard]] std::vector<ChangeSet> reviews() const;
  [[nodiscard]] std::optional<ChangeSet> review_of(const std::string& stack) const;

 private:
  mutable std::mutex mutex_;
  std::vector<ChangeSet> sets_;  // the oldest first
};

}  // namespace weir::aws::cloudformation
