// The signature that a request must have, by Signature Version 4: a digest of what was sent, in a
// canonical form, keyed by the secret and the credential's scope.
#pragma once

#include <string>
#include <string_view>

#include "aws/protocol/form.hpp"
#include "aws/server/http.hpp"
#include "aws/sigv4/authorization.hpp"

namespace weir::aws {

// Method, path, query, the signed headers and the body's digest. `query`: of the URL, decoded.
[[nodiscard]] std::string canonical_request(const HttpRequest& request, const Parameters& query,
                                            const Authorization& authorization);

[[nodiscard]] std::string string_to_sign(const Authorization& authorization,
                                         std::string_view canonical_request);

// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sign(std::string_view secret, const Authorization& authorization,
                               std::string_view string_to_sign);

}  // namespace weir::aws
