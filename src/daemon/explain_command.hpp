// `weir explain`: which listener and rule take a request, and why the rules before it do not.
#pragma once

#include "base/result.hpp"
#include "control/registry.hpp"
#include "daemon/json.hpp"

namespace weir::daemon {

// `request`: {"method", "url", "headers": ["Name: value"], "client_ip"}. The URL's host and port
// choose the listener, as the name of a load balancer does; a Host among the headers is what rules
// look at, as with curl. Errors: "BadRequest"; "ListenerNotFound" with the listeners that there
// are.
[[nodiscard]] Result<Json> explain_json(const control::State& state, const Json& request);

}  // namespace weir::daemon
