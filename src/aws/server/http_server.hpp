// The endpoint's HTTP, by libmicrohttpd: a thread per connection, since a handler may take its time
// (a stack is made, a change is waited for) and must hold up nobody else.
//
// Bounded in connections, in bytes of head and body, in idle time, and in the time that a request
// may take to arrive; libmicrohttpd itself counts idle time only, so a watcher shuts down the
// connections of those that dribble.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "aws/server/http.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::aws {

struct HttpHandlers {
  std::function<HttpResponse(const HttpRequest&)> answer;
  std::function<HttpResponse(const HttpRequest&)> too_large;  // its body was not read
};

struct HttpLimits {
  unsigned connections_max = 512;
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = 1U << 20U;
  unsigned idle_seconds_max = 60;
  std::int64_t receive_ms_max = 60'000;  // from a request's first byte to its last
};

class HttpServer {
 public:
  // `listener`: a listening TCP socket. Handlers are called from many threads at once.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(Fd listener, HttpHandlers handlers,
                                                                 HttpLimits limits = {});
  virtual ~HttpServer() = default;  // waits for the requests under way
};

}  // namespace weir::aws
