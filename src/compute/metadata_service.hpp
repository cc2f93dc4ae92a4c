// The protocol of the metadata service: a request's head in, a response out; no sockets.
//
// Source: reference §9.6. IMDSv2 asks for a token by PUT and sends it with each GET; v1 is a plain
// GET, unless the instance requires tokens. A PUT that came through a proxy (X-Forwarded-For) is
// refused, which is what protects an instance whose web server can be made to fetch a URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compute/metadata.hpp"
#include "http/message.hpp"

namespace weir::compute {

// One instance's tokens: random, bounded in number and time.
class MetadataTokens {
 public:
  static constexpr std::size_t tokens_max = 256;  // beyond, the one that ends first makes room
  static constexpr int ttl_seconds_max = 21'600;

  [[nodiscard]] std::string issue(int ttl_seconds, std::int64_t now_ms);
  // Seconds that the token has left; nothing where it is not, or no longer, valid.
  [[nodiscard]] std::optional<std::int64_t> seconds_left(std::string_view token,
                                                         std::int64_t now_ms) const;

 private:
  struct Token {
    std::string text;
    std::int64_t expires_ms = 0;
  };
  std::vector<Token> tokens_;
};

// How many requests an instance may make: a bucket that fills with time.
class MetadataThrottle {
 public:
  static constexpr double requests_per_second = 500;
  static constexpr double burst = 1000;

  [[nodiscard]] bool allows(std::int64_t now_ms);

 private:
  double left_ = burst;
  std::int64_t filled_ms_ = 0;
};

struct MetadataResponse {
  MetadataAnswer answer;
  std::optional<std::int64_t> token_ttl_seconds;  // told in a header where a token was used
  bool close = false;
  bool with_body = true;  // false: HEAD
};

// `now_ms` is monotonic.
[[nodiscard]] MetadataResponse respond(const MetadataDocument& document, MetadataTokens& tokens,
                                       const http::RequestHead& request, std::int64_t now_ms);

// An answer without content of its own, such as 400 for a malformed request; closes.
[[nodiscard]] MetadataResponse refusal(int status);

// The bytes on the wire.
[[nodiscard]] std::string to_bytes(const MetadataResponse& response, std::int64_t unix_seconds);

}  // namespace weir::compute
