// The commands on credentials of the AWS APIs.
#pragma once

#include "daemon/control_socket.hpp"
#include "daemon/json.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

// {"name"} → {"id", "secret", "name", "api"}: the one time that the secret is told.
Result<Json> run_credentials_create(Parts& parts, const Json& request, Session& session);
Result<Json> run_credentials_list(Parts& parts, const Json& request, Session& session);
Result<Json> run_credentials_delete(Parts& parts, const Json& request, Session& session);

}  // namespace weir::daemon
