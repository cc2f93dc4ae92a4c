// The holder is the program that starts it, under another command: so is this one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "compute/compute.hpp"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "hold") {
    weir::compute::Options options;
    int control_fd = -1;
    for (int i = 2; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word == "--rootless") options.rootless = true;
      if (i + 1 == argc) break;
      if (word == "--state") options.state_dir = argv[i + 1];
      if (word == "--runtime") options.runtime = argv[i + 1];
      if (word == "--control-fd") control_fd = std::atoi(argv[i + 1]);
    }
    return weir::compute::holder_main(options, control_fd);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
