// Tasks from other threads, with a wake-up. The one place of the data plane where threads meet.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "base/fd.hpp"

namespace weir::net {

class Mailbox {
 public:
  Mailbox();
  // Any thread. Wakes the loop unless a wake-up is already under way.
  void post(std::function<void()> task);
  // Loop thread: runs what has been posted. True if there was anything.
  bool run();
  // Readable when there is something to run.
  [[nodiscard]] int wake_fd() const { return wake_.get(); }

 private:
  Fd wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace weir::net
