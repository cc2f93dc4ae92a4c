#include "auth/claims.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace weir::auth {
namespace {

using model::JwtClaim;
using nlohmann::json;

constexpr std::string_view absent = "JWTClaimNotPresent";
constexpr std::string_view malformed = "JWTClaimFormatInvalid";
constexpr std::string_view wrong = "JWTClaimValueInvalid";

// A NumericDate may have a fraction (RFC 7519 §2).
std::optional<double> date_of(const json& value) {
  if (!value.is_number()) return std::nullopt;
  const double seconds = value.get<double>();
  if (!std::isfinite(seconds)) return std::nullopt;
  return seconds;
}

std::string_view fault_of_dates(const json& claims, std::int64_t unix_seconds) {
  const auto expiry = claims.find("exp");
  if (expiry == claims.end()) return absent;
  const auto now = static_cast<double>(unix_seconds);
  constexpr auto skew = static_cast<double>(clock_skew_seconds);
  const auto expires = date_of(*expiry);
  if (!expires) return malformed;
  if (*expires + skew <= now) return wrong;
  for (const char* name : {"nbf", "iat"}) {
    const auto begin = claims.find(name);
    if (begin == claims.end()) continue;
    const auto begins = date_of(*begin);
    if (!begins) return malformed;
    if (*begins - skew > now) return wrong;
  }
  return {};
}

bool is_wanted(const JwtClaim& claim, std::string_view value) {
  return std::ranges::find(claim.values, value) != claim.values.end();
}

bool has_wanted_word(const JwtClaim& claim, std::string_view words) {
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    if (is_wanted(claim, words.substr(0, space))) return true;
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return false;
}

std::string_view fault_of_claim(const json& claims, const JwtClaim& claim) {
  const auto found = claims.find(claim.name);
  if (found == claims.end()) return absent;
  if (claim.format == JwtClaim::Format::string_array) {
    if (!found->is_array() || !std::ranges::all_of(*found, &json::is_string)) return malformed;
    return std::ranges::any_of(*found,
                               [&](const json& each) {
                                 return is_wanted(claim, each.get_ref<const std::string&>());
                               })
               ? std::string_view{}
               : wrong;
  }
  if (!found->is_string()) return malformed;
  const auto& value = found->get_ref<const std::string&>();
  const bool holds = claim.format == JwtClaim::Format::single_string
                         ? is_wanted(claim, value)
                         : has_wanted_word(claim, value);
  return holds ? std::string_view{} : wrong;
}

}  // namespace

std::string_view fault_of_claims(const json& claims, const model::JwtValidationAction& action,
                                 std::int64_t unix_seconds) {
  const auto issuer = claims.find("iss");
  if (issuer == claims.end()) return absent;
  if (!issuer->is_string()) return malformed;
  if (issuer->get_ref<const std::string&>() != action.issuer) return wrong;
  if (const auto fault = fault_of_dates(claims, unix_seconds); !fault.empty()) return fault;
  for (const JwtClaim& claim : action.additional_claims) {
    if (const auto fault = fault_of_claim(claims, claim); !fault.empty()) return fault;
  }
  return {};
}

}  // namespace weir::auth
