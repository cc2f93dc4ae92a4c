// A security policy on a context of OpenSSL: versions, ciphers in order, groups.
//
// Not to be had with OpenSSL 3.0: the hybrid post-quantum groups (the policies with PQ in their
// names have the classical groups alone; from OpenSSL 3.5 on they have both) and triple DES, which
// Debian builds without.
#pragma once

#include <span>

#include "base/result.hpp"
#include "model/ssl_policies.hpp"
#include "tls/openssl.hpp"

namespace weir::tls {

// Errors: "TlsError" with what OpenSSL says.
[[nodiscard]] Status apply_policy(SSL_CTX& context, const model::SslPolicy& policy);

// The policy towards HTTPS targets: it follows from those that the listeners of the load balancer
// have (reference §2.3).
[[nodiscard]] const model::SslPolicy& target_policy(std::span<const model::SslPolicy* const> used);

}  // namespace weir::tls
