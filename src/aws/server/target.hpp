// What a request is for, as far as its line and its headers tell: JSON and CBOR name service and
// operation there, the Query protocols in their parameters.
#pragma once

#include <string>

#include "aws/description/description.hpp"
#include "aws/server/http.hpp"

namespace weir::aws {

struct CallTarget {
  Protocol protocol = Protocol::query;  // query stands for ec2 too until the service is known
  std::string prefix;                   // of X-Amz-Target, or the service in CBOR's path
  std::string operation;
};

[[nodiscard]] CallTarget read_target(const HttpRequest& request);

}  // namespace weir::aws
