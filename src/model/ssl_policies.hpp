// The security policies of HTTPS listeners, as data (reference §2.3): which versions of TLS, and
// which ciphers in which order. There are no others; a client chooses one by name.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace weir::model {

struct SslPolicy {
  std::string_view name;
  std::vector<std::string_view> protocols;  // TLSv1.3, TLSv1.2, …
  std::vector<std::string_view> ciphers;    // OpenSSL's names, the preferred one first
  bool has_post_quantum_groups = false;     // the hybrid ones, beside the classical
};

[[nodiscard]] std::span<const SslPolicy> ssl_policies();
// nullptr: AWS has no such policy.
[[nodiscard]] const SslPolicy* find_ssl_policy(std::string_view name);

inline constexpr std::string_view default_ssl_policy = "ELBSecurityPolicy-2016-08";

}  // namespace weir::model
