// Text that only this load balancer can have written: the values of session cookies and of the
// state that a login carries through the provider.
//
// AES-256-GCM under the newest of the keys that sign stickiness cookies too, base64url without
// padding. What it is for and for whom (`purpose`, `scope`) is authenticated with it, so that a
// session of one action opens nothing of another, and a state is no session.
//
//   key id (4) | nonce (12) | encrypted text | tag (16)
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace weir::auth {

struct SealingKey {
  std::uint32_t id = 0;
  std::array<unsigned char, 32> key{};
};

// Names what a sealed text is good for: the purpose, and the action that it belongs to.
struct Seal {
  std::string_view purpose;  // "session", "state"
  std::string_view scope;
};

// `keys`: the newest first, at least one. Nonces are random: a key seals far below 2^32 texts.
[[nodiscard]] std::string seal(std::string_view text, const Seal& seal,
                               std::span<const SealingKey> keys);
// Nothing where it is none of ours, for something else or changed.
[[nodiscard]] std::optional<std::string> open(std::string_view sealed, const Seal& seal,
                                              std::span<const SealingKey> keys);

// ---- a sealed text as cookies: NAME-0, NAME-1, … of at most 4096 bytes each (reference §3.3)
inline constexpr std::size_t shards_max = 4;
inline constexpr std::size_t shard_bytes_max = 4096;  // name, '=' and value

// Nothing where it does not fit in the shards.
[[nodiscard]] std::optional<std::vector<std::string>> shards_of(std::string_view value,
                                                                std::string_view cookie_name);
// The value that the request's cookies make up; empty where the first is not there. Of two cookies
// with one name the first counts.
[[nodiscard]] std::string value_of_shards(const http::RequestHead& head,
                                          std::string_view cookie_name);

}  // namespace weir::auth
