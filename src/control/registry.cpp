// One lock, one map per kind, and for each transaction a list of how to undo it.
//
// A Draft changes the State in place, so that reads inside the transaction are plain map look-ups;
// each put and erase first notes the old value. Committing writes the last body of every touched
// record in one store transaction; anything else, an exception included, plays the notes backwards.
#include "control/registry.hpp"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/assert.hpp"
#include "model/codec.hpp"

namespace weir::control {
namespace {

std::string key_text(const std::string& key) { return key; }
std::string key_text(const TargetKey& key) {
  const auto& [group, id, port] = key;
  return fmt::format("{}|{}|{}", group, id, port);
}

class Transaction final : public Draft {
 public:
  explicit Transaction(State& state) : state_(state) {}
  ~Transaction() { roll_back(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  const State& state() const override { return state_; }

  void put(model::Vpc value) override {
    changed_.network = true;
    store(state_.vpcs, "vpc", value.id, std::move(value));
  }
  void put(model::Subnet value) override {
    changed_.network = true;
    store(state_.subnets, "subnet", value.id, std::move(value));
  }
  void put(model::SecurityGroup value) override {
    changed_.security_groups.insert(value.id);
    store(state_.security_groups, "security_group", value.id, std::move(value));
  }
  void put(model::KeyPair value) override {
    store(state_.key_pairs, "key_pair", value.id, std::move(value));
  }
  void put(model::Instance value) override {
    changed_.instances.insert(value.id);
    store(state_.instances, "instance", value.id, std::move(value));
  }
  void put(model::TargetGroup value) override {
    changed_.load_balancing = true;
    changed_.target_groups.insert(value.arn);
    store(state_.target_groups, "target_group", value.arn, std::move(value));
  }
  void put(model::Target value) override {
    changed_.load_balancing = true;
    changed_.targets.emplace(value.target_group_arn, value.id, value.port);
    store(state_.targets, "target", TargetKey{value.target_group_arn, value.id, value.port},
          std::move(value));
  }
  void put(model::LoadBalancer value) override {
    changed_.load_balancing = changed_.load_balancers = true;
    store(state_.load_balancers, "load_balancer", value.arn, std::move(value));
  }
  void put(model::Listener value) override {
    changed_.load_balancing = true;
    store(state_.listeners, "listener", value.arn, std::move(value));
  }
  void put(model::Rule value) override {
    changed_.load_balancing = true;
    changed_.rules[value.arn] = value.listener_arn;
    store(state_.rules, "rule", value.arn, std::move(value));
  }
  void put(model::TrustStore value) override {
    changed_.load_balancing = true;
    store(state_.trust_stores, "trust_store", value.arn, std::move(value));
  }
  void put(model::Certificate value) override {
    changed_.load_balancing = true;
    store(state_.certificates, "certificate", value.arn, std::move(value));
  }
  void put(model::StickinessKey value) override {
    changed_.load_balancing = true;
    store(state_.stickiness_keys, "stickiness_key", value.id, std::move(value));
  }
  void put(model::AccessKey value) override {
    store(state_.access_keys, "access_key", value.id, std::move(value));
  }
  void put(model::Stack value) override {
    changed_.stacks.insert(value.name);
    store(state_.stacks, "stack", value.name, std::move(value));
  }
  void erase_security_group(const std::string& id) override {
    changed_.security_groups.insert(id);
    remove(state_.security_groups, "security_group", id);
  }
  void erase_key_pair(const std::string& id) override { remove(state_.key_pairs, "key_pair", id); }
  void erase_instance(const std::string& id) override {
    changed_.instances.insert(id);
    remove(state_.instances, "instance", id);
  }
  void erase_target_group(const std::string& arn) override {
    changed_.load_balancing = true;
    changed_.target_groups.insert(arn);
    remove(state_.target_groups, "target_group", arn);
  }
  void erase_target(const TargetKey& key) override {
    changed_.load_balancing = true;
    changed_.targets.insert(key);
    remove(state_.targets, "target", key);
  }
  void erase_load_balancer(const std::string& arn) override {
    changed_.load_balancing = changed_.load_balancers = true;
    remove(state_.load_balancers, "load_balancer", arn);
  }
  void erase_listener(const std::string& arn) override {
    changed_.load_balancing = true;
    remove(state_.listeners, "listener", arn);
  }
  void erase_rule(const std::string& arn) override {
    changed_.load_balancing = true;
    if (const auto rule = state_.rules.find(arn); rule != state_.rules.end())
      changed_.rules[arn] = rule->second.listener_arn;
    remove(state_.rules, "rule", arn);
  }
  void erase_trust_store(const std::string& arn) override {
    changed_.load_balancing = true;
    remove(state_.trust_stores, "trust_store", arn);
  }
  void erase_certificate(const std::string& arn) override {
    changed_.load_balancing = true;
    remove(state_.certificates, "certificate", arn);
  }
  void erase_stickiness_key(const std::string& id) override {
    changed_.load_balancing = true;
    remove(state_.stickiness_keys, "stickiness_key", id);
  }
  void erase_access_key(const std::string& id) override {
    remove(state_.access_keys, "access_key", id);
  }
  void erase_stack(const std::string& name) override {
    changed_.stacks.insert(name);
    remove(state_.stacks, "stack", name);
  }

  [[nodiscard]] std::vector<store::Change> changes() const {
    std::vector<store::Change> out;
    out.reserve(bodies_.size());
    for (const auto& [where, body] : bodies_) out.push_back({where.first, where.second, body});
    return out;
  }
  [[nodiscard]] const Changed& changed() const { return changed_; }
  [[nodiscard]] bool is_empty() const { return bodies_.empty(); }
  void keep() { undo_.clear(); }

 private:
  // `value` by reference, so that it is whole while the key is copied from it.
  template <typename Key, typename Value>
  void store(std::map<Key, Value>& map, const char* kind, Key key, Value&& value) {
    note_old(map, key);
    bodies_[{kind, key_text(key)}] = model::encode(value);
    replace(map, key, std::move(value));
  }

  // `key` by value: the caller's may live in the record that goes.
  template <typename Key, typename Value>
  void remove(std::map<Key, Value>& map, const char* kind, Key key) {
    note_old(map, key);
    bodies_[{kind, key_text(key)}] = std::nullopt;
    take_out(map, key);
  }

  template <typename Key, typename Value>
  void note_old(std::map<Key, Value>& map, const Key& key) {
    const auto found = map.find(key);
    if (found == map.end()) {
      undo_.emplace_back([this, &map, key] { take_out(map, key); });
    } else {
      undo_.emplace_back([this, &map, key, old = found->second] { replace(map, key, old); });
    }
  }

  // The record and its place in the index change together.
  template <typename Key, typename Value>
  void replace(std::map<Key, Value>& map, const Key& key, Value value) {
    const auto [at, is_new] = map.try_emplace(key);
    if (!is_new) state_.index.remove(at->second);
    state_.index.add(value);
    at->second = std::move(value);
  }
  template <typename Key, typename Value>
  void take_out(std::map<Key, Value>& map, const Key& key) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    state_.index.remove(found->second);
    map.erase(found);
  }

  void roll_back() {
    for (; !undo_.empty(); undo_.pop_back()) undo_.back()();
  }

  State& state_;
  Changed changed_;
  std::vector<std::function<void()>> undo_;
  std::map<std::pair<std::string, std::string>, std::optional<std::string>> bodies_;
};

// Puts one record of the store into the state.
Status place(State& state, const store::Record& record) {
  const auto keep = [&](auto& map, auto decoded, auto key_of) -> Status {
    if (!decoded) return std::unexpected(decoded.error());
    auto key = key_of(*decoded);
    state.index.add(*decoded);
    map.insert_or_assign(std::move(key), std::move(*decoded));
    return {};
  };
  const auto id = [](const auto& value) { return value.id; };
  const auto arn = [](const auto& value) { return value.arn; };
  const auto name = [](const auto& value) { return value.name; };
  const auto target = [](const model::Target& value) {
    return TargetKey{value.target_group_arn, value.id, value.port};
  };
  const std::string& kind = record.kind;
  const std::string& body = record.body;
  if (kind == "vpc") return keep(state.vpcs, model::decode_vpc(body), id);
  if (kind == "subnet") return keep(state.subnets, model::decode_subnet(body), id);
  if (kind == "security_group") {
    return keep(state.security_groups, model::decode_security_group(body), id);
  }
  if (kind == "instance") return keep(state.instances, model::decode_instance(body), id);
  if (kind == "target_group") {
    return keep(state.target_groups, model::decode_target_group(body), arn);
  }
  if (kind == "target") return keep(state.targets, model::decode_target(body), target);
  if (kind == "load_balancer") {
    return keep(state.load_balancers, model::decode_load_balancer(body), arn);
  }
  if (kind == "listener") return keep(state.listeners, model::decode_listener(body), arn);
  if (kind == "rule") return keep(state.rules, model::decode_rule(body), arn);
  if (kind == "trust_store") {
    return keep(state.trust_stores, model::decode_trust_store(body), arn);
  }
  if (kind == "certificate") {
    return keep(state.certificates, model::decode_certificate(body), arn);
  }
  if (kind == "stickiness_key") {
    return keep(state.stickiness_keys, model::decode_stickiness_key(body), id);
  }
  if (kind == "key_pair") return keep(state.key_pairs, model::decode_key_pair(body), id);
  if (kind == "access_key") return keep(state.access_keys, model::decode_access_key(body), id);
  if (kind == "stack") return keep(state.stacks, model::decode_stack(body), name);
  return fail("BadRecord", fmt::format("the kind '{}' is not known", kind));
}

class StoredRegistry final : public Registry {
 public:
  explicit StoredRegistry(std::unique_ptr<store::Store> store) : store_(std::move(store)) {}

  Status load() {
    const auto records = store_->load();
    if (!records) return std::unexpected(records.error());
    for (const store::Record& record : *records) {
      if (auto placed = place(state_, record); !placed) {
        return fail("StoreDamaged",
                    fmt::format("the record {} '{}' cannot be read: {}", record.kind, record.key,
                                placed.error().message),
                    "Restore the store from a copy, or remove it to begin anew.");
      }
    }
    return {};
  }

  Status update(const std::function<Status(Draft&)>& change) override {
    const Held held(*this);
    Transaction transaction(state_);
    if (auto done = change(transaction); !done) return done;
    if (transaction.is_empty()) return {};
    if (auto stored = store_->commit(transaction.changes()); !stored) {
      return std::unexpected(stored.error());
    }
    transaction.keep();
    for (const Subscriber& subscriber : subscribers_) subscriber(state_, transaction.changed());
    return {};
  }

  void read(const std::function<void(const State&)>& reader) const override {
    const Held held(*this);
    reader(state_);
  }

  void subscribe(Subscriber subscriber) override {
    const Held held(*this);
    subscribers_.push_back(std::move(subscriber));
  }

  const std::string& account() const override { return account_; }
  const std::string& region() const override { return region_; }

 private:
  // The lock, which a thread must not take twice: a change, reader or subscriber that calls back
  // would hang, so it stops the program instead.
  class Held {
   public:
    explicit Held(const StoredRegistry& registry) : registry_(registry) {
      WEIR_ASSERT(registry.holder_.load(std::memory_order_relaxed) != std::this_thread::get_id());
      registry.mutex_.lock();
      registry.holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    ~Held() {
      registry_.holder_.store(std::thread::id(), std::memory_order_relaxed);
      registry_.mutex_.unlock();
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    const StoredRegistry& registry_;
  };

  mutable std::mutex mutex_;
  mutable std::atomic<std::thread::id> holder_{};
  State state_;
  std::unique_ptr<store::Store> store_;
  std::vector<Subscriber> subscribers_;
  const std::string account_ = "123456789012";
  const std::string region_ = "us-east-1";
};

}  // namespace

Result<std::unique_ptr<Registry>> Registry::open(std::unique_ptr<store::Store> store) {
  auto registry = std::make_unique<StoredRegistry>(std::move(store));
  if (auto loaded = registry->load(); !loaded) return std::unexpected(loaded.error());
  return registry;
}

}  // namespace weir::control
