#include "control/pem.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace weir::control {
namespace {

constexpr std::size_t certificate_bytes_max = 16'384;  // reference §2.5, of one in PEM
constexpr std::string_view dashes = "-----";

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* what) const {
    Free(what);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using RevocationList = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;

std::unexpected<Error> bad(std::string message) { return fail("BadPem", std::move(message)); }

// The lines of the next block, markers included, taken off the front of `pem`. Empty: no more.
Result<std::string_view> take_block(std::string_view& pem, std::string_view label) {
  const std::string begin = fmt::format("-----BEGIN {}-----", label);
  const std::string end = fmt::format("-----END {}-----", label);
  while (pem.starts_with('#')) {
    const std::size_t line = std::min(pem.find('\n'), pem.size());
    if (pem.substr(0, line).find('-') != std::string_view::npos) {
      return bad("a comment may not hold a hyphen");
    }
    pem.remove_prefix(std::min(line + 1, pem.size()));
  }
  if (pem.empty()) return std::string_view();
  if (!pem.starts_with(begin)) {
    return bad(fmt::format("expected a comment or '{}'", begin));
  }
  const std::size_t at = pem.find(end, begin.size());
  if (at == std::string_view::npos) return bad(fmt::format("'{}' is missing", end));
  const std::string_view block = pem.substr(0, at + end.size());
  if (block.substr(begin.size(), at - begin.size()).find(dashes) != std::string_view::npos) {
    return bad("a block begins within another");
  }
  pem.remove_prefix(block.size());
  if (pem.starts_with('\r')) pem.remove_prefix(1);
  if (pem.starts_with('\n')) pem.remove_prefix(1);
  return block;
}

Bio memory(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Status check_certificate(std::string_view block) {
  if (block.size() > certificate_bytes_max) {
    return bad(fmt::format("a CA certificate is larger than {} bytes", certificate_bytes_max));
  }
  const Bio bio = memory(block);
  const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!certificate) return bad("it is no X.509 certificate");
  if (X509_get_version(certificate.get()) != X509_VERSION_3) {
    return bad("the certificate is not of X.509 version 3");
  }
  if (X509_check_ca(certificate.get()) != 1) return bad("it is not the certificate of a CA");
  return {};
}

Result<std::int64_t> check_list(std::string_view block) {
  const Bio bio = memory(block);
  const RevocationList list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!list) return bad("it is no certificate revocation list");
  const STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(list.get());
  return revoked == nullptr ? 0 : sk_X509_REVOKED_num(revoked);
}

template <typename Check>
Result<std::int64_t> check_blocks(std::string_view pem, std::string_view label, Check check) {
  std::int64_t sum = 0;
  for (int number = 1;; ++number) {
    const auto in_block = [&](const Error& error) {
      return bad(fmt::format("block {}: {}", number, error.message));
    };
    const auto block = take_block(pem, label);
    if (!block) return in_block(block.error());
    if (block->empty()) {
      if (number == 1) return bad("there is no block");
      return sum;
    }
    const Result<std::int64_t> checked = check(*block);
    if (!checked) return in_block(checked.error());
    sum += *checked;
  }
}

}  // namespace

Result<std::int64_t> check_ca_bundle(std::string_view pem) {
  return check_blocks(pem, "CERTIFICATE", [](std::string_view block) -> Result<std::int64_t> {
    if (auto valid = check_certificate(block); !valid) return std::unexpected(valid.error());
    return 1;
  });
}

Result<std::int64_t> check_revocations(std::string_view pem) {
  return check_blocks(pem, "X509 CRL", check_list);
}

}  // namespace weir::control
