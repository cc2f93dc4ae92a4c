// What a request says about who signed it: the Authorization header of Signature Version 4, or the
// same in a presigned URL's query string. Nothing here is verified.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aws/protocol/form.hpp"
#include "aws/server/http.hpp"
#include "base/result.hpp"

namespace weir::aws {

struct Authorization {
  std::string access_key_id;
  std::string date;  // 20261124
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;  // as listed: lower case, sorted
  std::string signature;                    // 64 hexadecimal digits
  std::string timestamp;                    // 20261124T200512Z
  std::string session_token;                // may be empty
  std::int64_t expires_seconds = 0;         // presigned
  bool is_presigned = false;
};

// `query`: the parameters of the request's query string. "MissingAuthenticationToken" where there
// is no signature at all, "IncompleteSignature" where it is not whole.
[[nodiscard]] Result<Authorization> read_authorization(const HttpRequest& request,
                                                       const Parameters& query);

}  // namespace weir::aws
