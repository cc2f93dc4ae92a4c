// Whether a request is let in, and as whom.
#pragma once

#include <string>

#include "aws/server/http.hpp"
#include "aws/service.hpp"
#include "aws/sigv4/authorization.hpp"
#include "base/result.hpp"

namespace weir::aws {

struct AccessOptions {
  std::string account;  // whose all credentials are: 123456789012
};

class Access {
 public:
  explicit Access(AccessOptions options) : options_(std::move(options)) {}

  // The caller, without the request's id. Any thread.
  [[nodiscard]] Result<Caller> admit(const HttpRequest& request,
                                     const Authorization& authorization) const;

 private:
  AccessOptions options_;
};

}  // namespace weir::aws
