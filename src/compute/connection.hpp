// The daemon's end of the connection to a holder: calls from many threads over one socket.
//
// One thread reads. It gives each answer to the call that waits for it, and hands events to a
// second thread, so that an event's handler may itself call the holder. When the holder is lost,
// the reader looks for its successor (holder_main.cpp); new calls wait for the outcome, those under
// way fail, since nobody knows how far they came.
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
  // `id` empty: the holder was lost. On a thread of the connection's.
  using EventHandler = std::function<void(const std::string& id, int exit_status)>;
  // Connects to a new holder and makes it ready; an invalid descriptor: there is none yet.
  using Reconnect = std::function<Fd()>;

  // Waits for the holder's greeting on a connected socket.
  [[nodiscard]] static Result<std::pair<Fd, Capabilities>> greet(Fd socket);
  // One request on a socket that no HolderConnection uses.
  static Result<Reply> call_on(int socket, Request request);

  HolderConnection(Fd socket, Reconnect reconnect);
  ~HolderConnection();
  HolderConnection(const HolderConnection&) = delete;
  HolderConnection& operator=(const HolderConnection&) = delete;

  // Sends the request (its id is set here) and waits for the answer; an error that the holder
  // answers is the result's error. "HolderLost" when the holder ends meanwhile, or there is none.
  Result<Reply> call(Request request, std::span<const int> fds = {});

  // Events that came before are delivered now.
  void on_event(EventHandler handler);

  // The holder is about to end because it was asked to: no successor is looked for, no event.
  void expect_end();

 private:
  struct Waiting {
    std::optional<Result<Reply>> reply;
  };
  struct Event {
    std::string id;
    int exit_status = -1;
  };

  enum class Link : std::uint8_t { up, searching, lost };

  void read_loop();
  void event_loop();
  void deliver(Response response, std::vector<Fd> fds);
  // Ends the calls under way; returns whether a successor was found.
  bool replace_holder();
  [[nodiscard]] bool is_end_expected();

  Reconnect reconnect_;
  std::mutex send_mutex_;
  Fd socket_;  // replaced by the reader under both mutexes

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Waiting*> waiting_;
  std::deque<Event> events_;
  EventHandler handler_;
  Link link_ = Link::up;
  bool is_ending_ = false;  // the destructor runs
  bool is_end_expected_ = false;

  std::thread reader_;
  std::thread eventer_;
};

}  // namespace weir::compute
