// The OCI runtime, as a program that is run: start, exec, delete. Any runtime with runc's command
// line fits (runc, crun).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "compute/compute.hpp"
#include "compute/layout.hpp"
#include "compute/process.hpp"

namespace weir::compute {

class Runtime {
 public:
  // Finds the program and asks for its version; errors "NoRuntime", "RuntimeFailed".
  [[nodiscard]] static Result<Runtime> probe(const std::string& name, const Layout& layout,
                                             Children& children);

  // Starts the bundle in the instance's folder, detached; returns its first process. `console` and
  // `status` become its output and its descriptor 3. Borrowed.
  Result<pid_t> run(const std::string& id, int console, int status) const;
  // Runs a command inside and waits for it; returns its exit status.
  Result<int> exec(const ExecRequest& request) const;
  // Kills what is left and forgets the instance. One that does not exist is no error.
  Status remove(const std::string& id) const;

  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  Runtime(std::string program, const Layout& layout, Children& children)
      : program_(std::move(program)), layout_(&layout), children_(&children) {}

  [[nodiscard]] Command command(const std::string& id, std::vector<std::string> words) const;
  [[nodiscard]] std::unexpected<Error> failure(const std::string& id,
                                               const std::string& what) const;

  std::string program_;
  std::string version_;
  const Layout* layout_;
  Children* children_;
};

}  // namespace weir::compute
