// What a listener shakes hands with: its policy, its certificates, its protocols.
//
// Immutable and shared by all workers; a change of any of it makes a new one in the next snapshot,
// and connections keep the one that they began with.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "tls/certificate.hpp"
#include "tls/openssl.hpp"
#include "tls/ticket_keys.hpp"

namespace weir::tls {

struct ListenerCertificate {
  std::string arn;
  CertifiedKeyPtr key;
};

struct ServerOptions {
  std::string policy;                             // ELBSecurityPolicy-…
  std::vector<ListenerCertificate> certificates;  // the default one first; at least one
  bool offers_http2 = false;                      // h2 before http/1.1 by ALPN
  std::string scope;  // sessions are resumed within this scope alone: the listener's ARN
  std::shared_ptr<TicketKeys> ticket_keys;  // nullptr: no resumption
};

// What the callbacks of a handshake found out, for the connection.
struct HandshakeNotes {
  static constexpr std::uint16_t no_certificate = 0xffff;
  std::uint16_t certificate = no_certificate;  // position in ServerOptions::certificates
  bool name_matched = false;                   // the client's server name is a certificate's
};

class ServerContext {
 public:
  // "TlsError".
  [[nodiscard]] static Result<std::shared_ptr<const ServerContext>> create(ServerOptions options);
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // A connection's; `notes` outlives it. nullptr: no memory.
  [[nodiscard]] SslPtr new_connection(HandshakeNotes& notes) const;
  [[nodiscard]] const ServerOptions& options() const { return options_; }
  // `name` as a client wrote it.
  [[nodiscard]] bool has_certificate_for(std::string_view name) const;

 private:
  // The certificates whose names match, by position; `name` in lower case.
  [[nodiscard]] std::vector<std::uint16_t> matching(std::string_view name) const;
  explicit ServerContext(ServerOptions options) : options_(std::move(options)) {}
  Status open();
  void index_names();
  [[nodiscard]] const CertifiedKey& key(std::uint16_t certificate) const {
    return *options_.certificates[certificate].key;
  }
  [[nodiscard]] std::uint16_t choose(SSL& ssl, HandshakeNotes& notes) const;
  // Reference §2.4: which of two that a client can use.
  [[nodiscard]] bool is_preferred(std::uint16_t one, std::uint16_t other,
                                  std::int64_t now_ms) const;

  static int on_certificate(SSL* ssl, void* self);
  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_length,
                     const unsigned char* in, unsigned in_length, void* self);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int is_new);

  const ServerOptions options_;
  SslContextPtr context_;
  std::map<std::string, std::vector<std::uint16_t>, std::less<>> by_name_;
  std::map<std::string, std::vector<std::uint16_t>, std::less<>> by_wildcard_;  // without "*."
};

using ServerContextPtr = std::shared_ptr<const ServerContext>;

}  // namespace weir::tls
