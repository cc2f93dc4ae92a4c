// What the claims of a verified token must say (reference §3.3 jwt-validation).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "model/resources.hpp"

namespace weir::auth {

// The clocks of a provider and of this machine may differ by so much.
inline constexpr std::int64_t clock_skew_seconds = 60;

// `iss`, `exp`, and where they are there `nbf` and `iat`, then the action's additional claims.
// Empty: all hold; else the reason for the log: "JWTClaimNotPresent", "JWTClaimFormatInvalid",
// "JWTClaimValueInvalid".
[[nodiscard]] std::string_view fault_of_claims(const nlohmann::json& claims,
                                               const model::JwtValidationAction& action,
                                               std::int64_t unix_seconds);

}  // namespace weir::auth
