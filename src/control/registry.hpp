// All resources, in memory, written through to the store.
//
// Every change is a transaction: `update` runs a function on a Draft under the one lock, commits
// what it put and erased to the store, and tells the subscribers; when the function or the commit
// fails, the state is as before. So an answered write is on disk, changes are in one order, and
// nobody sees a half-made one. Readers run under the same lock and copy what they need.
// Any thread. Subscribers must not call back into the Registry.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/index.hpp"
#include "model/resources.hpp"
#include "store/store.hpp"

namespace weir::control {

// Keyed by id or ARN.
struct State {
  std::map<std::string, model::Vpc> vpcs;
  std::map<std::string, model::Subnet> subnets;
  std::map<std::string, model::SecurityGroup> security_groups;
  std::map<std::string, model::KeyPair> key_pairs;
  std::map<std::string, model::Instance> instances;
  std::map<std::string, model::TargetGroup> target_groups;
  std::map<TargetKey, model::Target> targets;
  std::map<std::string, model::LoadBalancer> load_balancers;
  std::map<std::string, model::Listener> listeners;
  std::map<std::string, model::Rule> rules;
  std::map<std::string, model::TrustStore> trust_stores;
  std::map<std::string, model::Certificate> certificates;
  std::map<std::string, model::StickinessKey> stickiness_keys;
  std::map<std::string, model::AccessKey> access_keys;
  std::map<std::string, model::Stack> stacks;
  Index index;  // of the records above
};

// What a commit changed, by kind, for subscribers that care about some kinds only.
struct Changed {
  bool network = false;  // VPCs, subnets
  std::set<std::string> security_groups;
  std::set<std::string> instances;
  bool load_balancing = false;               // load balancers and all that belongs to them
  bool load_balancers = false;               // their own records
  std::map<std::string, std::string> rules;  // ARN → its listener's
  std::set<std::string> target_groups;
  std::set<TargetKey> targets;
  std::set<std::string> stacks;
};

// The state while it is being changed. Reads see the function's own writes.
class Draft {
 public:
  [[nodiscard]] virtual const State& state() const = 0;
  virtual void put(model::Vpc value) = 0;
  virtual void put(model::Subnet value) = 0;
  virtual void put(model::SecurityGroup value) = 0;
  virtual void put(model::KeyPair value) = 0;
  virtual void put(model::Instance value) = 0;
  virtual void put(model::TargetGroup value) = 0;
  virtual void put(model::Target value) = 0;
  virtual void put(model::LoadBalancer value) = 0;
  virtual void put(model::Listener value) = 0;
  virtual void put(model::Rule value) = 0;
  virtual void put(model::TrustStore value) = 0;
  virtual void put(model::Certificate value) = 0;
  virtual void put(model::StickinessKey value) = 0;
  virtual void put(model::AccessKey value) = 0;
  virtual void put(model::Stack value) = 0;
  virtual void erase_security_group(const std::string& id) = 0;
  virtual void erase_key_pair(const std::string& id) = 0;
  virtual void erase_instance(const std::string& id) = 0;
  virtual void erase_target_group(const std::string& arn) = 0;
  virtual void erase_target(const TargetKey& key) = 0;
  virtual void erase_load_balancer(const std::string& arn) = 0;
  virtual void erase_listener(const std::string& arn) = 0;
  virtual void erase_rule(const std::string& arn) = 0;
  virtual void erase_trust_store(const std::string& arn) = 0;
  virtual void erase_certificate(const std::string& arn) = 0;
  virtual void erase_stickiness_key(const std::string& id) = 0;
  virtual void erase_access_key(const std::string& id) = 0;
  virtual void erase_stack(const std::string& name) = 0;

 protected:
  ~Draft() = default;
};

class Registry {
 public:
  // Loads the state from the store. A record that cannot be decoded is an error ("StoreDamaged").
  [[nodiscard]] static Result<std::unique_ptr<Registry>> open(std::unique_ptr<store::Store> store);
  virtual ~Registry() = default;

  virtual Status update(const std::function<Status(Draft&)>& change) = 0;
  virtual void read(const std::function<void(const State&)>& reader) const = 0;

  // Called after each commit, in order, under the lock, on the committing thread: be quick.
  using Subscriber = std::function<void(const State&, const Changed&)>;
  virtual void subscribe(Subscriber subscriber) = 0;

  // "123456789012" and "us-east-1": what ARNs are made with.
  [[nodiscard]] virtual const std::string& account() const = 0;
  [[nodiscard]] virtual const std::string& region() const = 0;

 protected:
  Registry() = default;
};

}  // namespace weir::control
