// Whether a request is let in, and as whom.
//
// Verifying: the signature must be that of a known key, over what was sent, within 15 minutes; a
// request that is sent again within them is taken again, as AWS does for these services. Open: any
// whole signature will do; only for an endpoint on loopback, whose users are this machine's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aws/server/http.hpp"
#include "aws/service.hpp"
#include "aws/sigv4/authorization.hpp"
#include "aws/sigv4/session.hpp"
#include "base/result.hpp"

namespace weir::aws {

struct AccessOptions {
  std::string account;  // whose all credentials are: 123456789012
  bool verifies = true;
  // The secret of a lasting key; nullopt: there is no such key. Any thread.
  std::function<std::optional<std::string>(const std::string& access_key_id)> secret_of;
  std::function<std::int64_t()> now_ms;  // wall clock
};

class Access {
 public:
  explicit Access(AccessOptions options);

  // The caller, without the request's id. `query`: the parameters of the URL. Errors have the codes
  // of the Query protocol. Any thread.
  [[nodiscard]] Result<Caller> admit(const HttpRequest& request, const Parameters& query,
                                     const Authorization& authorization) const;

  // Temporary credentials for the caller, who must have been admitted.
  [[nodiscard]] TemporaryCredentials issue_for(const Caller& caller, Session session) const;

  [[nodiscard]] bool verifies() const { return options_.verifies; }
  [[nodiscard]] std::int64_t now_ms() const { return options_.now_ms(); }
  [[nodiscard]] const std::string& account() const { return options_.account; }

 private:
  struct Identity {
    Caller caller;
    std::string secret;
  };
  [[nodiscard]] Result<Identity> identify(const Authorization& authorization) const;
  [[nodiscard]] Result<Identity> identify_session(const Authorization& authorization) const;
  [[nodiscard]] Status check_time(const Authorization& authorization) const;
  [[nodiscard]] std::string parent_secret(const std::string& access_key_id) const;

  AccessOptions options_;
  std::string own_secret_;  // of keys that nobody knows, where the endpoint is open
};

}  // namespace weir::aws
