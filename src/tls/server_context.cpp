#include "tls/server_context.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <tuple>

#include "base/clock.hpp"
#include "model/ssl_policies.hpp"
#include "tls/policy.hpp"

namespace weir::tls {
namespace {

Status failed(const char* what) {
  return fail("TlsError", std::string(what) + ": " + take_reason());
}

Status use(SSL_CTX& context, const CertifiedKey& key) {
  if (SSL_CTX_use_cert_and_key(&context, key.certificate.get(), key.key.get(), key.chain.get(),
                               1) != 1)
    return failed("the certificate cannot be used");
  return {};
}

void set_options(SSL_CTX& context) {
  SSL_CTX_set_options(
      &context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection holds no buffers, and what is written may be given again from elsewhere.
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(&context, session_seconds);
}

// The client's ciphers and signature algorithms allow this certificate. In a certificate callback.
bool is_usable(SSL& ssl, const CertifiedKey& key) {
  const int flags = SSL_check_chain(&ssl, key.certificate.get(), key.key.get(), key.chain.get());
  ERR_clear_error();
  if ((flags & CERT_PKEY_VALID) == 0) return false;
  if (SSL_version(&ssl) >= TLS1_3_VERSION) return true;
  const int wanted = key.facts.is_ecdsa ? NID_auth_ecdsa : NID_auth_rsa;
  const STACK_OF(SSL_CIPHER)* offered = SSL_get_client_ciphers(&ssl);
  const STACK_OF(SSL_CIPHER)* ours = SSL_get_ciphers(&ssl);
  for (int i = 0; i < sk_SSL_CIPHER_num(offered); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(offered, i);
    if (SSL_CIPHER_get_auth_nid(cipher) == wanted &&
        sk_SSL_CIPHER_find(const_cast<STACK_OF(SSL_CIPHER)*>(ours), cipher) >= 0)
      return true;
  }
  return false;
}

std::string comparable(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string out(name);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool offers(const unsigned char* in, unsigned length, std::string_view protocol) {
  for (unsigned at = 0; at < length; at += 1U + in[at]) {
    if (at + 1U + in[at] > length) return false;
    const auto* name = reinterpret_cast<const char*>(in + at + 1);
    if (std::string_view(name, in[at]) == protocol) return true;
  }
  return false;
}

}  // namespace

Result<std::shared_ptr<const ServerContext>> ServerContext::create(ServerOptions options) {
  std::shared_ptr<ServerContext> out(new ServerContext(std::move(options)));
  if (auto opened = out->open(); !opened) return std::unexpected(opened.error());
  return out;
}

Status ServerContext::open() {
  const model::SslPolicy* policy = model::find_ssl_policy(options_.policy);
  if (policy == nullptr) return fail("TlsError", "there is no policy " + options_.policy);
  if (options_.certificates.empty()) return fail("TlsError", "there is no certificate");
  context_.reset(SSL_CTX_new(TLS_server_method()));
  if (!context_) return failed("no context can be had");
  SSL_CTX& context = *context_;
  if (auto applied = apply_policy(context, *policy); !applied) return applied;
  set_options(context);
  if (auto used = use(context, key(0)); !used) return used;
  index_names();
  SSL_CTX_set_app_data(&context, this);
  SSL_CTX_set_cert_cb(&context, on_certificate, this);
  SSL_CTX_set_tlsext_servername_callback(&context, on_server_name);
  SSL_CTX_set_alpn_select_cb(&context, on_alpn, this);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> scope;
  SHA256(reinterpret_cast<const unsigned char*>(options_.scope.data()), options_.scope.size(),
         scope.data());
  SSL_CTX_set_session_id_context(&context, scope.data(), scope.size());
  if (options_.ticket_keys != nullptr) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, on_ticket);
  } else {
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(&context, 0);
  }
  return {};
}

void ServerContext::index_names() {
  for (std::size_t i = 0; i < options_.certificates.size(); ++i) {
    const auto position = static_cast<std::uint16_t>(i);
    for (const std::string& name : key(position).facts.names) {
      if (name.starts_with("*.")) {
        by_wildcard_[name.substr(2)].push_back(position);
      } else {
        by_name_[name].push_back(position);
      }
    }
  }
}

SslPtr ServerContext::new_connection(HandshakeNotes& notes) const {
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return nullptr;
  SSL_set_app_data(ssl.get(), &notes);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

std::vector<std::uint16_t> ServerContext::matching(std::string_view name) const {
  std::vector<std::uint16_t> out;
  const auto add = [&](const auto& map, std::string_view key) {
    const auto found = map.find(key);
    if (found != map.end()) out.insert(out.end(), found->second.begin(), found->second.end());
  };
  add(by_name_, name);
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos && dot > 0) add(by_wildcard_, name.substr(dot + 1));
  return out;
}

bool ServerContext::has_certificate_for(std::string_view name) const {
  return !matching(comparable(name)).empty();
}

bool ServerContext::is_preferred(std::uint16_t one, std::uint16_t other,
                                 std::int64_t now_ms) const {
  const auto rank = [now_ms](const CertificateFacts& facts) {
    return std::tuple(facts.is_ecdsa, facts.not_after_ms > now_ms, facts.digest_bits,
                      facts.key_bits, facts.not_after_ms - facts.not_before_ms);
  };
  return rank(key(one).facts) > rank(key(other).facts);
}

std::uint16_t ServerContext::choose(SSL& ssl, HandshakeNotes& notes) const {
  const char* name = SSL_get_servername(&ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return 0;
  const std::vector<std::uint16_t> found = matching(comparable(name));
  if (found.empty()) return 0;
  notes.name_matched = true;
  if (found.size() == 1) return found.front();
  const std::int64_t now_ms = wall_ms();
  std::uint16_t best = HandshakeNotes::no_certificate;
  for (const std::uint16_t each : found) {
    if (!is_usable(ssl, key(each))) continue;
    if (best == HandshakeNotes::no_certificate || is_preferred(each, best, now_ms)) best = each;
  }
  return best == HandshakeNotes::no_certificate ? found.front() : best;
}

int ServerContext::on_certificate(SSL* ssl, void* self) {
  const auto& context = *static_cast<const ServerContext*>(self);
  auto& notes = *static_cast<HandshakeNotes*>(SSL_get_app_data(ssl));
  notes.certificate = context.choose(*ssl, notes);
  if (notes.certificate == 0) return 1;  // it is there
  const CertifiedKey& key = context.key(notes.certificate);
  SSL_certs_clear(ssl);
  return SSL_use_cert_and_key(ssl, key.certificate.get(), key.key.get(), key.chain.get(), 1);
}

// The name belongs to the session: one begun for another name is not resumed.
int ServerContext::on_server_name(SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; }

int ServerContext::on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_length,
                           const unsigned char* in, unsigned in_length, void* self) {
  static constexpr std::string_view h2 = "h2";
  static constexpr std::string_view http11 = "http/1.1";
  const auto& context = *static_cast<const ServerContext*>(self);
  const bool may_be_h2 = context.options_.offers_http2 && SSL_version(ssl) >= TLS1_2_VERSION;
  const std::string_view chosen = may_be_h2 && offers(in, in_length, h2) ? h2
                                  : offers(in, in_length, http11)        ? http11
                                                                         : std::string_view();
  if (chosen.empty()) return SSL_TLSEXT_ERR_NOACK;
  *out = reinterpret_cast<const unsigned char*>(chosen.data());
  *out_length = static_cast<unsigned char>(chosen.size());
  return SSL_TLSEXT_ERR_OK;
}

int ServerContext::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv,
                             EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int is_new) {
  const auto& context =
      *static_cast<const ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  TicketKey key;
  int result = 1;
  if (is_new != 0) {
    key = context.options_.ticket_keys->newest();
    std::memcpy(name, key.name.data(), key.name.size());
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  } else {
    const auto found = context.options_.ticket_keys->find(name);
    if (!found) return 0;
    key = found->key;
    result = found->is_newest ? 1 : 2;  // 2: and give it a new ticket
  }
  std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters.data()) != 1) return -1;
  if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, is_new) != 1)
    return -1;
  return result;
}

}  // namespace weir::tls
