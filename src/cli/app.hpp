// The `weir` command: words in, exit status out.
#pragma once

namespace weir::cli {

// 0: done; 1: it failed, and standard error says why; 2: it was called wrongly. `exec` returns the
// command's own status.
int run(int argc, char** argv);

}  // namespace weir::cli
