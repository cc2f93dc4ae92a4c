// Work on the nodes of a graph: each after those it needs, side by side as far as that allows.
//
// One thread, the caller's, decides: it takes the results that have come, tells the work about
// them, finds what is ready, lets it be noted and only then hands it to the threads. So everything
// that keeps track (the stack's record, events) is touched by one thread, and several changes that
// come together are noted in one go.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "base/result.hpp"

namespace weir::stacks {

class GraphWork {
 public:
  virtual ~GraphWork() = default;

  // The node's turn has come. An error ends it here. On the caller's thread.
  virtual Status begin(std::size_t node) = 0;
  // Some nodes have begun or ended: note it, before any of them is started. An error lets no more
  // nodes begin. On the caller's thread.
  virtual Status save() = 0;
  // The work itself, in two phases, so that all can be started before the first is waited for. On
  // other threads.
  virtual Status start(std::size_t node) = 0;
  // `is_stopped`: waiting has become pointless; return soon, with any status.
  virtual Status finish(std::size_t node, const std::atomic<bool>& is_stopped) = 0;
  // On the caller's thread.
  virtual void end(std::size_t node, const Status& status) = 0;
};

enum class OnFailure {
  stop,      // no other node begins; what is under way is not waited for
  continue_  // only what needs the failed node does not begin
};

// needs[i]: the nodes that must have ended well before i begins. Returns when nothing is under way
// and nothing can begin. True: all nodes ended well.
bool run_graph(const std::vector<std::vector<std::size_t>>& needs, std::size_t threads_max,
               OnFailure on_failure, GraphWork& work);

}  // namespace weir::stacks
