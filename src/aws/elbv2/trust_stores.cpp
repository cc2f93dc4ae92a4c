// Trust stores, their revocations, associations and policies: reference §2.5, §8.2.
#include <fmt/format.h>

#include <algorithm>

#include "aws/elbv2/handlers.hpp"
#include "control/elb_checks.hpp"
#include "control/references.hpp"

namespace weir::aws::elbv2 {
namespace {

control::ObjectName bundle_of(const Value& input) {
  return {input.text("CaCertificatesBundleS3Bucket"), input.text("CaCertificatesBundleS3Key")};
}

// The local folder keeps one version of each object.
Status refuse_version(const Value& from, std::string_view member) {
  if (!from.has(member)) return {};
  return refuse(fmt::format("'{}' is not supported: objects have one version", member));
}

Value store_value(const model::TrustStore& source) {
  std::int64_t revoked = 0;
  for (const model::TrustStoreRevocation& each : source.revocations) revoked += each.entries;
  return {{"Name", source.name},
          {"TrustStoreArn", source.arn},
          {"Status", "ACTIVE"},
          {"NumberOfCaCertificates", source.certificates},
          {"TotalRevokedEntries", revoked}};
}

Value revocation_value(const std::string& arn, const model::TrustStoreRevocation& source) {
  return {{"TrustStoreArn", arn},
          {"RevocationId", source.id},
          {"RevocationType", "CRL"},
          {"NumberOfRevokedEntries", source.entries}};
}

Result<const model::TrustStore*> named_in(const control::State& state, const Value& input) {
  return control::find_trust_store(state, input.text("TrustStoreArn"));
}

Result<std::vector<std::int64_t>> ids_of(const Value& input) {
  std::vector<std::int64_t> ids;
  for (const Value& id : input.list("RevocationIds")) {
    ids.push_back(std::get<std::int64_t>(id.held()));
  }
  return ids;
}

const model::TrustStoreRevocation* find_revocation(const model::TrustStore& store,
                                                   std::int64_t id) {
  const auto found = std::ranges::find(store.revocations, id, &model::TrustStoreRevocation::id);
  return found == store.revocations.end() ? nullptr : &*found;
}

std::unexpected<Error> no_revocation(std::int64_t id) {
  return fail("RevocationIdNotFound", fmt::format("Revocation '{}' not found", id));
}

// ---------------------------------------------------------------- stores
Result<Value> create(const Elbv2Parts& parts, const Value& input) {
  if (auto valid = refuse_version(input, "CaCertificatesBundleS3ObjectVersion"); !valid) {
    return std::unexpected(valid.error());
  }
  const auto tags = tags_of(input);
  if (!tags) return std::unexpected(tags.error());
  const auto made = parts.trust_stores->create(input.text("Name"), bundle_of(input), *tags);
  if (!made) return std::unexpected(made.error());
  return list_of_one("TrustStores", store_value(*made));
}

Result<Value> modify(const Elbv2Parts& parts, const Value& input) {
  if (auto valid = refuse_version(input, "CaCertificatesBundleS3ObjectVersion"); !valid) {
    return std::unexpected(valid.error());
  }
  const auto changed = parts.trust_stores->modify(input.text("TrustStoreArn"), bundle_of(input));
  if (!changed) return std::unexpected(changed.error());
  return list_of_one("TrustStores", store_value(*changed));
}

Result<Value> describe(const control::State& state, const Value& input) {
  auto arns = input.texts("TrustStoreArns");
  const auto names = input.texts("Names");
  if (!arns.empty() && !names.empty()) {
    return refuse("Trust store names and trust store ARNs cannot be specified together");
  }
  const auto page = page_of(input, !arns.empty() || !names.empty());
  if (!page) return std::unexpected(page.error());
  Value out;
  if (arns.empty() && names.empty()) {
    write_records(state.trust_stores, *page, out, "TrustStores", store_value);
    return out;
  }
  for (const std::string& name : names) {
    const std::string* arn = state.index.trust_store_named(name);
    arns.push_back(arn == nullptr ? name : *arn);
  }
  Value::List items;
  for (const std::string& arn : arns) {
    const auto found = control::find_trust_store(state, arn);
    if (!found) return std::unexpected(found.error());
    items.push_back(store_value(**found));
  }
  out.set("TrustStores", Value(std::move(items)));
  return out;
}

// ---------------------------------------------------------------- revocations
Result<Value> add_revocations(const Elbv2Parts& parts, const Value& input) {
  std::vector<control::ObjectName> files;
  for (const Value& content : input.list("RevocationContents")) {
    if (auto valid = refuse_version(content, "S3ObjectVersion"); !valid) {
      return std::unexpected(valid.error());
    }
    files.push_back({content.text("S3Bucket"), content.text("S3Key")});
  }
  if (files.empty()) return refuse("At least one revocation content must be specified");
  const std::string arn = input.text("TrustStoreArn");
  const auto added = parts.trust_stores->add_revocations(arn, files);
  if (!added) return std::unexpected(added.error());
  Value::List items;
  for (const auto& each : *added) items.push_back(revocation_value(arn, each));
  Value out;
  out.set("TrustStoreRevocations", Value(std::move(items)));
  return out;
}

Result<Value> remove_revocations(const Elbv2Parts& parts, const Value& input) {
  const auto ids = ids_of(input);
  if (!ids) return std::unexpected(ids.error());
  auto done = parts.trust_stores->remove_revocations(input.text("TrustStoreArn"), *ids);
  if (!done) return std::unexpected(done.error());
  return Value();
}

Result<Value> describe_revocations(const control::State& state, const Value& input) {
  const auto store = named_in(state, input);
  if (!store) return std::unexpected(store.error());
  const auto ids = ids_of(input);
  if (!ids) return std::unexpected(ids.error());
  const auto page = page_of(input, !ids->empty());
  if (!page) return std::unexpected(page.error());
  const std::string& arn = (*store)->arn;
  Value out;
  if (!ids->empty()) {
    Value::List items;
    for (const std::int64_t id : *ids) {
      const auto* revocation = find_revocation(**store, id);
      if (revocation == nullptr) return no_revocation(id);
      items.push_back(revocation_value(arn, *revocation));
    }
    out.set("TrustStoreRevocations", Value(std::move(items)));
    return out;
  }
  const auto after = number_of(*page);  // an id; they are in order
  if (!after) return std::unexpected(after.error());
  const auto& all = (*store)->revocations;
  const auto from = std::ranges::upper_bound(all, static_cast<std::int64_t>(*after), {},
                                             &model::TrustStoreRevocation::id);
  write_page(
      from, all.end(), *page, out, "TrustStoreRevocations",
      [](const auto& each) { return std::to_string(each.id); },
      [&](const auto& each) { return revocation_value(arn, each); });
  return out;
}

// ---------------------------------------------------------------- the rest
Result<Value> bundle_location(const Elbv2Parts& parts, const control::State& state,
                              const Value& input) {
  const auto store = named_in(state, input);
  if (!store) return std::unexpected(store.error());
  return Value{{"Location", parts.trust_stores->location({(*store)->bucket, (*store)->key})}};
}

Result<Value> revocation_location(const Elbv2Parts& parts, const control::State& state,
                                  const Value& input) {
  const auto store = named_in(state, input);
  if (!store) return std::unexpected(store.error());
  const std::int64_t id = input.integer("RevocationId").value_or(0);
  const auto* revocation = find_revocation(**store, id);
  if (revocation == nullptr) return no_revocation(id);
  return Value{{"Location", parts.trust_stores->location({revocation->bucket, revocation->key})}};
}

Result<Value> describe_associations(const control::State& state, const Value& input) {
  const auto store = named_in(state, input);
  if (!store) return std::unexpected(store.error());
  const auto page = page_of(input, false);
  if (!page) return std::unexpected(page.error());
  const auto found = control::load_balancers_with_trust_store(state, (*store)->arn);
  const std::vector<std::string> arns(found.begin(), found.end());
  return page_of_table(std::span(arns), *page, "TrustStoreAssociations",
                       [](const std::string& arn) {
                         return Value{{"ResourceArn", arn}};
                       });
}

Result<Value> delete_association(const control::State& state, const Value& input) {
  if (auto store = named_in(state, input); !store) return std::unexpected(store.error());
  return fail("AssociationNotFound", fmt::format("The trust store is not associated with '{}'",
                                                 input.text("ResourceArn")));
}

// A store that is shared with no other account has no policy.
Result<Value> resource_policy(const control::State& state, const Value& input) {
  const std::string arn = input.text("ResourceArn");
  if (!control::find_trust_store(state, arn)) {
    return fail("ResourceNotFound", fmt::format("Resource '{}' not found", arn));
  }
  return Value();
}

}  // namespace

void add_trust_stores(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["CreateTrustStore"] = changing(parts, create);
  handlers["ModifyTrustStore"] = changing(parts, modify);
  handlers["DescribeTrustStores"] = reading(parts, describe);
  handlers["DeleteTrustStore"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        auto done = with.trust_stores->erase(input.text("TrustStoreArn"));
        if (!done) return std::unexpected(done.error());
        return Value();
      });
  handlers["AddTrustStoreRevocations"] = changing(parts, add_revocations);
  handlers["RemoveTrustStoreRevocations"] = changing(parts, remove_revocations);
  handlers["DescribeTrustStoreRevocations"] = reading(parts, describe_revocations);
  handlers["GetTrustStoreCaCertificatesBundle"] =
      reading(parts, [parts](const control::State& state, const Value& input) {
        return bundle_location(parts, state, input);
      });
  handlers["GetTrustStoreRevocationContent"] =
      reading(parts, [parts](const control::State& state, const Value& input) {
        return revocation_location(parts, state, input);
      });
  handlers["DescribeTrustStoreAssociations"] = reading(parts, describe_associations);
  handlers["DeleteSharedTrustStoreAssociation"] = reading(parts, delete_association);
  handlers["GetResourcePolicy"] = reading(parts, resource_policy);
}

}  // namespace weir::aws::elbv2
