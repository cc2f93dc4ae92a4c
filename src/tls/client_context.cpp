#include "tls/client_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/policy.hpp"

namespace weir::tls {
namespace {

Status trust(SSL_CTX& context, std::string_view pem) {
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  const Bio bio = memory_bio(pem);
  int count = 0;
  for (;; ++count) {
    const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    X509_STORE_add_cert(store, certificate.get());
  }
  ERR_clear_error();
  if (count == 0) return fail("TlsError", "there is no certificate of a CA");
  // Trust ends where the operator put it, be it at a root or below.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(&context), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  return {};
}

}  // namespace

Result<std::shared_ptr<const ClientContext>> ClientContext::create(const model::SslPolicy& policy,
                                                                   std::string_view trusted) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fail("TlsError", "no context can be had: " + take_reason());
  if (auto applied = apply_policy(*context, policy); !applied) {
    return std::unexpected(applied.error());
  }
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION);
  if (!trusted.empty()) {
    if (auto done = trust(*context, trusted); !done) return std::unexpected(done.error());
  }
  return std::shared_ptr<const ClientContext>(new ClientContext(std::move(context)));
}

SslPtr ClientContext::new_connection() const {
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl) SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace weir::tls
