#include "aws/cloudformation/change_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::aws::cloudformation {

namespace {

bool is_of(const ChangeSet& set, const std::string& stack) {
  return stack == set.input.name || stack == set.input.stack_id;
}

bool is_review(const ChangeSet& set) {
  return set.is_creation &&
         (set.execution_status == "AVAILABLE" || set.execution_status == "UNAVAILABLE");
}

// Its name is free again: `aws cloudformation deploy` names its sets by the second, and here it can
// be done twice in one.
bool is_spent(const ChangeSet& set) {
  return set.execution_status == "EXECUTE_COMPLETE" || set.execution_status == "OBSOLETE";
}

}  // namespace

Status ChangeSets::add(ChangeSet set) {
  const std::lock_guard lock(mutex_);
  const bool is_there = std::ranges::any_of(sets_, [&](const ChangeSet& other) {
    return other.name == set.name && is_of(other, set.input.stack_id) && !is_spent(other);
  });
  if (is_there) {
    return fail("AlreadyExistsException",
                fmt::format("ChangeSet {} already exists for stack {}", set.name, set.input.name));
  }
  sets_.push_back(std::move(set));
  if (sets_.size() > count_max) sets_.erase(sets_.begin());
  return {};
}

Result<ChangeSet> ChangeSets::find(const std::string& set, const std::string& stack) const {
  const std::lock_guard lock(mutex_);
  // The newest of a name: a stack that is gone may have had one like it.
  for (auto it = sets_.rbegin(); it != sets_.rend(); ++it) {
    if (it->id == set || (it->name == set && is_of(*it, stack))) return *it;
  }
  return fail("ChangeSetNotFound", fmt::format("ChangeSet [{}] does not exist", set));
}

void ChangeSets::erase(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sets_, [&](const ChangeSet& set) { return set.id == id; });
}

void ChangeSets::note_executed(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto executed = std::ranges::find(sets_, id, &ChangeSet::id);
  if (executed == sets_.end()) return;
  executed->execution_status = "EXECUTE_COMPLETE";
  const std::string stack_id = executed->input.stack_id;
  for (ChangeSet& other : sets_) {
    if (other.id != id && other.input.stack_id == stack_id &&
        other.execution_status == "AVAILABLE") {
      other.execution_status = "OBSOLETE";
    }
  }
}

std::vector<ChangeSet> ChangeSets::of_stack(const std::string& stack) const {
  const std::lock_guard lock(mutex_);
  std::vector<ChangeSet> out;
  std::ranges::copy_if(sets_, std::back_inserter(out),
                       [&](const ChangeSet& set) { return is_of(set, stack); });
  return out;
}

std::vector<ChangeSet> ChangeSets::reviews() const {
  const std::lock_guard lock(mutex_);
  std::vector<ChangeSet> out;
  std::ranges::copy_if(sets_, std::back_inserter(out), is_review);
  return out;
}

std::optional<ChangeSet> ChangeSets::review_of(const std::string& stack) const {
  for (ChangeSet& set : reviews())
    if (is_of(set, stack)) return std::move(set);
  return std::nullopt;
}

}  // namespace weir::aws::cloudformation
