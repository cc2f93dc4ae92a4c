// Stacks: what a template describes, made, kept track of and removed again.
//
// A stack is intent first: the record of a resource is in the store before its creation begins and
// after it ends, and everything that can be tagged carries aws:cloudformation:stack-id and
// logical-id. So a daemon that is killed at any moment finds all that it made. Resources are made
// in parallel as their dependencies allow, and removed in the reverse order. A creation that fails
// is rolled back; where that succeeds nothing is left, not even the stack's record
// (CloudFormation's OnFailure=DELETE), and its name is free again, unless it is asked to be kept. An update that fails leaves the
// stack as it was (stack_update.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/ec2.hpp"
#include "control/elb.hpp"
#include "control/registry.hpp"
#include "model/resources.hpp"

namespace weir::stacks {

// One step of a stack's life, as it happens. The stack itself is reported with its name as
// logical id and the type AWS::CloudFormation::Stack.
struct Event {
  std::string logical_id;
  std::string type;
  std::string physical_id;  // empty before it is known
  std::string status;       // CREATE_IN_PROGRESS, CREATE_COMPLETE, CREATE_FAILED, DELETE_…
  std::string reason;
  std::int64_t wall_ms = 0;
};

// Called from one thread at a time, on the thread that called create or remove.
using EventHandler = std::function<void(const Event&)>;

struct CreateInput {
  std::string name;  // [A-Za-z][-A-Za-z0-9]{0,127}
  std::string template_body;
  std::string file_name;  // for messages
  std::map<std::string, std::string> parameters;
  model::Tags tags;
  std::string stack_id = {};  // empty: a new one
  // A creation that failed leaves the stack's record (ROLLBACK_COMPLETE), without resources.
  bool keeps_rolled_back = false;
};

struct PlannedResource {
  std::string logical_id;
  std::string type;
  std::vector<std::string> depends_on;  // logical ids
};

struct PlannedParameter {
  std::string name;
  std::string type;
  std::string value;  // "****" where NoEcho
  std::string description;
  bool is_default = false;  // from the template or taken from the environment
};

// What creating the stack would do.
struct Plan {
  std::string description;
  std::vector<PlannedParameter> parameters;  // as declared
  std::vector<PlannedResource> resources;    // in an order in which they can be made
  // Sentences for people: values taken by default, properties accepted without effect.
  std::vector<std::string> notices;
};

enum class ChangeAction : std::uint8_t { add, change, replace, remove };

struct PlannedChange {
  std::string logical_id;
  std::string type;
  std::string physical_id;  // empty where it is added
  ChangeAction action = ChangeAction::change;
  std::vector<std::string> properties;  // that differ
};

// What updating a stack would do. No changes: the stack is as the template says already.
struct UpdatePlan {
  Plan plan;
  std::vector<PlannedChange> changes;
  bool has_other_outputs = false;  // known already to differ
  [[nodiscard]] bool is_empty() const { return changes.empty() && !has_other_outputs; }
};

// Any thread; several stacks may be worked on at once.
class Engine {
 public:
  // All three outlive the Engine.
  Engine(control::Registry& registry, control::Elb& elb, control::Ec2& ec2);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // arn:aws:cloudformation:…:stack/<name>/<uuid>
  [[nodiscard]] std::string new_stack_id(const std::string& name) const;

  // Parses, and resolves what can be known before anything exists. Nothing is created. Errors:
  // "ValidationError" with all faults, a line each; "AlreadyExistsException".
  [[nodiscard]] Result<Plan> validate(const CreateInput& input);

  // Blocks until the stack is complete (its id) or rolled back. Errors: those of validate;
  // "CreateFailed" names the resource and its reason, and, where the roll back failed too, what
  // remains and how to remove it.
  [[nodiscard]] Result<std::string> create(const CreateInput& input, const EventHandler& on_event);

  // What `update` would do. Errors: "ValidationError" with all faults, also where the stack is in a
  // state that lets it not be updated; "StackNotFound".
  [[nodiscard]] Result<UpdatePlan> plan_update(const CreateInput& input);

  // Makes of the stack of this name what the template says: adds, changes in place, replaces, and
  // when all that is in force removes what is not wanted any more. Blocks until that is done (the
  // stack's id) or the stack is as it was. Errors: those of plan_update; "ValidationError" "No
  // updates are to be performed."; "OperationInProgress"; "UpdateFailed" names the resource and its
  // reason, and what the roll back came to.
  [[nodiscard]] Result<std::string> update(const CreateInput& input, const EventHandler& on_event);

  // Blocks until all is gone. Resources with DeletionPolicy Retain stay and leave the stack.
  // Errors: "StackNotFound"; "OperationInProgress"; "DeleteFailed" says what remains and why.
  [[nodiscard]] Status remove(const std::string& name, const EventHandler& on_event);

  // After a daemon start, with instances adopted: creations and updates under way when the last
  // daemon ended are rolled back, removals and clean-ups are finished. Blocks; outcomes are logged.
  // May run beside other calls: what this daemon works on itself is left alone.
  void resume();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::stacks
