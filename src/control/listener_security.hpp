// What HTTPS adds to a listener: policy, certificates, mutual authentication (reference §2).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/elb_limits.hpp"
#include "control/registry.hpp"

namespace weir::control {

// What is not set stays as it is.
struct ListenerSecurity {
  std::optional<std::string> ssl_policy = {};
  std::optional<std::vector<std::string>> certificate_arns = {};  // one: the default certificate
  std::optional<model::MutualAuthentication> mutual_authentication = {};
};

// Puts `wanted` into a listener whose protocol is set. One of HTTP loses what it had of HTTPS.
// "ValidationError", "SSLPolicyNotFound", "CertificateNotFound", "TooManyCertificates",
// "InvalidConfigurationRequest", "TrustStoreNotFound".
Status set_security(model::Listener& listener, const ListenerSecurity& wanted, const State& state,
                    const Limits& limits);

// The certificate exists and can be served. "CertificateNotFound".
Status check_certificate(const State& state, const std::string& arn);

// The limit of certificates, those that are default ones not counted, holds for the listeners of a
// load balancer with `listener` in the place of its record. "TooManyCertificates".
Status check_certificate_count(const model::Listener& listener, const State& state,
                               const Limits& limits);

}  // namespace weir::control
