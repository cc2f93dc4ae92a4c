#include "tls/policy.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <string>

namespace weir::tls {
namespace {

Status failed(const std::string& what) {
  return fail("TlsError", what + " is refused by OpenSSL: " + take_reason());
}

int version_of(std::string_view name) {
  if (name == "TLSv1.3") return TLS1_3_VERSION;
  if (name == "TLSv1.2") return TLS1_2_VERSION;
  return name == "TLSv1.1" ? TLS1_1_VERSION : TLS1_VERSION;
}

bool is_of_tls13(std::string_view cipher) { return cipher.starts_with("TLS_"); }

std::string list_of(const model::SslPolicy& policy, bool tls13) {
  std::string out;
  for (const std::string_view cipher : policy.ciphers) {
    if (is_of_tls13(cipher) != tls13) continue;
    if (!out.empty()) out += ':';
    out += cipher;
  }
  return out;
}

const char* groups_of(const model::SslPolicy& policy) {
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
  if (policy.has_post_quantum_groups)
    return "X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024:X25519:P-256:P-384:P-521";
#endif
  if (policy.name.find("RFC9151") != std::string_view::npos) return "P-384:P-521:P-256";
  if (policy.name.find("FIPS") != std::string_view::npos) return "P-256:P-384:P-521";
  return "X25519:P-256:P-384:P-521";
}

constexpr const char* signature_algorithms =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    "RSA+SHA256:RSA+SHA384:RSA+SHA512";
constexpr const char* old_signature_algorithms = ":ECDSA+SHA1:RSA+SHA1";

bool contains(const model::SslPolicy& policy, std::string_view word) {
  return policy.name.find(word) != std::string_view::npos;
}

}  // namespace

Status apply_policy(SSL_CTX& context, const model::SslPolicy& policy) {
  // The policy alone says what is good enough, not the host's configuration of OpenSSL. TLS 1.0 and
  // 1.1 sign with SHA-1, which no level but this one allows.
  SSL_CTX_set_security_level(&context, 0);
  SSL_CTX_set_min_proto_version(&context, version_of(policy.protocols.back()));
  SSL_CTX_set_max_proto_version(&context, version_of(policy.protocols.front()));
  const std::string tls12 = list_of(policy, false);
  if (!tls12.empty() && SSL_CTX_set_cipher_list(&context, tls12.c_str()) != 1) {
    return failed("the cipher list of " + std::string(policy.name));
  }
  if (SSL_CTX_set_ciphersuites(&context, list_of(policy, true).c_str()) != 1) {
    return failed("the list of TLS 1.3 ciphers of " + std::string(policy.name));
  }
  if (SSL_CTX_set1_groups_list(&context, groups_of(policy)) != 1) {
    return failed("the list of groups of " + std::string(policy.name));
  }
  std::string signatures = signature_algorithms;
  if (version_of(policy.protocols.back()) <= TLS1_2_VERSION) signatures += old_signature_algorithms;
  if (SSL_CTX_set1_sigalgs_list(&context, signatures.c_str()) != 1) {
    return failed("the list of signature algorithms");
  }
  ERR_clear_error();
  return {};
}

const model::SslPolicy& target_policy(std::span<const model::SslPolicy* const> used) {
  const auto any = [&](auto is) {
    return std::ranges::any_of(used, [&](const auto* policy) { return is(*policy); });
  };
  const auto is_fips = [](const auto& policy) { return contains(policy, "FIPS"); };
  const auto is_post_quantum = [](const auto& policy) { return policy.has_post_quantum_groups; };
  const auto name = [&]() -> std::string_view {
    if (any([](const auto& policy) { return contains(policy, "RFC9151"); }))
      return "ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07";
    if (any([&](const auto& policy) { return is_fips(policy) && is_post_quantum(policy); }))
      return "ELBSecurityPolicy-TLS13-1-0-FIPS-PQ-2025-09";
    if (any(is_fips)) return "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04";
    if (any(is_post_quantum)) return "ELBSecurityPolicy-TLS13-1-0-PQ-2025-09";
    if (any([](const auto& policy) { return policy.protocols.front() == "TLSv1.3"; }))
      return "ELBSecurityPolicy-TLS13-1-0-2021-06";
    return model::default_ssl_policy;
  }();
  return *model::find_ssl_policy(name);
}

}  // namespace weir::tls
