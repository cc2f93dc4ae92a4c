// The commands on certificates of HTTPS listeners.
#pragma once

#include "daemon/control_socket.hpp"
#include "daemon/json.hpp"
#include "daemon/parts.hpp"

namespace weir::daemon {

// {"certificate", "private_key", "chain", "arn", "name"}, PEM texts; → what a list has of it. In
// force when it answers.
Result<Json> run_certificate_import(Parts& parts, const Json& request, Session& session);
Result<Json> run_certificate_list(Parts& parts, const Json& request, Session& session);
// {"arn"}
Result<Json> run_certificate_delete(Parts& parts, const Json& request, Session& session);

}  // namespace weir::daemon
