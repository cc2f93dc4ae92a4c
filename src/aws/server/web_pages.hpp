// An open endpoint must not be open to every page that the user's browser shows: a page may send a
// POST anywhere (and a made-up signature with it), and by a host name of its own that leads to
// loopback it may even read the answer. Browsers say where a request is from, so such are refused.
#pragma once

#include "aws/server/http.hpp"
#include "base/result.hpp"

namespace weir::aws {

// "AccessDenied" for a request of a page of another origin, or to a host name that is not this
// machine's own (an address, localhost, *.localhost). AWS's tools send neither.
[[nodiscard]] Status refuse_web_pages(const HttpRequest& request);

}  // namespace weir::aws
