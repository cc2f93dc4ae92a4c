// The two things done to a stack, as work on its graph of resources: making it and removing it.
// Both keep the stack's record in step: a resource is in the store as IN_PROGRESS before anything
// is done about it, and with its outcome after.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/registry.hpp"
#include "model/resources.hpp"
#include "stacks/engine.hpp"
#include "stacks/graph_run.hpp"
#include "stacks/plan.hpp"
#include "stacks/provider.hpp"

namespace weir::stacks {

// What both share: the record, and telling about it.
class StackRecord {
 public:
  StackRecord(control::Registry& registry, model::Stack stack, const EventHandler& on_event);

  [[nodiscard]] const model::Stack& stack() const { return stack_; }
  [[nodiscard]] model::Stack& change() { return stack_; }
  [[nodiscard]] model::StackResource* resource(const std::string& logical_id);

  // Sets the stack's own status and tells it; the caller saves.
  void set_status(std::string status, std::string reason = {});
  void set_status(model::StackResource& resource, std::string status, std::string reason = {});
  Status save();
  // Erases the record.
  Status erase();

 private:
  void tell(const std::string& logical_id, const std::string& type, const std::string& physical_id,
            const std::string& status, const std::string& reason);

  control::Registry& registry_;
  model::Stack stack_;
  const EventHandler& on_event_;
};

// Makes all resources of the plan. After run_graph, `failure` tells the first one that failed.
class Creation final : public GraphWork {
 public:
  Creation(StackRecord& record, Provider& provider, const Prepared& prepared);

  bool run();
  [[nodiscard]] const std::string& failure() const { return failure_; }
  // Notes the outputs in the record. An error: one cannot be known.
  Status set_outputs();

  Status begin(std::size_t node) override;
  Status save() override;
  Status start(std::size_t node) override;
  Status finish(std::size_t node, const std::atomic<bool>& is_stopped) override;
  void end(std::size_t node, const Status& status) override;

 private:
  // One resource under way; its thread owns it between begin and end.
  struct Slot {
    Wanted wanted;
    Made made;
  };

  StackRecord& record_;
  Provider& provider_;
  const Prepared& prepared_;
  std::vector<Slot> slots_;
  std::map<std::string, Made> made_;  // those that are complete
  std::string failure_;
};

// Resolves the properties of a planned resource, now that those it needs are there, and checks
// them.
Status resolve_wanted(const Prepared& prepared, const PlannedResource& planned,
                      const std::map<std::string, Made>& made, Wanted& wanted);

// The outputs' values, now that all resources are there. An error: one cannot be known.
[[nodiscard]] Result<std::vector<model::StackOutput>> resolve_outputs(
    const Prepared& prepared, const std::map<std::string, Made>& made);

// needs[i]: the indexes of those that planned resource i depends on.
[[nodiscard]] std::vector<std::vector<std::size_t>> graph_of(
    const std::vector<PlannedResource>& planned);

// Removes the resources of a record, in the reverse order, but for those in `retained`: all of the
// stack's, or what an update has discarded.
class Removal final : public GraphWork {
 public:
  using List = std::vector<model::StackResource> model::Stack::*;

  Removal(StackRecord& record, Provider& provider, std::set<std::string> retained,
          List list = &model::Stack::resources);

  // True: all that is not retained is gone.
  bool run();
  // "Web (AWS::EC2::Instance, i-…): reason", one a line: what is left.
  [[nodiscard]] std::string remains() const;

  Status begin(std::size_t node) override;
  Status save() override;
  Status start(std::size_t node) override;
  Status finish(std::size_t node, const std::atomic<bool>& is_stopped) override;
  void end(std::size_t node, const Status& status) override;

 private:
  [[nodiscard]] model::StackResource& entry(std::size_t node);

  StackRecord& record_;
  Provider& provider_;
  std::set<std::string> retained_;
  List list_;
  std::vector<std::string> names_;  // node → logical id
  std::vector<std::string> types_;
  std::vector<Made> made_;
};

}  // namespace weir::stacks
