// Certificates with their private keys: read from PEM, checked, and described.
//
// Errors have the code "ValidationException", as ACM's ImportCertificate has it; the message says
// which of the three texts is wrong and why, and never holds any of the key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "tls/openssl.hpp"

namespace weir::tls {

// What ACM takes at most, in bytes of PEM.
inline constexpr std::size_t certificate_bytes_max = 32'768;
inline constexpr std::size_t private_key_bytes_max = 5'120;
inline constexpr std::size_t chain_bytes_max = 2'097'152;

// What a certificate says of itself, in the words of ACM's API.
struct CertificateFacts {
  std::string domain_name;              // the subject's common name, else the first of the names
  std::vector<std::string> names;       // DNS names it is valid for, lower case, each once
  std::string subject;                  // as RFC 2253 writes it, the most general part first
  std::string issuer;                   //
  std::string serial;                   // 0a:1b:…
  std::string key_algorithm;            // RSA_2048, EC_prime256v1, EC_secp384r1, EC_secp521r1
  std::string signature_algorithm;      // SHA256WITHRSA, SHA384WITHECDSA, …
  std::vector<std::string> key_usages;  // DIGITAL_SIGNATURE, …
  std::vector<std::string> extended_key_usages;  // TLS_WEB_SERVER_AUTHENTICATION, …
  std::int64_t not_before_ms = 0;                // wall clock
  std::int64_t not_after_ms = 0;
  bool is_ecdsa = false;
  int key_bits = 0;
  int digest_bits = 0;  // of the signature's hash
};

// Immutable: used by all threads at once.
struct CertifiedKey {
  X509Ptr certificate;
  KeyPtr key;
  X509Stack chain;  // without the certificate itself; may be empty
  CertificateFacts facts;
};
using CertifiedKeyPtr = std::shared_ptr<const CertifiedKey>;

struct PemTexts {
  std::string_view certificate;  // exactly one
  std::string_view private_key;  // not encrypted
  std::string_view chain;        // each certifies the one before; may be empty
};

// Whether the certificate is valid now is not looked at: what was stored is served.
[[nodiscard]] Result<CertifiedKeyPtr> load_certified_key(const PemTexts& texts);

// As above, and refuses what has expired or is not valid yet at `now_ms`.
[[nodiscard]] Result<CertifiedKeyPtr> check_import(const PemTexts& texts, std::int64_t now_ms);

// Of a certificate whose key is not at hand.
[[nodiscard]] CertificateFacts describe(const X509& certificate);

// A text of certificates and nothing but them: the first, and those that follow. For files that
// hold a certificate with its chain behind it.
struct SplitChain {
  std::string certificate;
  std::string chain;
};
[[nodiscard]] SplitChain split_chain(std::string_view pem);

}  // namespace weir::tls
