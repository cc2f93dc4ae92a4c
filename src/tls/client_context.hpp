// What connections to HTTPS targets shake hands with. Immutable, for all threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/ssl_policies.hpp"
#include "tls/openssl.hpp"

namespace weir::tls {

class ClientContext {
 public:
  // `trusted`: CA certificates in PEM that a target's chain must lead to, whatever its names (the
  // target is known by its address); empty: any certificate is taken, as AWS does.
  // "TlsError".
  [[nodiscard]] static Result<std::shared_ptr<const ClientContext>> create(
      const model::SslPolicy& policy, std::string_view trusted = {});

  [[nodiscard]] SslPtr new_connection() const;

 private:
  explicit ClientContext(SslContextPtr context) : context_(std::move(context)) {}
  SslContextPtr context_;
};

using ClientContextPtr = std::shared_ptr<const ClientContext>;

}  // namespace weir::tls
