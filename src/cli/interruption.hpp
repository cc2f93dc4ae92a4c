// What a command says when it is interrupted although the daemon works on: the work is not this
// process's own, and does not end with it.
#pragma once

#include <string>

namespace weir::cli {

// From now on SIGINT and SIGTERM end this process with `words` on standard error and the shell's
// status for such an end. One at a time; until the end of the scope.
class Interruption {
 public:
  explicit Interruption(const std::string& words);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
};

}  // namespace weir::cli
