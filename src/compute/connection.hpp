// The daemon's end of the connection to a holder: calls from many threads over one socket.
//
// One thread reads. It gives each answer to the call that waits for it, and hands events to a
// second thread, so that an event's handler may itself call the holder.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "compute/protocol.hpp"

namespace weir::compute {

class HolderConnection {
 public:
  struct Reply {
    Response response;
    std::vector<Fd> fds;
  };
  // `id` empty: the connection is lost. On a thread of the connection's.
  using EventHandler = std::function<void(const std::string& id, int exit_status)>;

  // Waits for the holder's greeting on a connected socket.
  [[nodiscard]] static Result<std::pair<Fd, Capabilities>> greet(Fd socket);

  explicit HolderConnection(Fd socket);
  ~HolderConnection();
  HolderConnection(const HolderConnection&) = delete;
  HolderConnection& operator=(const HolderConnection&) = delete;

  // Sends the request (its id is set here) and waits for the answer; an error that the holder
  // answers is the result's error. "HolderLost" when the connection ends meanwhile.
  Result<Reply> call(Request request, std::span<const int> fds = {});

  // Events that came before are delivered now.
  void on_event(EventHandler handler);

 private:
  struct Waiting {
    std::optional<Result<Reply>> reply;
  };
  struct Event {
    std::string id;
    int exit_status = -1;
  };

  void read_loop();
  void event_loop();
  void deliver(Response response, std::vector<Fd> fds);
  void lose();

  Fd socket_;
  std::mutex send_mutex_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Waiting*> waiting_;
  std::deque<Event> events_;
  EventHandler handler_;
  bool is_lost_ = false;
  bool is_ending_ = false;

  std::thread reader_;
  std::thread eventer_;
};

}  // namespace weir::compute
