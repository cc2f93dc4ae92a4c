// An update of a stack and its roll back, as work on the graph of resources.
//
// `Stack::before` holds the stack as it was, and nothing that it names is removed until the update
// has succeeded: what is replaced or no longer wanted is put aside (`Stack::discarded`) and removed
// in the clean-up, after the new is in force. So a roll back needs only to change back what was
// changed in place and to put aside what the update has made; it can begin anew at any moment,
// also by the next daemon.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/resources.hpp"
#include "stacks/changes.hpp"
#include "stacks/plan.hpp"
#include "stacks/stack_work.hpp"

namespace weir::stacks {

// What the update of a stack will do to its resources, as far as it can be told beforehand, in the
// order of the plan; what is to be removed comes last. Faults: a type that changes, a resource with
// a name of its own that would be replaced.
[[nodiscard]] std::vector<PlannedChange> plan_changes(const model::Stack& stack,
                                                      const Prepared& prepared,
                                                      const model::Tags& tags,
                                                      Diagnostics& diagnostics);

// Brings the resources to what the plan says. The record has `before` set.
class Update final : public GraphWork {
 public:
  Update(StackRecord& record, Provider& provider, const Prepared& prepared);

  // True: all is as planned; what is to be removed is in `discarded`.
  bool run();
  [[nodiscard]] const std::string& failure() const { return failure_; }
  Status set_outputs();

  Status begin(std::size_t node) override;
  Status save() override { return record_.save(); }
  Status start(std::size_t node) override;
  Status finish(std::size_t node, const std::atomic<bool>& is_stopped) override;
  void end(std::size_t node, const Status& status) override;

 private:
  enum class Step : std::uint8_t { keep, make, change };
  struct Slot {
    Step step = Step::keep;
    bool is_replacement = false;
    Wanted former;
    Wanted wanted;
    Made made;
  };

  Status begin_new(Slot& slot, model::StackResource& resource, bool is_replacement);
  void discard();

  StackRecord& record_;
  Provider& provider_;
  const Prepared& prepared_;
  std::vector<Slot> slots_;
  std::map<std::string, Made> made_;
  std::string failure_;
};

// Brings the resources back to `before`; what the update made is put in `discarded`.
class Restoration final : public GraphWork {
 public:
  Restoration(StackRecord& record, Provider& provider);

  bool run();
  [[nodiscard]] const std::string& failure() const { return failure_; }

  Status begin(std::size_t node) override;
  Status save() override { return record_.save(); }
  Status start(std::size_t node) override;
  Status finish(std::size_t, const std::atomic<bool>&) override { return {}; }
  void end(std::size_t node, const Status& status) override;

 private:
  struct Slot {
    bool is_changed = false;
    model::StackResource before;
    Wanted former;  // what the update wanted
    Wanted wanted;  // what there was before it
    Made made;
  };

  StackRecord& record_;
  Provider& provider_;
  std::vector<Slot> slots_;
  std::string failure_;
};

}  // namespace weir::stacks
