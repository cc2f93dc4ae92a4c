#include "daemon/privileges.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <string>
#include <thread>

namespace weir::daemon {
namespace {

std::string status_field(const std::string& file, const std::string& field) {
  std::ifstream status(file);
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
  }
  return {};
}

// Runs in a child: what is dropped does not come back.
int drop_and_look() {
  std::promise<void> release;
  std::promise<pid_t> started;
  std::thread other([&] {
    started.set_value(::gettid());
    release.get_future().wait();
  });
  const auto other_status =
      "/proc/self/task/" + std::to_string(started.get_future().get()) + "/status";
  const bool was_root = ::geteuid() == 0;
  const auto kept = drop_privileges();
  int failures = kept ? 0 : 1;
  if (was_root) {
    for (const auto& file : {std::string{"/proc/thread-self/status"}, other_status}) {
      if (status_field(file, "CapEff") != "0000000000000400") failures += 2;
      if (status_field(file, "CapPrm") != "0000000000000400") failures += 4;
      if (status_field(file, "NoNewPrivs") != "1") failures += 8;
    }
  }
  release.set_value();
  other.join();
  return failures;
}

TEST(Privileges, EveryThreadKeepsTheBindingOfPortsAlone) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(drop_and_look());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Privileges, TheLimitOfOpenFilesIsTheHardOne) { EXPECT_GE(raise_open_files_limit(), 256U); }

}  // namespace
}  // namespace weir::daemon
