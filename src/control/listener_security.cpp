#include "control/listener_security.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/elb_checks.hpp"
#include "control/references.hpp"
#include "model/ssl_policies.hpp"

namespace weir::control {
namespace {

Status check_policy(const std::string& name) {
  if (model::find_ssl_policy(name) != nullptr) return {};
  return fail("SSLPolicyNotFound", fmt::format("SSL policy '{}' not found", name));
}

Status check_http(const ListenerSecurity& wanted) {
  if (wanted.ssl_policy) {
    if (auto known = check_policy(*wanted.ssl_policy); !known) return known;
  }
  if (wanted.ssl_policy || (wanted.certificate_arns && !wanted.certificate_arns->empty())) {
    return fail("ValidationError", fmt::format("'{}' can only be specified with the protocol HTTPS",
                                               wanted.ssl_policy ? "SslPolicy" : "Certificates"));
  }
  if (wanted.mutual_authentication && wanted.mutual_authentication->mode != "off") {
    return fail("InvalidConfigurationRequest",
                "Mutual authentication can only be specified with the protocol HTTPS");
  }
  return {};
}

// A listener that asks no client for a certificate must not look like one that does.
std::unexpected<Error> not_in_force(const std::string& mode) {
  return fail("InvalidConfigurationRequest",
              fmt::format("The mutual authentication mode '{}' is not available here: this version "
                          "of Weir asks clients for no certificate",
                          mode),
              "Use the mode 'off', and let the targets tell their clients apart.");
}

Status check_mutual(const model::MutualAuthentication& wanted, const State& state) {
  if (wanted.mode != "off" && wanted.mode != "passthrough" && wanted.mode != "verify") {
    return fail("ValidationError",
                fmt::format("The mutual authentication mode '{}' must be one of 'off, passthrough, "
                            "verify'",
                            wanted.mode));
  }
  if (wanted.mode == "verify") {
    if (wanted.trust_store_arn.empty()) {
      return fail("ValidationError",
                  "A trust store ARN must be specified for the mutual authentication mode verify");
    }
    if (auto found = find_trust_store(state, wanted.trust_store_arn); !found) {
      return std::unexpected(found.error());
    }
    return not_in_force(wanted.mode);
  }
  if (!wanted.trust_store_arn.empty() || wanted.ignore_client_certificate_expiry ||
      wanted.advertise_ca_names) {
    return fail("InvalidConfigurationRequest",
                fmt::format("A trust store and what is done with it can only be specified with the "
                            "mutual authentication mode verify, not '{}'",
                            wanted.mode));
  }
  if (wanted.mode == "passthrough") return not_in_force(wanted.mode);
  return {};
}

Status set_default_certificate(model::Listener& listener, const std::vector<std::string>& arns,
                               const State& state) {
  if (arns.size() != 1) {
    return fail(arns.empty() ? "ValidationError" : "TooManyCertificates",
                arns.empty() ? "A certificate must be specified for HTTPS listeners"
                             : "Only one certificate, the default one, can be specified here",
                arns.empty() ? "" : "Others are added with AddListenerCertificates.");
  }
  if (auto valid = check_certificate(state, arns.front()); !valid) return valid;
  std::erase(listener.certificate_arns, arns.front());
  if (listener.certificate_arns.empty()) listener.certificate_arns.emplace_back();
  listener.certificate_arns.front() = arns.front();
  return {};
}

}  // namespace

Status check_certificate(const State& state, const std::string& arn) {
  const auto found = state.certificates.find(arn);
  if (found == state.certificates.end()) {
    return fail("CertificateNotFound", fmt::format("Certificate '{}' not found", arn),
                "weir certificate import brings one in, weir certificate list shows those there "
                "are.");
  }
  if (found->second.status != "ISSUED") {
    return fail("CertificateNotFound",
                fmt::format("Certificate '{}' is not issued but {}", arn, found->second.status));
  }
  return {};
}

Status check_certificate_count(const model::Listener& listener, const State& state,
                               const Limits& limits) {
  const auto others_of = [](const model::Listener& each) {
    return each.certificate_arns.empty() ? 0 : each.certificate_arns.size() - 1;
  };
  std::size_t count = others_of(listener);
  for (const model::Listener* each : listeners_of(state, listener.load_balancer_arn)) {
    if (each->arn != listener.arn) count += others_of(*each);
  }
  if (count <= limits.certificates_per_load_balancer) return {};
  return fail("TooManyCertificates",
              fmt::format("The load balancer '{}' can have '{}' certificates",
                          listener.load_balancer_arn, limits.certificates_per_load_balancer));
}

Status set_security(model::Listener& listener, const ListenerSecurity& wanted, const State& state,
                    const Limits& limits) {
  if (listener.protocol != "HTTPS") {
    if (auto valid = check_http(wanted); !valid) return valid;
    listener.ssl_policy.clear();
    listener.certificate_arns.clear();
    listener.mutual_authentication = {};
    return {};
  }
  if (wanted.ssl_policy) listener.ssl_policy = *wanted.ssl_policy;
  if (listener.ssl_policy.empty()) listener.ssl_policy = model::default_ssl_policy;
  if (auto known = check_policy(listener.ssl_policy); !known) return known;
  if (wanted.certificate_arns || listener.certificate_arns.empty()) {
    const auto arns = wanted.certificate_arns.value_or(std::vector<std::string>{});
    if (auto set = set_default_certificate(listener, arns, state); !set) return set;
  }
  if (wanted.mutual_authentication) {
    if (auto valid = check_mutual(*wanted.mutual_authentication, state); !valid) return valid;
    listener.mutual_authentication = *wanted.mutual_authentication;
  }
  return check_certificate_count(listener, state, limits);
}

}  // namespace weir::control
