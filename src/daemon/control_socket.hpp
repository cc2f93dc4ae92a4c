// The server of the control socket: a thread that accepts, a thread a connection.
//
// A connection carries one request: a line in, progress lines out, then one result or error line.
// Only the user who runs the daemon (and root) is listened to, as the kernel names the peer.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::daemon {

// What a handler of a request sees of its connection.
class Session {
 public:
  // One line of JSON with an "event"; false where the client has gone.
  virtual bool send_event(std::string_view json) = 0;
  [[nodiscard]] virtual bool client_gone() const = 0;
  [[nodiscard]] virtual bool stopping() const = 0;  // the daemon ends: give up waits
  // Of an exec: the client's stdin, stdout, stderr, and the socket that guides the command.
  [[nodiscard]] virtual std::vector<Fd>& fds() = 0;

 protected:
  ~Session() = default;
};

class ControlSocket {
 public:
  // Returns the last line for the client. Called on the connection's thread.
  using Handler = std::function<std::string(const std::string& request, Session& session)>;

  static Result<std::unique_ptr<ControlSocket>> start(Fd listener, Handler handler);
  // Stops accepting, tells the sessions, waits for the handlers.
  virtual ~ControlSocket() = default;

 protected:
  ControlSocket() = default;
};

}  // namespace weir::daemon
