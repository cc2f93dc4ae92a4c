// From a request to its answer: which protocol, which service, who calls, which operation, then
// decode → validate → handle → encode. A dry run of EC2's ends before its handler, a call that is
// made again with the same client token is answered from memory. What goes wrong on the way is
// answered in the protocol's form.
//
// The service is told by the credential's scope; a request that was not signed (or wrongly) gets
// its error in the form of the service that its Host or its path names, else in Query's.
#pragma once

#include <memory>
#include <vector>

#include "aws/server/http.hpp"
#include "aws/server/idempotency.hpp"
#include "aws/service.hpp"
#include "aws/sigv4/access.hpp"

namespace weir::aws {

inline constexpr std::size_t body_bytes_max = 1U << 20U;  // AWS: 1 MiB for these services

class Dispatcher {
 public:
  Dispatcher(std::vector<std::unique_ptr<Service>> services, std::shared_ptr<const Access> access);
  ~Dispatcher();

  // Any thread.
  [[nodiscard]] HttpResponse answer(const HttpRequest& request) const;
  // For a request whose body is larger than body_bytes_max and was not read.
  [[nodiscard]] HttpResponse too_large(const HttpRequest& request) const;

 private:
  std::vector<std::unique_ptr<Service>> services_;
  std::shared_ptr<const Access> access_;
  mutable Idempotency idempotency_;
};

}  // namespace weir::aws
