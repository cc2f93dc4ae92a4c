#include "control/trust_stores.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/arn.hpp"
#include "control/elb_checks.hpp"
#include "control/pem.hpp"
#include "control/references.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

constexpr std::size_t bundle_bytes_max = 500 * 16'384;
// The service takes 50 MB a file; here all files of a store are part of its record.
constexpr std::size_t revocation_bytes_max = 5'000'000;
constexpr std::size_t revocation_bytes_in_all_max = 20'000'000;

// ^([a-zA-Z0-9]+-)*[a-zA-Z0-9]+$
Status check_name(const std::string& name) {
  const bool has_characters = std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
  if (name.empty() || name.size() > 32 || !has_characters || name.front() == '-' ||
      name.back() == '-' || name.find("--") != std::string::npos) {
    return fail("ValidationError",
                fmt::format("1 validation error detected: Value '{}' at 'name' failed to satisfy "
                            "constraint: Member must satisfy regular expression pattern: "
                            "^([a-zA-Z0-9]+-)*[a-zA-Z0-9]+$",
                            name.substr(0, 100)));
  }
  return {};
}

std::int64_t entries_of(const model::TrustStore& store) {
  std::int64_t sum = 0;
  for (const model::TrustStoreRevocation& each : store.revocations) sum += each.entries;
  return sum;
}

std::size_t bytes_of(const model::TrustStore& store) {
  std::size_t sum = 0;
  for (const model::TrustStoreRevocation& each : store.revocations) sum += each.content.size();
  return sum;
}

Status add(model::TrustStore& store, std::vector<model::TrustStoreRevocation>& added,
           const Limits& limits) {
  for (model::TrustStoreRevocation& each : added) {
    each.id = store.next_revocation_id++;
    store.revocations.push_back(each);
  }
  if (store.revocations.size() > limits.revocations_per_trust_store ||
      entries_of(store) > static_cast<std::int64_t>(limits.revocation_entries_per_trust_store)) {
    return fail(
        "TooManyTrustStoreRevocationEntries",
        fmt::format("A trust store can have '{}' revocation files with '{}' entries",
                    limits.revocations_per_trust_store, limits.revocation_entries_per_trust_store));
  }
  if (bytes_of(store) > revocation_bytes_in_all_max) {
    return fail("TooManyTrustStoreRevocationEntries",
                fmt::format("The revocation files of a trust store can have '{}' bytes in all",
                            revocation_bytes_in_all_max));
  }
  return {};
}

}  // namespace

std::string TrustStores::location(const ObjectName& object) const {
  return "file://" + objects_.path(object.bucket, object.key);
}

Result<TrustStores::Bundle> TrustStores::read_bundle(const ObjectName& name) const {
  auto pem = objects_.read(name.bucket, name.key, bundle_bytes_max);
  if (!pem && pem.error().code == "EntityTooLarge") {
    return fail("InvalidCaCertificatesBundle", pem.error().message);
  }
  if (!pem) return fail("CaCertificatesBundleNotFound", pem.error().message, pem.error().hint);
  const auto certificates = check_ca_bundle(*pem);
  if (!certificates) {
    return fail(
        "InvalidCaCertificatesBundle",
        fmt::format("The CA certificates bundle is not valid: {}", certificates.error().message));
  }
  if (*certificates > static_cast<std::int64_t>(limits_.ca_certificates_per_trust_store)) {
    return fail("InvalidCaCertificatesBundle",
                fmt::format("The CA certificates bundle has '{}' certificates; the limit is '{}'",
                            *certificates, limits_.ca_certificates_per_trust_store));
  }
  return Bundle{std::move(*pem), *certificates};
}

Result<model::TrustStore> TrustStores::create(const std::string& name, const ObjectName& bundle,
                                              const model::Tags& tags) {
  if (auto valid = check_name(name); !valid) return std::unexpected(valid.error());
  if (auto valid = model::validate_tags(tags); !valid) return std::unexpected(valid.error());
  auto read = read_bundle(bundle);
  if (!read) return std::unexpected(read.error());
  model::TrustStore store{.arn = {},
                          .name = name,
                          .bucket = bundle.bucket,
                          .key = bundle.key,
                          .bundle = std::move(read->pem),
                          .certificates = read->certificates,
                          .revocations = {},
                          .next_revocation_id = 1,
                          .tags = tags};
  auto done = registry_.update([&](Draft& draft) -> Status {
    if (draft.state().index.trust_store_named(name) != nullptr) {
      return fail("DuplicateTrustStoreName",
                  fmt::format("A trust store with the same name '{}' already exists", name));
    }
    if (draft.state().trust_stores.size() >= limits_.trust_stores) {
      return fail(
          "TooManyTrustStores",
          fmt::format("The limit of '{}' trust stores has been reached", limits_.trust_stores));
    }
    store.arn = make_trust_store_arn(registry_, name);
    draft.put(store);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return store;
}

Result<model::TrustStore> TrustStores::modify(const std::string& arn, const ObjectName& bundle) {
  auto read = read_bundle(bundle);
  model::TrustStore store;
  auto done = registry_.update([&](Draft& draft) -> Status {
    const auto old = find_trust_store(draft.state(), arn);
    if (!old) return std::unexpected(old.error());
    if (!read) return std::unexpected(read.error());
    store = **old;
    store.bucket = bundle.bucket;
    store.key = bundle.key;
    store.bundle = std::move(read->pem);
    store.certificates = read->certificates;
    draft.put(store);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return store;
}

Status TrustStores::erase(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    if (auto found = find_trust_store(draft.state(), arn); !found) {
      return std::unexpected(found.error());
    }
    if (!load_balancers_with_trust_store(draft.state(), arn).empty()) {
      return fail("TrustStoreInUse", fmt::format("Trust store '{}' is in use by a listener", arn));
    }
    draft.erase_trust_store(arn);
    return {};
  });
}

Result<std::vector<model::TrustStoreRevocation>> TrustStores::add_revocations(
    const std::string& arn, const std::vector<ObjectName>& files) {
  std::vector<model::TrustStoreRevocation> added;
  Status read;
  for (const ObjectName& file : files) {
    auto content = objects_.read(file.bucket, file.key, revocation_bytes_max);
    if (!content) {
      const bool is_large = content.error().code == "EntityTooLarge";
      read = fail(is_large ? "InvalidRevocationContent" : "RevocationContentNotFound",
                  content.error().message, content.error().hint);
      break;
    }
    const auto entries = check_revocations(*content);
    if (!entries) {
      read =
          fail("InvalidRevocationContent", fmt::format("The revocation file '{}' is not valid: {}",
                                                       file.key, entries.error().message));
      break;
    }
    added.push_back({0, *entries, file.bucket, file.key, std::move(*content)});
  }
  auto done = registry_.update([&](Draft& draft) -> Status {
    const auto old = find_trust_store(draft.state(), arn);
    if (!old) return std::unexpected(old.error());
    if (!read) return read;
    model::TrustStore store = **old;
    if (auto fits = add(store, added, limits_); !fits) return fits;
    draft.put(std::move(store));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return added;
}

Status TrustStores::remove_revocations(const std::string& arn,
                                       const std::vector<std::int64_t>& ids) {
  return registry_.update([&](Draft& draft) -> Status {
    const auto old = find_trust_store(draft.state(), arn);
    if (!old) return std::unexpected(old.error());
    model::TrustStore store = **old;
    for (const std::int64_t id : ids) {
      if (std::erase_if(store.revocations, [&](const auto& each) { return each.id == id; }) == 0) {
        return fail("RevocationIdNotFound", fmt::format("Revocation '{}' not found", id));
      }
    }
    draft.put(std::move(store));
    return {};
  });
}

}  // namespace weir::control
