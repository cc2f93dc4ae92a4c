// The handlers of CloudFormation by subject, and what they share.
#pragma once

#include <memory>
#include <string>

#include "aws/cloudformation/change_sets.hpp"
#include "aws/cloudformation/cloudformation_service.hpp"
#include "aws/service.hpp"
#include "stacks/operations.hpp"

namespace weir::aws::cloudformation {

struct Shared {
  explicit Shared(const CloudFormationParts& parts)
      : registry(parts.registry),
        engine(parts.engine),
        operations(parts.registry, parts.engine, parts.flush) {}

  control::Registry& registry;
  stacks::Engine& engine;
  ChangeSets change_sets;
  stacks::Operations operations;
};
using SharedPtr = std::shared_ptr<Shared>;

void add_changing(Handlers& handlers, const SharedPtr& shared);
void add_reading(Handlers& handlers, const SharedPtr& shared);
void add_templates(Handlers& handlers, const SharedPtr& shared);
void add_change_sets(Handlers& handlers, const SharedPtr& shared);

template <typename Answer>
Handler handler(const SharedPtr& shared, Answer answer) {
  return [shared, answer](const Caller&, const Value& input) -> Result<Value> {
    return answer(*shared, input);
  };
}

// The stack of this name or id that is there now. "ValidationError".
[[nodiscard]] Result<model::Stack> stack_of(const Shared& shared, const std::string& name_or_id);
[[nodiscard]] std::unexpected<Error> no_such_stack(const std::string& name_or_id);

// What a call says of a stack to be made or updated. `existing`: where it takes the template or the
// parameters that it wants to keep from; nullptr where there is none. "ValidationError".
[[nodiscard]] Result<stacks::CreateInput> stack_input(const Value& input,
                                                      const model::Stack* existing);

[[nodiscard]] Value parameters_value(const std::map<std::string, std::string>& parameters);
[[nodiscard]] Value tags_value(const model::Tags& tags);

}  // namespace weir::aws::cloudformation
