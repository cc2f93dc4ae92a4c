// PEM files of CA certificates and of certificate revocation lists, checked before they are kept
// (reference §2.5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::control {

// The number of certificates of a bundle. Blocks of CERTIFICATE only, `#` lines between them; each
// an X.509 version 3 CA certificate. The error's message says which block is wrong and why.
[[nodiscard]] Result<std::int64_t> check_ca_bundle(std::string_view pem);

// The number of revoked certificates of a file of X509 CRL blocks.
[[nodiscard]] Result<std::int64_t> check_revocations(std::string_view pem);

}  // namespace weir::control
