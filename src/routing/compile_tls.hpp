// From the TLS members of listeners to the contexts that connections shake hands with.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "routing/snapshot.hpp"

namespace weir::routing {

class TlsCompiler {
 public:
  // Both outlive it; `previous` may be null. What has not changed since is taken from there.
  TlsCompiler(const Sources& sources, const Snapshot* previous);

  // nullptr: HTTP, or none of its certificates can be used, which is logged.
  [[nodiscard]] std::shared_ptr<const ListenerTls> listener(const model::Listener& source,
                                                            bool offers_http2);
  // Of all contexts, in this snapshot and those that follow.
  [[nodiscard]] const std::shared_ptr<tls::TicketKeys>& ticket_keys() const { return ticket_keys_; }

 private:
  [[nodiscard]] const model::Certificate* certificate(const std::string& arn) const;
  [[nodiscard]] std::string fingerprint(const model::Listener& source, bool offers_http2) const;
  [[nodiscard]] std::shared_ptr<const ListenerTls> compile(const model::Listener& source,
                                                           bool offers_http2) const;

  const Sources& sources_;
  std::shared_ptr<tls::TicketKeys> ticket_keys_;
  std::unordered_map<std::string_view, std::shared_ptr<const ListenerTls>> before_;  // by listener
};

}  // namespace weir::routing
