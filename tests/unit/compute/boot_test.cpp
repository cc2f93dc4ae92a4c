// Process 1: the lines it tells the daemon, and the program itself, run as process 1 of a pid
// namespace on a real template (no OCI runtime, no network).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "compute/boot/protocol.hpp"
#include "compute/image.hpp"
#include "image_support.hpp"

namespace weir::compute {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace testing_support;
namespace fs = std::filesystem;

TEST(BootProtocol, FollowsTheUserData) {
  EXPECT_EQ(parse_status("").state, UserDataState::none);
  EXPECT_EQ(parse_status("boot 1000\n").state, UserDataState::none);
  EXPECT_EQ(parse_status("boot 1000\nuser-data started 1001\n").state, UserDataState::running);
  const auto good = parse_status("boot 1\nuser-data started 2\nuser-data finished 3 0\n");
  EXPECT_EQ(good.state, UserDataState::succeeded);
  EXPECT_EQ(good.finished_ms, 3);
  const auto bad = parse_status("boot 1\nuser-data started 2\nuser-data finished 3 137\n");
  EXPECT_EQ(bad.state, UserDataState::failed);
  EXPECT_EQ(bad.exit_status, 137);
}

TEST(BootProtocol, BelievesOnlyWellFormedLines) {
  for (const char* text :
       {"user-data started\n", "user-data started \n", "user-data started x\n",
        "user-data started 1", "user-data started 1 2\n", "user-data started -1\n",
        "user-data started 99999999999999999999\n", "user-data finished 3\n",
        "user-data finished 3 \n", "user-data finished 3 256\n", "user-data finished 3 -1\n",
        "user-data finished 3 0 \n", " user-data finished 3 0\n", "user-data finished 3  0\n"}) {
    EXPECT_EQ(parse_status(text).state, UserDataState::none) << text;
  }
  const std::string nul("user-data started 1\0\n", 21);
  EXPECT_EQ(parse_status(nul).state, UserDataState::none);
  const std::string far = std::string(status_file_bytes_max, 'x') + "\nuser-data started 1\n";
  EXPECT_EQ(parse_status(far).state, UserDataState::none);
}

TEST(BootProtocol, TheFirstEndCounts) {
  const auto status = parse_status("user-data finished 3 1\nuser-data finished 4 0\n");
  EXPECT_EQ(status.exit_status, 1);
  EXPECT_EQ(status.state, UserDataState::failed);
}

bool has_namespaces() {
  return std::system("unshare --user --map-root-user --pid --mount --fork true 2>/dev/null") == 0;
}

pid_t child_of(pid_t parent) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string stat = read_file(entry.path() / "stat");
    const auto name_end = stat.rfind(')');
    int found = 0;
    if (name_end != std::string::npos &&
        std::sscanf(stat.c_str() + name_end, ") %*c %d", &found) == 1 && found == parent) {
      return std::stoi(entry.path().filename());
    }
  }
  return 0;
}

class InitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_namespaces()) GTEST_SKIP() << "no user namespaces here";
    const auto root = ensure_image_template(state_.path(), std::string(builtin_image_id));
    ASSERT_TRUE(root.has_value());
    root_ = *root;
    boot_ = state_.path() + "/boot";
    fs::create_directory(boot_);
    ASSERT_TRUE(write_boot_files(boot_).has_value());
  }

  void boot(const std::string& user_data, const std::string& options = "") {
    fs::remove(status_path());
    if (!user_data.empty()) write_file(boot_ + "/user-data", user_data);
    const std::string script =
        "set -e; R=" + root_ +
        "; mount --rbind /usr $R/usr; mount --rbind /dev $R/dev; "
        "mount -t proc proc $R/proc; mount -t tmpfs -o mode=755 run $R/run; mkdir $R/run/weir; "
        "mount --bind " +
        boot_ +
        " $R/run/weir; exec chroot $R /run/weir/init --id i-1 "
        "--status-fd 3 " +
        (user_data.empty() ? "" : "--user-data /run/weir/user-data ") + options + " 3>" +
        status_path() + " >>" + console_path();
    init_ = std::make_unique<Process>(
        std::vector<std::string>{"unshare", "--user", "--map-root-user", "--pid", "--mount",
                                 "--fork", "--kill-child", "sh", "-c", script},
        std::vector<std::string>{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "SECRET=1"},
        -1);
  }
  // As `weir stop` does it.
  int shut_down() {
    const pid_t pid = child_of(init_->pid());
    EXPECT_GT(pid, 1);
    ::kill(pid > 1 ? pid : init_->pid(), pid > 1 ? SIGTERM : SIGKILL);
    return init_->wait();
  }
  UserDataStatus finished() {
    UserDataStatus status;
    EXPECT_TRUE(eventually([&] {
      status = parse_status(read_file(status_path()));
      return status.finished_ms != 0;
    })) << console();
    return status;
  }
  [[nodiscard]] std::string status_path() const { return state_.path() + "/status"; }
  [[nodiscard]] std::string console_path() const { return state_.path() + "/console"; }
  [[nodiscard]] std::string console() const { return read_file(console_path()); }
  [[nodiscard]] std::string log() const {
    return read_file(root_ + "/var/log/cloud-init-output.log");
  }
  [[nodiscard]] std::string inside(const std::string& path) const { return root_ + path; }

  TemporaryDirectory state_;
  std::string root_;
  std::string boot_;
  std::unique_ptr<Process> init_;
};

TEST_F(InitTest, RunsUserDataOnceAsRootAndKeepsItsOutput) {
  boot("#!/bin/bash\necho out $(id -u) $HOME $LANG $PWD $$; echo err >&2; env > /root/env\n");
  EXPECT_EQ(finished().state, UserDataState::succeeded);
  EXPECT_THAT(log(), AllOf(HasSubstr("out 0 /root C.UTF-8 / "), HasSubstr("err\n"),
                           HasSubstr("weir-init: running the user data"),
                           HasSubstr("weir-init: user data finished with status 0")));
  EXPECT_EQ(log(), console());
  EXPECT_THAT(read_file(inside("/root/env")),
              AllOf(HasSubstr("PATH=/usr/local/sbin:"), Not(HasSubstr("SECRET"))));
  EXPECT_TRUE(fs::exists(inside("/var/lib/cloud/instances/i-1/user-data.txt")));
  EXPECT_TRUE(fs::exists(inside("/var/lib/cloud/instances/i-1/scripts/part-001")));
  EXPECT_EQ(fs::read_symlink(inside("/var/lib/cloud/instance")), "instances/i-1");
  EXPECT_EQ(shut_down(), 0);

  boot("#!/bin/bash\necho again\n");  // the same instance: a second boot
  EXPECT_EQ(finished().state, UserDataState::succeeded);
  EXPECT_EQ(shut_down(), 0);
  EXPECT_THAT(log(), Not(HasSubstr("again")));
}

TEST_F(InitTest, FailedUserDataLeavesTheInstanceRunning) {
  boot("#!/bin/sh\nexit 3\n");
  EXPECT_EQ(finished().exit_status, 3);
  EXPECT_THAT(console(), HasSubstr("user data finished with status 3"));
  EXPECT_EQ(shut_down(), 0);
  boot("");
  EXPECT_EQ(finished().exit_status, 3);  // told again
}

TEST_F(InitTest, SaysWhyUserDataCannotRun) {
  boot("#cloud-config\npackages: [a]\n");
  EXPECT_EQ(finished().state, UserDataState::failed);
  EXPECT_THAT(log(), HasSubstr("only scripts are supported"));
  EXPECT_THAT(log(), HasSubstr("this is #cloud-config"));
}

TEST_F(InitTest, SaysThatTheInterpreterIsMissing) {
  boot("#!/bin/nothing\n");
  EXPECT_EQ(finished().exit_status, 127);
  EXPECT_THAT(log(), HasSubstr("cannot run"));
}

TEST_F(InitTest, WhatUserDataLeavesInTheBackgroundLivesOnAndIsReaped) {
  boot(
      "#!/bin/bash\nmkfifo /root/fifo\n"
      "(read line < /root/fifo; echo background got $line) &\n"
      "(exit 0) & disown\necho done\n");
  EXPECT_EQ(finished().state, UserDataState::succeeded);
  write_file(inside("/root/fifo"), "word\n");
  EXPECT_TRUE(eventually([&] { return log().find("background got word") != std::string::npos; }));
}

TEST_F(InitTest, PerBootScriptsRunAtEveryBootInOrderBeforeUserData) {
  const std::string scripts = inside("/var/lib/cloud/scripts/per-boot/");
  write_file(scripts + "20-second", "#!/bin/sh\necho second\n");
  write_file(scripts + "10-first", "#!/bin/sh\necho first; exit 1\n");
  write_file(scripts + "30-not-executable", "#!/bin/sh\necho never\n");
  ::chmod((scripts + "20-second").c_str(), 0755);
  ::chmod((scripts + "10-first").c_str(), 0755);
  boot("#!/bin/sh\necho third\n");
  EXPECT_EQ(finished().state, UserDataState::succeeded);
  const std::string text = log();
  EXPECT_LT(text.find("first\n"), text.find("second\n"));
  EXPECT_LT(text.find("second\n"), text.find("third\n"));
  EXPECT_THAT(text, AllOf(HasSubstr("10-first failed with status 1"), Not(HasSubstr("never"))));
  EXPECT_EQ(shut_down(), 0);
  fs::remove(console_path());
  boot("");
  EXPECT_TRUE(eventually([&] { return console().find("second\n") != std::string::npos; }));
}

TEST_F(InitTest, ShutsDownWhatTakesTheHintAndKillsTheRest) {
  boot(
      "#!/bin/bash\n"
      "bash -c 'trap \"echo orderly; exit\" TERM; echo willing; sleep 1000 & wait' &\n"
      "bash -c 'trap \"\" TERM; echo stubborn up; exec sleep 1000' &\n"
      "sleep 1000\n",
      "--stop-grace-ms 300");
  ASSERT_TRUE(eventually([&] {
    return log().find("stubborn up") != std::string::npos &&
           log().find("willing\n") != std::string::npos;
  }));
  EXPECT_EQ(shut_down(), 0);
  EXPECT_THAT(console(), AllOf(HasSubstr("shutting down"), HasSubstr("orderly")));
  // The user data itself was ended by the signal.
  EXPECT_EQ(parse_status(read_file(status_path())).exit_status, 128 + SIGTERM);
}

TEST_F(InitTest, OutputIsBounded) {
  boot("#!/bin/sh\nhead -c 20000000 /dev/zero | tr '\\0' x; echo end\n");
  EXPECT_EQ(finished().state, UserDataState::succeeded);
  EXPECT_THAT(log(), HasSubstr("the log is full"));
  EXPECT_LT(fs::file_size(inside("/var/log/cloud-init-output.log")), 16U * 1024 * 1024 + 1000);
  EXPECT_LT(fs::file_size(console_path()), 16U * 1024 * 1024 + 1000);
}

}  // namespace
}  // namespace weir::compute
