// The one folder that holds all of a daemon's state: remove it and Weir is new.
//
// A daemon holds the folder's lock for its life, so two daemons never share one. Several daemons
// with folders of their own live side by side.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::daemon {

// What `--state` is without being given: WEIR_STATE, /var/lib/weir for root, else
// $XDG_STATE_HOME/weir or ~/.local/state/weir.
[[nodiscard]] std::string default_state_dir();

// Absolute, without a trailing slash; the folder need not exist.
[[nodiscard]] Result<std::string> absolute_state_dir(const std::string& path);

class StateFolder {
 public:
  // Makes the folder (mode 0700) where it is missing and takes its lock. Errors: "DaemonRuns" where
  // another daemon has it, "StateFolder" where it cannot be used (not ours, not writable).
  [[nodiscard]] static Result<StateFolder> open(const std::string& absolute_path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  StateFolder(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  Fd lock_;
};

}  // namespace weir::daemon
