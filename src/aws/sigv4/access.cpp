#include "aws/sigv4/access.hpp"

namespace weir::aws {

Result<Caller> Access::admit(const HttpRequest&, const Authorization& authorization) const {
  Caller caller;
  caller.access_key_id = authorization.access_key_id;
  caller.account = options_.account;
  caller.user_id = options_.account;
  caller.arn = "arn:aws:iam::" + options_.account + ":root";
  caller.region = authorization.region;
  return caller;
}

}  // namespace weir::aws
