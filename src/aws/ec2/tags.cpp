// Tags of all kinds of resources: CreateTags, DeleteTags, DescribeTags.
//
// A resource's kind follows from its id's prefix: `change_tags` finds the record. A
// volume and a network interface are parts of their instance's record, a rule of its group's.
#include "aws/ec2/handlers.hpp"
#include "model/validate.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;
using Change = std::function<Status(model::Tags&)>;

Error unknown(std::string_view code, std::string_view what, const std::string& id) {
  return {std::string(code), fmt::format("The {} '{}' does not exist", what, id), {}};
}

template <typename Record>
Status change_in(control::Draft& draft, const std::map<std::string, Record>& records,
                 const std::string& id, Error missing, const Change& change) {
  const auto found = records.find(id);
  if (found == records.end()) return std::unexpected(std::move(missing));
  Record record = found->second;
  if (auto changed = change(record.tags); !changed) return changed;
  draft.put(std::move(record));
  return {};
}

// Of the instance whose `id` member is `id`.
Status change_part(control::Draft& draft, std::string model::Instance::*part_id,
                   model::Tags model::Instance::*tags, const std::string& id, Error missing,
                   const Change& change) {
  for (const auto& [instance_id, instance] : draft.state().instances) {
    if (instance.*part_id != id) continue;
    model::Instance copy = instance;
    if (auto changed = change(copy.*tags); !changed) return changed;
    draft.put(std::move(copy));
    return {};
  }
  return std::unexpected(std::move(missing));
}

Status change_rule(control::Draft& draft, const std::string& id, const Change& change) {
  for (const auto& [group_id, group] : draft.state().security_groups) {
    model::SecurityGroup copy = group;
    for (auto* rules : {&copy.ingress, &copy.egress}) {
      const auto found = std::ranges::find(*rules, id, &model::SecurityGroupRule::id);
      if (found == rules->end()) continue;
      if (auto changed = change(found->tags); !changed) return changed;
      draft.put(std::move(copy));
      return {};
    }
  }
  return std::unexpected(
      unknown("InvalidSecurityGroupRuleId.NotFound", "security group rule ID", id));
}

Status change_tags(control::Draft& draft, const std::string& id, const Change& change) {
  const State& state = draft.state();
  const auto is = [&](std::string_view prefix) { return model::is_ec2_id(id, prefix); };
  if (is("i-")) {
    return change_in(draft, state.instances, id,
                     unknown("InvalidInstanceID.NotFound", "instance ID", id), change);
  }
  if (is("vol-")) {
    return change_part(draft, &model::Instance::root_volume_id, &model::Instance::volume_tags, id,
                       unknown("InvalidVolume.NotFound", "volume", id), change);
  }
  if (is("eni-")) {
    return change_part(
        draft, &model::Instance::network_interface_id, &model::Instance::network_interface_tags, id,
        unknown("InvalidNetworkInterfaceID.NotFound", "networkInterface ID", id), change);
  }
  if (is("sg-")) {
    return change_in(draft, state.security_groups, id,
                     unknown("InvalidGroup.NotFound", "security group", id), change);
  }
  if (is("sgr-")) return change_rule(draft, id, change);
  if (is("key-")) {
    return change_in(draft, state.key_pairs, id, unknown("InvalidKeyPair.NotFound", "key pair", id),
                     change);
  }
  if (is("subnet-")) {
    return change_in(draft, state.subnets, id, unknown("InvalidSubnetID.NotFound", "subnet ID", id),
                     change);
  }
  if (is("vpc-")) {
    return change_in(draft, state.vpcs, id, unknown("InvalidVpcID.NotFound", "vpc ID", id), change);
  }
  return fail("InvalidID", fmt::format("The ID '{}' is not valid", id.substr(0, 100)));
}

// All resources or none.
Result<Value> change_all(const Ec2Parts& parts, const Value& input, const Change& change) {
  const auto changed = parts.registry.update([&](control::Draft& draft) -> Status {
    for (const std::string& id : input.texts("Resources")) {
      if (auto done = change_tags(draft, id, change); !done) return done;
    }
    return {};
  });
  if (!changed) return std::unexpected(changed.error());
  return Value();
}

Result<Value> create(const Ec2Parts& parts, const Value& input) {
  const auto wanted = tags_of(input.list("Tags"));
  if (!wanted) return std::unexpected(wanted.error());
  return change_all(parts, input, [&](model::Tags& tags) {
    for (const auto& [key, value] : *wanted) tags.insert_or_assign(key, value);
    return model::validate_tags(tags);
  });
}

// Without "Tags" all go but those of aws:. A tag that is given with a value goes where it has that.
Result<Value> remove(const Ec2Parts& parts, const Value& input) {
  const Value::List& wanted = input.list("Tags");
  return change_all(parts, input, [&](model::Tags& tags) -> Status {
    if (wanted.empty()) {
      std::erase_if(tags, [](const auto& tag) { return !tag.first.starts_with("aws:"); });
      return {};
    }
    for (const Value& tag : wanted) {
      const auto found = tags.find(tag.text("Key"));
      if (found == tags.end()) continue;
      const auto value = tag.optional_text("Value");
      if (!value || *value == found->second) tags.erase(found);
    }
    return {};
  });
}

// ---------------------------------------------------------------- DescribeTags
struct Tagged {
  std::string id;
  std::string_view type;
  std::string key;
  std::string value;
};

constexpr auto fields = std::to_array<Field<Tagged>>({
    {"key", [](const State&, const Tagged& tag) { return Texts{tag.key}; }},
    {"value", [](const State&, const Tagged& tag) { return Texts{tag.value}; }},
    {"resource-id", [](const State&, const Tagged& tag) { return Texts{tag.id}; }},
    {"resource-type", [](const State&, const Tagged& tag) { return Texts{std::string(tag.type)}; }},
});

Value write(const Site&, const Tagged& tag) {
  return {
      {"ResourceId", tag.id}, {"ResourceType", tag.type}, {"Key", tag.key}, {"Value", tag.value}};
}

constexpr Listing<Tagged> listing{"Tags", "", "", "", "", "", fields, write};

// By resource and key.
class AllTags {
 public:
  explicit AllTags(const State& state) {
    add_records(state.vpcs, "vpc");
    add_records(state.subnets, "subnet");
    add_records(state.security_groups, "security-group");
    add_records(state.key_pairs, "key-pair");
    add_records(state.instances, "instance");
    for (const auto& [id, instance] : state.instances) {
      add(instance.root_volume_id, "volume", instance.volume_tags);
      add(instance.network_interface_id, "network-interface", instance.network_interface_tags);
    }
    for (const auto& [id, group] : state.security_groups) {
      for (const auto* rules : {&group.ingress, &group.egress}) {
        for (const auto& rule : *rules) add(rule.id, "security-group-rule", rule.tags);
      }
    }
  }
  [[nodiscard]] const std::map<std::string, Tagged>& all() const { return all_; }

 private:
  template <typename Record>
  void add_records(const std::map<std::string, Record>& records, std::string_view type) {
    for (const auto& [id, record] : records) add(id, type, record.tags);
  }
  void add(const std::string& id, std::string_view type, const model::Tags& tags) {
    for (const auto& [key, value] : tags) {
      all_.emplace(fmt::format("{} {}", id, key), Tagged{id, type, key, value});
    }
  }

  std::map<std::string, Tagged> all_;
};

Result<Value> describe(const Site& site, const Value& input) {
  return list_records(site, AllTags(site.state).all(), input, listing);
}

}  // namespace

void add_tags(Handlers& handlers, const Ec2Parts& parts) {
  handlers["CreateTags"] = changing(parts, create);
  handlers["DeleteTags"] = changing(parts, remove);
  handlers["DescribeTags"] = reading(parts, describe);
}

}  // namespace weir::aws::ec2
