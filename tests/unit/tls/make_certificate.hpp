// Certificates made for a test, in memory.
#pragma once

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

#include "tls/certificate.hpp"

namespace weir::tls::test {

struct Wanted {
  std::vector<std::string> names = {"www.example.test"};
  std::string common_name = {};  // empty: the first of the names
  std::string curve = "P-256";   // empty: RSA
  unsigned rsa_bits = 2048;
  long begins_in_s = -3600;
  long ends_in_s = 30L * 24 * 3600;
  const EVP_MD* digest = EVP_sha256();
  bool is_ca = false;
};

struct Made {
  std::string certificate;
  std::string key;
  X509Ptr x509;
  KeyPtr pkey;
};

inline std::string pem_of(X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), &certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

inline std::string pem_of(EVP_PKEY& key, const char* password = nullptr) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, password ? EVP_aes_128_cbc() : nullptr, password,
                                password ? 4 : 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

inline void add_extension(X509& certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(&certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `issuer`, else by itself.
inline Made make_certificate(const Wanted& wanted = {}, const Made* issuer = nullptr) {
  static long serial = 1;
  Made out;
  out.pkey.reset(wanted.curve.empty() ? EVP_RSA_gen(wanted.rsa_bits)
                                      : EVP_EC_gen(wanted.curve.c_str()));
  out.x509.reset(X509_new());
  X509& x509 = *out.x509;
  X509_set_version(&x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(&x509), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(&x509), wanted.begins_in_s);
  X509_gmtime_adj(X509_getm_notAfter(&x509), wanted.ends_in_s);
  X509_set_pubkey(&x509, out.pkey.get());
  const std::string& common =
      wanted.common_name.empty() ? wanted.names.front() : wanted.common_name;
  X509_NAME_add_entry_by_txt(X509_get_subject_name(&x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(&x509, X509_get_subject_name(issuer ? issuer->x509.get() : &x509));
  add_extension(x509, NID_basic_constraints, wanted.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  std::string names;
  for (const std::string& name : wanted.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  if (!names.empty()) add_extension(x509, NID_subject_alt_name, names);
  X509_sign(&x509, issuer ? issuer->pkey.get() : out.pkey.get(), wanted.digest);
  out.certificate = pem_of(x509);
  out.key = pem_of(*out.pkey);
  return out;
}

inline CertifiedKeyPtr load(const Made& made, const std::string& chain = {}) {
  auto loaded = load_certified_key({made.certificate, made.key, chain});
  return loaded ? *loaded : nullptr;
}

}  // namespace weir::tls::test
