#include "daemon/certificate_commands.hpp"

#include "base/log.hpp"
#include "control/certificates.hpp"
#include "tls/certificate.hpp"

namespace weir::daemon {
namespace {

// Nothing of the key.
Json certificate_json(const model::Certificate& certificate) {
  return Json{{"arn", certificate.arn},
              {"domain_name", certificate.domain_name},
              {"names", certificate.subject_alternative_names},
              {"key_algorithm", certificate.key_algorithm},
              {"type", certificate.type},
              {"status", certificate.status},
              {"not_before_ms", certificate.not_before_ms},
              {"not_after_ms", certificate.not_after_ms}};
}

}  // namespace

// A file may hold the chain behind the certificate, as those of ACME clients do.
Result<Json> run_certificate_import(Parts& parts, const Json& request, Session&) {
  control::ImportCertificateInput input;
  tls::SplitChain split = tls::split_chain(text_of(request, "certificate"));
  input.certificate = std::move(split.certificate);
  input.chain = text_of(request, "chain");
  if (input.chain.empty()) input.chain = std::move(split.chain);
  input.private_key = text_of(request, "private_key");
  input.arn = text_of(request, "arn");
  input.server_certificate_name = text_of(request, "name");
  const auto imported = control::Certificates(parts.registry).import(input);
  if (!imported) return std::unexpected(imported.error());
  parts.publisher.flush();
  log::info("certificate {} is imported", imported->arn);
  return certificate_json(*imported);
}

Result<Json> run_certificate_list(Parts& parts, const Json&, Session&) {
  Json all = Json::array();
  const control::Certificates certificates(parts.registry);
  for (const auto& certificate : certificates.list()) {
    Json item = certificate_json(certificate);
    item["in_use_by"] = certificates.in_use_by(certificate.arn);
    all.push_back(std::move(item));
  }
  return Json{{"certificates", all}};
}

Result<Json> run_certificate_delete(Parts& parts, const Json& request, Session&) {
  const auto arn = text_of(request, "arn");
  if (auto done = control::Certificates(parts.registry).erase(arn); !done)
    return std::unexpected(done.error());
  log::info("certificate {} is deleted", arn);
  return Json{{"arn", arn}};
}

}  // namespace weir::daemon
