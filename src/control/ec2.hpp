// EC2's verbs: instances, security groups, the default VPC (reference §9).
//
// A launch is intent first: run_instances validates, allocates addresses, stores the instances as
// pending and returns; a few launcher threads then bring each up through compute::Compute and
// store the outcome (running, or terminated with a state reason). So it is with stop, start and
// terminate. Any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compute/compute.hpp"
#include "control/registry.hpp"
#include "model/resources.hpp"

namespace weir::control {

struct RunInstancesInput {
  std::string image_id;
  std::string type;
  int count = 1;
  int min_count = 0;      // as many as there is room for, but not fewer; 0: all
  std::string subnet_id;  // empty: a default subnet, zones in turn
  std::vector<std::string> security_group_ids;  // empty: the VPC's default group
  std::string key_name;
  std::string private_ip;  // of a single instance; empty: a free one
  std::string user_data;   // raw
  std::string client_token;
  std::string client_token_digest;  // tells calls with one token apart by their parameters
  bool disable_api_termination = false;
  bool disable_api_stop = false;
  std::string shutdown_behavior = "stop";
  bool detailed_monitoring = false;
  bool ebs_optimized = false;
  bool metadata_tokens_required = false;
  std::string cpu_credits;  // empty: the type's default
  model::Tags tags;
  model::Tags volume_tags;
  model::Tags network_interface_tags;
};

// What is set is changed.
struct ModifyInstanceInput {
  std::optional<std::string> type;       // while stopped
  std::optional<std::string> user_data;  // while stopped; raw
  std::optional<bool> disable_api_termination;
  std::optional<bool> disable_api_stop;
  std::optional<std::string> shutdown_behavior;
  std::optional<bool> source_dest_check;
  std::optional<bool> ebs_optimized;
  std::optional<bool> detailed_monitoring;
  std::optional<std::string> cpu_credits;
  std::optional<std::vector<std::string>> security_group_ids;
};

enum class Direction : std::uint8_t { ingress, egress };
using Rules = std::vector<model::SecurityGroupRule>;

struct CreateSecurityGroupInput {
  std::string name;
  std::string description;
  std::string vpc_id;  // empty: the default VPC
  std::vector<model::SecurityGroupRule> ingress;
  std::vector<model::SecurityGroupRule> egress;  // empty: all allowed, as EC2 does
  model::Tags tags;
};

class Ec2 {
 public:
  struct Impl;  // ec2_impl.hpp

  Ec2(Registry& registry, compute::Compute& compute);
  ~Ec2();  // waits for launches under way
  Ec2(const Ec2&) = delete;
  Ec2& operator=(const Ec2&) = delete;

  // Makes the default VPC, its subnets and its default security group where the store has none,
  // and the network in the compute layer. `vpc_cidr` empty: 172.31.0.0/16, or the next of a list
  // that clashes with no route of this machine.
  Status ensure_default_vpc(const std::string& vpc_cidr);

  // After a daemon start: compares the stored instances with those that compute still runs;
  // adopts the running ones, and those that died are stopped with their reason.
  Status adopt();

  Result<std::vector<model::Instance>> run_instances(const RunInstancesInput& input);
  Status terminate_instances(const std::vector<std::string>& ids);
  Status stop_instances(const std::vector<std::string>& ids);
  Status start_instances(const std::vector<std::string>& ids);
  Status reboot_instances(const std::vector<std::string>& ids);
  Status modify_instance(const std::string& id, const ModifyInstanceInput& input);

  // The last `bytes_max` bytes of its console; empty once it is terminated.
  Result<std::string> console_output(const std::string& id, std::size_t bytes_max);

  // Blocks until the instance is in `state`, or in a state from which it cannot get there
  // ("InstanceFailed", the message is its state reason), or `timeout` is over ("Timeout").
  Status wait_for(const std::string& id, model::InstanceState state,
                  std::chrono::milliseconds timeout);

  Result<model::SecurityGroup> create_security_group(const CreateSecurityGroupInput& input);
  Status delete_security_group(const std::string& id);
  Status authorize_ingress(const std::string& id, const model::SecurityGroupRule& rule);
  Status authorize_egress(const std::string& id, const model::SecurityGroupRule& rule);
  // All of them or none; returns them as they are kept, with their ids.
  Result<Rules> authorize(const std::string& id, Direction direction, const Rules& rules);
  // Returns those that it removed. A rule is named by its id, or by what it says (its description
  // aside). "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound".
  Result<Rules> revoke(const std::string& id, Direction direction, const Rules& rules);
  Status describe_rules(const std::string& id, Direction direction, const Rules& rules);
  // Each by its id, to what it is to say from now on.
  Status modify_rules(const std::string& id, const Rules& rules);

  // The private key, in the format asked for, is told here alone.
  struct NewKeyPair {
    model::KeyPair pair;
    std::string private_key;
  };
  // `type`: rsa, ed25519. `format`: pem; ppk is refused. "InvalidKeyPair.Duplicate".
  Result<NewKeyPair> create_key_pair(const std::string& name, const std::string& type,
                                     const std::string& format, const model::Tags& tags);
  // A line of OpenSSH's format, or a file of RFC 4716's. "InvalidKey.Format".
  Result<model::KeyPair> import_key_pair(const std::string& name, const std::string& public_key,
                                         const model::Tags& tags);
  // By id, where there is one, else by name. Empty: there was none, which is no error.
  Result<std::string> delete_key_pair(const std::string& id, const std::string& name);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::control
