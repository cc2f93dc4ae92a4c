// What the parts of the engine share. engine.cpp: creation and removal; engine_update.cpp: updates.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "stacks/engine.hpp"
#include "stacks/plan.hpp"
#include "stacks/provider.hpp"
#include "stacks/stack_work.hpp"

namespace weir::stacks {

// Names that begin with aws: are refused.
[[nodiscard]] Status check_tags(const model::Tags& tags);

// Notes the values in the record, of NoEcho ones a digest.
Status note_parameters(const Prepared& prepared, model::Stack& stack);

// Those that DeletionPolicy keeps. A template that cannot be read any more keeps nothing.
[[nodiscard]] std::set<std::string> retained_resources(const std::string& template_body,
                                                       bool is_roll_back);

struct Engine::Impl {
  Impl(control::Registry& registry_in, control::Elb& elb, control::Ec2& ec2)
      : registry(registry_in), provider(registry_in, elb, ec2) {}

  // A stack is worked on by one call at a time.
  class Hold {
   public:
    Hold(Impl& impl, const std::string& name) : impl_(impl), name_(name) {
      const std::lock_guard lock(impl.mutex);
      is_held_ = impl.busy.insert(name).second;
    }
    ~Hold() {
      const std::lock_guard lock(impl_.mutex);
      if (is_held_) impl_.busy.erase(name_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    explicit operator bool() const { return is_held_; }

   private:
    Impl& impl_;
    std::string name_;
    bool is_held_ = false;
  };

  [[nodiscard]] Environment environment(const std::string& stack_name,
                                        const std::string& stack_id) const;
  [[nodiscard]] std::optional<model::Stack> find(const std::string& name) const;
  Status roll_back(StackRecord& record, const std::string& reason, bool keeps_record = false);
  Status remove(StackRecord& record);
  // What the last daemon left in this state.
  Status finish(StackRecord& record, const std::string& status);

  // ---- engine_update.cpp
  // Back to what was before the update. Success: all is as it was.
  Status roll_back_update(StackRecord& record, const std::string& reason);
  // Removes what the update has put aside and ends it, in the state `goal`.
  Status clean_up(StackRecord& record, const std::string& goal);
  Status finish_update(StackRecord& record, const std::string& status, const std::string& reason);

  control::Registry& registry;
  Provider provider;
  std::mutex mutex;
  std::set<std::string> busy;
};

}  // namespace weir::stacks
