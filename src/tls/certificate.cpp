#include "tls/certificate.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <utility>

namespace weir::tls {
namespace {

std::unexpected<Error> bad(std::string message) {
  return fail("ValidationException", std::move(message));
}

// A certificate of more names than this is none that a listener can use.
constexpr int names_max = 1000;

// What PEM_read_… asks for a password: there is none.
int no_password(char*, int, int, void*) { return -1; }

// All CERTIFICATE blocks of the text.
Result<X509Stack> read_certificates(std::string_view pem, std::string_view what) {
  const Bio bio = memory_bio(pem);
  X509Stack out(sk_X509_new_null());
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr))
    sk_X509_push(out.get(), certificate);
  const unsigned long error = ERR_peek_last_error();
  const bool is_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!is_end || sk_X509_num(out.get()) == 0) {
    return bad(fmt::format(
        "The {} is not in a valid PEM format: {}", what,
        is_end ? "there is no CERTIFICATE block" : "a CERTIFICATE block cannot be read"));
  }
  return out;
}

Result<X509Ptr> read_certificate(std::string_view pem) {
  if (pem.size() > certificate_bytes_max) {
    return bad(fmt::format("The certificate is larger than {} bytes", certificate_bytes_max));
  }
  auto all = read_certificates(pem, "certificate");
  if (!all) return std::unexpected(all.error());
  if (sk_X509_num(all->get()) > 1) {
    return bad(
        "The certificate field contains more than one certificate. You can specify only one "
        "certificate in this field.");
  }
  return X509Ptr(sk_X509_shift(all->get()));
}

Result<KeyPtr> read_key(std::string_view pem) {
  if (pem.size() > private_key_bytes_max) {
    return bad(fmt::format("The private key is larger than {} bytes", private_key_bytes_max));
  }
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return bad("The private key is encrypted. Provide one without a password.");
  }
  const Bio bio = memory_bio(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!key) return bad("The private key is not in a valid PEM format.");
  return key;
}

std::string curve_of(const EVP_PKEY& key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(&key, name.data(), name.size(), &length) != 1) return {};
  return {name.data(), length};
}

std::string algorithm_of(const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "RSA") == 1) return fmt::format("RSA_{}", EVP_PKEY_get_bits(&key));
  if (EVP_PKEY_is_a(&key, "EC") == 1) return "EC_" + curve_of(key);
  return {};
}

Status check_key(const EVP_PKEY& key) {
  static constexpr std::array<std::string_view, 7> taken = {
      "RSA_1024",      "RSA_2048",     "RSA_3072",    "RSA_4096",
      "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};
  const std::string algorithm = algorithm_of(key);
  if (algorithm.empty()) return bad("The private key is neither an RSA nor an ECDSA key.");
  if (std::ranges::find(taken, algorithm) == taken.end()) {
    return bad(fmt::format("The private key algorithm {} is not supported", algorithm));
  }
  return {};
}

bool is_issued_by(X509& certificate, X509& issuer) {
  EVP_PKEY* key = X509_get0_pubkey(&issuer);
  const bool is = X509_check_issued(&issuer, &certificate) == X509_V_OK && key != nullptr &&
                  X509_verify(&certificate, key) == 1;
  ERR_clear_error();
  return is;
}

// Each certifies the one before.
Status check_order(X509& certificate, const STACK_OF(X509) * chain) {
  X509* below = &certificate;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* issuer = sk_X509_value(chain, i);
    if (!is_issued_by(*below, *issuer)) {
      return bad(
          fmt::format("Could not validate the certificate with the certificate chain: its "
                      "certificate {} has not issued the one before it",
                      i + 1));
    }
    below = issuer;
  }
  return {};
}

// A chain that begins with the certificate itself is taken for what was meant.
Result<X509Stack> read_chain(std::string_view pem, X509& certificate) {
  if (pem.empty()) return X509Stack(sk_X509_new_null());
  if (pem.size() > chain_bytes_max) {
    return bad(fmt::format("The certificate chain is larger than {} bytes", chain_bytes_max));
  }
  auto chain = read_certificates(pem, "certificate chain");
  if (!chain) return std::unexpected(chain.error());
  if (X509_cmp(sk_X509_value(chain->get(), 0), &certificate) == 0)
    X509_free(sk_X509_shift(chain->get()));
  if (auto valid = check_order(certificate, chain->get()); !valid) {
    return std::unexpected(valid.error());
  }
  return chain;
}

// ---------------------------------------------------------------- facts
std::int64_t to_ms(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return std::int64_t{timegm(&parts)} * 1000;
}

std::string text_of(const ASN1_STRING* value) {
  unsigned char* bytes = nullptr;
  const int length = ASN1_STRING_to_UTF8(&bytes, value);
  if (length < 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return out;
}

std::string common_name(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What could not be a host name is not matched, shown or logged.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '*' || c == '_';
  });
}

std::vector<std::string> names_of(const X509& certificate, const std::string& common) {
  std::vector<std::string> out;
  const auto add = [&](std::string name) {
    if (is_name(name) && std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
  };
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  const int count = std::min(names == nullptr ? 0 : sk_GENERAL_NAME_num(names), names_max);
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) add(lower(text_of(name->d.dNSName)));
  }
  GENERAL_NAMES_free(names);
  if (out.empty()) add(lower(common));
  return out;
}

std::string name_text(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

std::string serial_of(const X509& certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(&certificate);
  std::string out;
  const unsigned char* bytes = ASN1_STRING_get0_data(serial);
  for (int i = 0; i < ASN1_STRING_length(serial); ++i)
    out += fmt::format("{}{:02x}", i == 0 ? "" : ":", bytes[i]);
  return out;
}

struct Signature {
  std::string name;
  int digest_bits = 0;
};

Signature signature_of(const X509& certificate) {
  int digest = NID_undef;
  int key = NID_undef;
  if (X509_get_signature_info(const_cast<X509*>(&certificate), &digest, &key, nullptr, nullptr) !=
      1)
    return {};
  const EVP_MD* md = EVP_get_digestbynid(digest);
  const bool is_ecdsa = key == NID_X9_62_id_ecPublicKey;
  Signature out;
  if (md == nullptr) return out;
  out.digest_bits = EVP_MD_get_size(md) * 8;
  out.name = std::string(OBJ_nid2sn(digest)) + (is_ecdsa ? "WITHECDSA" : "WITHRSA");
  return out;
}

std::vector<std::string> key_usages_of(const X509& certificate) {
  static constexpr std::pair<std::uint32_t, const char*> usages[] = {
      {KU_DIGITAL_SIGNATURE, "DIGITAL_SIGNATURE"},
      {KU_NON_REPUDIATION, "NON_REPUDIATION"},
      {KU_KEY_ENCIPHERMENT, "KEY_ENCIPHERMENT"},
      {KU_DATA_ENCIPHERMENT, "DATA_ENCIPHERMENT"},
      {KU_KEY_AGREEMENT, "KEY_AGREEMENT"},
      {KU_KEY_CERT_SIGN, "CERTIFICATE_SIGNING"},
      {KU_CRL_SIGN, "CRL_SIGNING"},
      {KU_ENCIPHER_ONLY, "ENCIPHER_ONLY"},
      {KU_DECIPHER_ONLY, "DECIPHER_ONLY"}};
  const std::uint32_t bits = X509_get_key_usage(const_cast<X509*>(&certificate));
  std::vector<std::string> out;
  if (bits == UINT32_MAX) return out;  // no such extension
  for (const auto& [bit, name] : usages) {
    if ((bits & bit) != 0) out.emplace_back(name);
  }
  return out;
}

std::vector<std::string> extended_key_usages_of(const X509& certificate) {
  static constexpr std::pair<std::uint32_t, const char*> usages[] = {
      {XKU_SSL_SERVER, "TLS_WEB_SERVER_AUTHENTICATION"},
      {XKU_SSL_CLIENT, "TLS_WEB_CLIENT_AUTHENTICATION"},
      {XKU_SMIME, "EMAIL_PROTECTION"},
      {XKU_CODE_SIGN, "CODE_SIGNING"},
      {XKU_OCSP_SIGN, "OCSP_SIGNING"},
      {XKU_TIMESTAMP, "TIME_STAMPING"},
      {XKU_ANYEKU, "ANY"}};
  const std::uint32_t bits = X509_get_extended_key_usage(const_cast<X509*>(&certificate));
  std::vector<std::string> out;
  if (bits == UINT32_MAX) return out;
  for (const auto& [bit, name] : usages) {
    if ((bits & bit) != 0) out.emplace_back(name);
  }
  return out;
}

Status check_validity(const CertificateFacts& facts, std::int64_t now_ms) {
  if (facts.not_after_ms <= now_ms) return bad("The certificate has expired.");
  if (facts.not_before_ms > now_ms) return bad("The certificate is not valid yet.");
  return {};
}

}  // namespace

CertificateFacts describe(const X509& certificate) {
  CertificateFacts out;
  const std::string common = common_name(certificate);
  out.names = names_of(certificate, common);
  out.domain_name = is_name(common) ? lower(common) : out.names.empty() ? "" : out.names.front();
  out.subject = name_text(X509_get_subject_name(&certificate));
  out.issuer = name_text(X509_get_issuer_name(&certificate));
  out.serial = serial_of(certificate);
  if (const EVP_PKEY* key = X509_get0_pubkey(&certificate)) {
    out.key_algorithm = algorithm_of(*key);
    out.is_ecdsa = EVP_PKEY_is_a(key, "EC") == 1;
    out.key_bits = EVP_PKEY_get_bits(key);
  }
  Signature signature = signature_of(certificate);
  out.signature_algorithm = std::move(signature.name);
  out.digest_bits = signature.digest_bits;
  out.key_usages = key_usages_of(certificate);
  out.extended_key_usages = extended_key_usages_of(certificate);
  out.not_before_ms = to_ms(X509_get0_notBefore(&certificate));
  out.not_after_ms = to_ms(X509_get0_notAfter(&certificate));
  ERR_clear_error();
  return out;
}

Result<CertifiedKeyPtr> load_certified_key(const PemTexts& texts) {
  auto certificate = read_certificate(texts.certificate);
  if (!certificate) return std::unexpected(certificate.error());
  auto key = read_key(texts.private_key);
  if (!key) return std::unexpected(key.error());
  if (auto valid = check_key(**key); !valid) return std::unexpected(valid.error());
  const bool fits = X509_check_private_key(certificate->get(), key->get()) == 1;
  ERR_clear_error();
  if (!fits) return bad("The private key does not match the certificate.");
  auto chain = read_chain(texts.chain, **certificate);
  if (!chain) return std::unexpected(chain.error());
  CertificateFacts facts = describe(**certificate);
  return std::make_shared<const CertifiedKey>(
      CertifiedKey{std::move(*certificate), std::move(*key), std::move(*chain), std::move(facts)});
}

Result<CertifiedKeyPtr> check_import(const PemTexts& texts, std::int64_t now_ms) {
  auto loaded = load_certified_key(texts);
  if (!loaded) return loaded;
  if (auto valid = check_validity((*loaded)->facts, now_ms); !valid) {
    return std::unexpected(valid.error());
  }
  return loaded;
}

SplitChain split_chain(std::string_view pem) {
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  const std::size_t at = pem.find(end);
  if (at == std::string_view::npos) return {std::string(pem), {}};
  const std::size_t next = pem.find("-----BEGIN CERTIFICATE-----", at);
  if (next == std::string_view::npos) return {std::string(pem), {}};
  return {std::string(pem.substr(0, next)), std::string(pem.substr(next))};
}

}  // namespace weir::tls
