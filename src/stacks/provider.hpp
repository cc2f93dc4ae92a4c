// Makes, changes and removes single resources through control/.
//
// Two phases each, since instances take time: `start` asks for it and returns with the physical id,
// `finish` waits until it is there (or gone). Each start is one transaction of control's, or undoes
// what it did; an id is set as soon as it is known, so that a failed resource can be rolled back.
// Any thread.
#pragma once

#include <atomic>
#include <optional>
#include <set>
#include <string>

#include "base/result.hpp"
#include "control/ec2.hpp"
#include "control/elb.hpp"
#include "control/registry.hpp"
#include "stacks/environment.hpp"
#include "stacks/resolve.hpp"

namespace weir::stacks {

// A resource that is to be made.
struct Wanted {
  std::string logical_id;
  std::string type;
  std::string file_name;  // for messages
  std::string stack_name;
  std::string stack_id;
  model::Tags stack_tags;  // the client's own
  Value properties;        // resolved
};

class Provider {
 public:
  Provider(control::Registry& registry, control::Elb& elb, control::Ec2& ec2)
      : registry_(registry), elb_(elb), ec2_(ec2) {}

  // Attributes that must be on disk before `start`, where the resource cannot carry tags: what a
  // removal needs to find it.
  [[nodiscard]] Result<Made> announce(const Wanted& wanted) const;
  Status start(const Wanted& wanted, Made& made);
  Status finish(const std::string& type, const Made& made, const std::atomic<bool>& is_stopped);

  // Changes the resource in place from what it was made with to what is wanted. May be repeated.
  Status update(const Wanted& former, const Wanted& wanted, Made& made);

  // Removing what is gone already succeeds.
  Status start_removal(const std::string& type, const Made& made);
  Status finish_removal(const std::string& type, const Made& made);

  // The physical id of what carries the tags of this stack and logical id and is none of `known`.
  [[nodiscard]] std::optional<std::string> find(const std::string& type,
                                                const std::string& stack_id,
                                                const std::string& logical_id,
                                                const std::set<std::string>& known) const;

 private:
  void note_identity(const Wanted& wanted, Made& made) const;
  Status start_security_group(const Wanted& wanted, Made& made);
  Status start_security_group_rule(Made& made);
  Status start_instance(const Wanted& wanted, Made& made);
  Status start_target_group(const Wanted& wanted, Made& made);
  Status start_load_balancer(const Wanted& wanted, Made& made);
  Status start_listener(const Wanted& wanted, Made& made);
  Status start_listener_certificate(const Wanted& wanted, Made& made);
  Status start_rule(const Wanted& wanted, Made& made);
  Status update_security_group(const Wanted& former, const Wanted& wanted, const Made& made);
  Status update_rule_description(const Wanted& wanted, Made& made);
  Status update_target_group(const Wanted& former, const Wanted& wanted, const Made& made);
  Status update_load_balancer(const Wanted& former, const Wanted& wanted, Made& made);
  Status update_listener(const Wanted& former, const Wanted& wanted, const Made& made);
  Status update_listener_certificate(const Wanted& former, const Wanted& wanted, Made& made);
  Status update_rule(const Wanted& former, const Wanted& wanted, const Made& made);
  Status remove_security_group_rule(const Made& made);
  Status remove_listener_certificate(const Made& made);
  [[nodiscard]] Result<std::string> group_id_of(const std::string& name) const;

  control::Registry& registry_;
  control::Elb& elb_;
  control::Ec2& ec2_;
};

// `<stack>-<logical id>-<12 random A-Z0-9>`, the first two cut so that it fits (CloudFormation).
[[nodiscard]] std::string make_name(const std::string& stack_name, const std::string& logical_id,
                                    std::size_t bytes_max);

}  // namespace weir::stacks
