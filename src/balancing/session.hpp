// Sealed sessions: the values of stickiness cookies (reference §4.4).
//
// A value tells to whom the session is bound, since when and until when. It is encrypted and
// authenticated with AES-256-GCM, so that a client can neither read, make nor move one: what kind
// of cookie it is and which group it belongs to are authenticated with it. 96 bytes, 128 characters
// of base64, as AWS's are:
//
//   key id (4) | nonce (12) | encrypted: subject (8), bound (8), expires (8), zeros (40) | tag (16)
//
// Nonces never repeat under a key: a sealer draws the first eight bytes from the kernel and counts
// in the last four. One sealer a worker; its contexts are made when the keys change, and sealing
// and opening allocate nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "routing/snapshot.hpp"

namespace weir::balancing {

enum class SessionKind : unsigned char { target = 1, app_target = 2, group = 3 };

struct Session {
  std::uint64_t subject = 0;    // identity of the target or of the group
  std::int64_t bound_at = 0;    // Unix seconds of the choice
  std::int64_t expires_at = 0;  // Unix seconds
};

class SessionSealer {
 public:
  static constexpr std::size_t value_chars = 128;

  SessionSealer();
  ~SessionSealer();
  SessionSealer(const SessionSealer&) = delete;
  SessionSealer& operator=(const SessionSealer&) = delete;

  // The newest first. The same keys again cost a comparison.
  void use(const std::vector<routing::StickinessKey>& keys);
  [[nodiscard]] bool has_key() const { return !ciphers_.empty(); }

  // `scope`: identity of the group whose targets the session is about; 0 for kind group. The value
  // is valid until the next call; empty where there is no key.
  [[nodiscard]] std::string_view seal(SessionKind kind, std::uint64_t scope,
                                      const Session& session);
  // Nothing where the value is none of ours, of another kind or scope, or not of a key in use.
  // Whether it has expired is the caller's to see.
  [[nodiscard]] std::optional<Session> open(SessionKind kind, std::uint64_t scope,
                                            std::string_view value);

 private:
  class Cipher;

  std::vector<routing::StickinessKey> keys_;
  std::vector<std::unique_ptr<Cipher>> ciphers_;  // in the keys' order
  std::uint64_t nonce_prefix_;
  std::uint32_t nonce_count_ = 0;
  std::array<char, value_chars + 1> text_{};  // OpenSSL ends it with a zero
};

}  // namespace weir::balancing
