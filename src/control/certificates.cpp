#include "control/certificates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "base/clock.hpp"
#include "control/arn.hpp"
#include "model/validate.hpp"
#include "tls/certificate.hpp"

namespace weir::control {
namespace {

constexpr std::size_t name_length_max = 128;

std::unexpected<Error> not_found(const std::string& arn) {
  return fail("ResourceNotFoundException", fmt::format("Could not find certificate {}.", arn));
}

Result<const model::Certificate*> find(const State& state, const std::string& arn) {
  const auto found = state.certificates.find(arn);
  if (found == state.certificates.end()) return not_found(arn);
  return &found->second;
}

Status check_name(const std::string& name) {
  const bool is_valid =
      name.size() <= name_length_max && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view("_+=,.@-").contains(static_cast<char>(c));
      });
  if (is_valid) return {};
  return fail("ValidationException",
              fmt::format("The name of a server certificate is 1 to {} letters, digits and any of "
                          "_+=,.@-",
                          name_length_max));
}

void take_facts(model::Certificate& out, const tls::CertificateFacts& facts) {
  out.domain_name = facts.domain_name;
  out.subject_alternative_names = facts.names;
  out.subject = facts.subject;
  out.issuer = facts.issuer;
  out.serial = facts.serial;
  out.key_algorithm = facts.key_algorithm;
  out.signature_algorithm = facts.signature_algorithm;
  out.key_usages = facts.key_usages;
  out.extended_key_usages = facts.extended_key_usages;
  out.not_before_ms = facts.not_before_ms;
  out.not_after_ms = facts.not_after_ms;
}

// The record that an import goes into: the one there is, or a new one.
Result<model::Certificate> record_for(const Registry& registry, const State& state,
                                      const ImportCertificateInput& input) {
  std::string arn = input.arn;
  if (!input.server_certificate_name.empty())
    arn = make_server_certificate_arn(registry, input.server_certificate_name);
  if (const auto old = state.certificates.find(arn); old != state.certificates.end()) {
    model::Certificate out = old->second;
    ++out.version;
    return out;
  }
  if (!input.arn.empty()) return not_found(input.arn);
  if (state.certificates.size() >= certificates_max) {
    return fail("LimitExceededException",
                fmt::format("There are {} certificates, which is the limit.", certificates_max));
  }
  model::Certificate out;
  out.arn = arn.empty() ? make_certificate_arn(registry) : arn;
  out.tags = input.tags;
  return out;
}

}  // namespace

std::vector<std::string> load_balancers_with(const State& state,
                                             const std::string& certificate_arn) {
  std::set<std::string> out;
  for (const auto& [arn, listener] : state.listeners) {
    if (std::ranges::find(listener.certificate_arns, certificate_arn) !=
        listener.certificate_arns.end())
      out.insert(listener.load_balancer_arn);
  }
  return {out.begin(), out.end()};
}

Result<model::Certificate> Certificates::import(const ImportCertificateInput& input) {
  if (auto valid = check_name(input.server_certificate_name); !valid) {
    return std::unexpected(valid.error());
  }
  if (auto valid = model::validate_tags(input.tags); !valid) {
    return fail("ValidationException", valid.error().message);
  }
  const std::int64_t now_ms = wall_ms();
  const auto loaded =
      tls::check_import({input.certificate, input.private_key, input.chain}, now_ms);
  if (!loaded) return std::unexpected(loaded.error());
  model::Certificate certificate;
  auto done = registry_.update([&](Draft& draft) -> Status {
    auto record = record_for(registry_, draft.state(), input);
    if (!record) return std::unexpected(record.error());
    certificate = std::move(*record);
    certificate.certificate = input.certificate;
    certificate.chain = input.chain;
    certificate.private_key = input.private_key;
    certificate.type = input.type;
    take_facts(certificate, (*loaded)->facts);
    if (certificate.created_at_ms == 0) certificate.created_at_ms = now_ms;
    certificate.imported_at_ms = now_ms;
    draft.put(certificate);
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return certificate;
}

Status Certificates::erase(const std::string& arn) {
  return registry_.update([&](Draft& draft) -> Status {
    if (const auto found = find(draft.state(), arn); !found) {
      return std::unexpected(found.error());
    }
    const auto users = load_balancers_with(draft.state(), arn);
    if (!users.empty()) {
      return fail("ResourceInUseException",
                  fmt::format("Certificate {} is in use by {}.", arn, users.front()),
                  "Remove it from the listeners that have it first.");
    }
    draft.erase_certificate(arn);
    return {};
  });
}

Status Certificates::add_tags(const std::string& arn, const model::Tags& tags) {
  return registry_.update([&](Draft& draft) -> Status {
    const auto found = find(draft.state(), arn);
    if (!found) return std::unexpected(found.error());
    model::Certificate changed = **found;
    for (const auto& [key, value] : tags) changed.tags.insert_or_assign(key, value);
    if (auto valid = model::validate_tags(changed.tags); !valid) return valid;
    draft.put(std::move(changed));
    return {};
  });
}

Status Certificates::remove_tags(const std::string& arn, const std::vector<std::string>& keys) {
  return registry_.update([&](Draft& draft) -> Status {
    const auto found = find(draft.state(), arn);
    if (!found) return std::unexpected(found.error());
    model::Certificate changed = **found;
    for (const std::string& key : keys) changed.tags.erase(key);
    draft.put(std::move(changed));
    return {};
  });
}

Result<model::Certificate> Certificates::get(const std::string& arn) const {
  Result<model::Certificate> out = not_found(arn);
  registry_.read([&](const State& state) {
    if (const auto found = find(state, arn)) out = **found;
  });
  return out;
}

std::vector<model::Certificate> Certificates::list() const {
  std::vector<model::Certificate> out;
  registry_.read([&](const State& state) {
    for (const auto& [arn, certificate] : state.certificates) out.push_back(certificate);
  });
  return out;
}

std::vector<std::string> Certificates::in_use_by(const std::string& arn) const {
  std::vector<std::string> out;
  registry_.read([&](const State& state) { out = load_balancers_with(state, arn); });
  return out;
}

}  // namespace weir::control
