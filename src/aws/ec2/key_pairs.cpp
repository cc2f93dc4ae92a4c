// Key pairs: reference §9.4.
#include "aws/ec2/handlers.hpp"

namespace weir::aws::ec2 {
namespace {

using control::State;
using model::KeyPair;

constexpr auto fields = std::to_array<Field<KeyPair>>({
    {"key-pair-id", [](const State&, const KeyPair& pair) { return Texts{pair.id}; }},
    {"key-name", [](const State&, const KeyPair& pair) { return Texts{pair.name}; }},
    {"fingerprint", [](const State&, const KeyPair& pair) { return Texts{pair.fingerprint}; }},
});

Value write(const KeyPair& pair, bool with_public_key) {
  Value out{{"KeyPairId", pair.id},
            {"KeyName", pair.name},
            {"KeyType", pair.type},
            {"KeyFingerprint", pair.fingerprint}};
  out.set("CreateTime", Timestamp{pair.created_at_ms});
  if (with_public_key) out.set("PublicKey", pair.public_key + "\n");
  out.set("Tags", tag_list(pair.tags));
  return out;
}

// What was asked for by name or id must be there.
Result<std::set<std::string>> wanted_ids(const State& state, const Value& input) {
  std::set<std::string> ids;
  const auto there = [&](const std::string& id) { return state.key_pairs.contains(id); };
  const Texts given = input.texts("KeyPairIds");
  if (auto valid = check_ids(given, "key-", "InvalidKeyPair.Format", "InvalidKeyPair.NotFound",
                             "key pair ID", there);
      !valid) {
    return std::unexpected(valid.error());
  }
  ids.insert(given.begin(), given.end());
  for (const std::string& name : input.texts("KeyNames")) {
    const auto found = std::ranges::find_if(
        state.key_pairs, [&](const auto& entry) { return entry.second.name == name; });
    if (found == state.key_pairs.end()) {
      return fail("InvalidKeyPair.NotFound",
                  fmt::format("The key pair '{}' does not exist", name.substr(0, 255)));
    }
    ids.insert(found->first);
  }
  return ids;
}

Result<Value> describe(const Site& site, const Value& input) {
  const auto filters = filters_of(input);
  if (!filters) return std::unexpected(filters.error());
  const std::span<const Field<KeyPair>> all(fields);
  if (auto valid = check_filters(*filters, all); !valid) return std::unexpected(valid.error());
  const auto ids = wanted_ids(site.state, input);
  if (!ids) return std::unexpected(ids.error());
  Value::List items;
  for (const auto& [id, pair] : site.state.key_pairs) {
    if (!ids->empty() && !ids->contains(id)) continue;
    if (!passes(site.state, *filters, all, pair)) continue;
    items.push_back(write(pair, input.flag("IncludePublicKey").value_or(false)));
  }
  Value out;
  out.set("KeyPairs", Value(std::move(items)));
  return out;
}

Result<Value> create(const Ec2Parts& parts, const Value& input) {
  const auto tags = specified_tags(input, "key-pair");
  if (!tags) return std::unexpected(tags.error());
  const auto made = parts.ec2.create_key_pair(input.text("KeyName"), input.text("KeyType", "rsa"),
                                              input.text("KeyFormat", "pem"), *tags);
  if (!made) return std::unexpected(made.error());
  Value out{{"KeyPairId", made->pair.id},
            {"KeyName", made->pair.name},
            {"KeyFingerprint", made->pair.fingerprint},
            {"KeyMaterial", made->private_key}};
  out.set("Tags", tag_list(made->pair.tags));
  return out;
}

Result<Value> import_one(const Ec2Parts& parts, const Value& input) {
  const auto tags = specified_tags(input, "key-pair");
  if (!tags) return std::unexpected(tags.error());
  const auto made =
      parts.ec2.import_key_pair(input.text("KeyName"), input.text("PublicKeyMaterial"), *tags);
  if (!made) return std::unexpected(made.error());
  Value out{
      {"KeyPairId", made->id}, {"KeyName", made->name}, {"KeyFingerprint", made->fingerprint}};
  out.set("Tags", tag_list(made->tags));
  return out;
}

Result<Value> remove(const Ec2Parts& parts, const Value& input) {
  const std::string id = input.text("KeyPairId");
  const std::string name = input.text("KeyName");
  if (id.empty() && name.empty()) {
    return fail("MissingParameter", "The request must contain the parameter KeyName or KeyPairId");
  }
  const auto gone = parts.ec2.delete_key_pair(id, name);
  if (!gone) return std::unexpected(gone.error());
  Value out = done();
  out.set_text("KeyPairId", *gone);
  return out;
}

}  // namespace

void add_key_pairs(Handlers& handlers, const Ec2Parts& parts) {
  handlers["DescribeKeyPairs"] = reading(parts, describe);
  handlers["CreateKeyPair"] = changing(parts, create);
  handlers["ImportKeyPair"] = changing(parts, import_one);
  handlers["DeleteKeyPair"] = changing(parts, remove);
}

}  // namespace weir::aws::ec2
