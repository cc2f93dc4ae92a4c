// The holder's small parts, each with the real kernel: packets with descriptors, removal of hostile
// folders, recognising a process.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "compute/process.hpp"
#include "compute/tree.hpp"
#include "compute/wire.hpp"

namespace weir::compute {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "weir-unit-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Wire, PacketsKeepTheirBordersAndDescriptors) {
  auto pair = packet_socket_pair();
  ASSERT_TRUE(pair);
  prepare_packet_socket(pair->first.get());
  const Folder folder;
  const Fd file(open((folder.path() + "/file").c_str(), O_RDWR | O_CREAT, 0600));
  const std::array fds{file.get(), file.get()};
  const std::string large(packet_bytes_max, 'x');
  ASSERT_TRUE(send_packet(pair->first.get(), "one", fds));
  auto one = receive_packet(pair->second.get());
  ASSERT_TRUE(send_packet(pair->first.get(), large));
  auto two = receive_packet(pair->second.get());
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->bytes, "one");
  ASSERT_EQ(one->fds.size(), 2U);
  EXPECT_EQ(fcntl(one->fds[0].get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(two->bytes, large);
  pair->first.reset();
  EXPECT_EQ(receive_packet(pair->second.get()).error().code, "PeerClosed");
}

TEST(Wire, TooMuchIsAnError) {
  auto pair = packet_socket_pair();
  ASSERT_TRUE(pair);
  const std::string too_large(packet_bytes_max + 1, 'x');
  EXPECT_EQ(send_packet(pair->first.get(), too_large).error().code, "MessageTooLarge");
}

TEST(Tree, LinksAreRemovedNotFollowed) {
  const Folder folder;
  fs::create_directories(folder.path() + "/outside");
  std::ofstream(folder.path() + "/outside/kept") << "x";
  fs::create_directories(folder.path() + "/top/inner");
  fs::create_directory_symlink(folder.path() + "/outside", folder.path() + "/top/inner/link");
  ASSERT_TRUE(remove_tree(folder.path(), "top"));
  EXPECT_FALSE(fs::exists(folder.path() + "/top"));
  EXPECT_TRUE(fs::exists(folder.path() + "/outside/kept"));
}

TEST(Tree, FolderThatIsALinkIsRefused) {
  const Folder folder;
  fs::create_directories(folder.path() + "/outside");
  std::ofstream(folder.path() + "/outside/kept") << "x";
  fs::create_directory_symlink(folder.path() + "/outside", folder.path() + "/top");
  EXPECT_FALSE(remove_tree(folder.path(), "top"));
  EXPECT_TRUE(fs::exists(folder.path() + "/outside/kept"));
}

TEST(Tree, AnyDepthIsRemoved) {
  const Folder folder;
  const Fd start(open(folder.path().c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(mkdirat(start.get(), "top", 0755), 0);
  Fd at(openat(start.get(), "top", O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(mkdirat(at.get(), "d", 0755), 0);
    at = Fd(openat(at.get(), "d", O_RDONLY | O_DIRECTORY));
  }
  at.reset();
  ASSERT_TRUE(remove_tree(folder.path(), "top"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Tree, WhatIsNotThereIsNoError) {
  const Folder folder;
  EXPECT_TRUE(remove_tree(folder.path(), "nothing"));
  EXPECT_TRUE(remove_tree(folder.path() + "/nothing", "at-all"));
}

TEST(Process, DescriptorsArriveInOrderAndNoOther) {
  const Folder folder;
  const std::string path = folder.path() + "/out";
  const Fd out(open(path.c_str(), O_RDWR | O_CREAT, 0600));
  const Fd leaked(open("/dev/null", O_RDONLY));  // without close-on-exec, on purpose
  const auto pid = start_process(
      {"/bin/sh", {"sh", "-c", "ls /proc/$$/fd; echo $NAME"}, {"NAME=value"}, {-1, out.get(), -1}});
  ASSERT_TRUE(pid);
  int status = 0;
  ASSERT_EQ(waitpid(*pid, &status, 0), *pid);
  EXPECT_EQ(exit_status_of(status), 0);
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(text, "0\n1\n2\nvalue\n");
}

TEST(Process, IsRecognisedUntilItEnds) {
  const auto pid = start_process({"/bin/sleep", {"sleep", "60"}, {}, {-1, -1, -1}});
  ASSERT_TRUE(pid);
  const auto identity = identify(*pid);
  ASSERT_TRUE(identity);
  auto pidfd = open_process(*identity);
  ASSERT_TRUE(pidfd);
  EXPECT_FALSE(open_process({*pid, identity->start_time + 1}));  // the number, used again
  EXPECT_FALSE(wait_for_end(pidfd->get(), 0));
  signal_process(pidfd->get(), SIGKILL);
  EXPECT_TRUE(wait_for_end(pidfd->get(), 5'000));
  int status = 0;
  ASSERT_EQ(waitpid(*pid, &status, 0), *pid);
  EXPECT_EQ(exit_status_of(status), 137);
  EXPECT_FALSE(open_process(*identity));
}

}  // namespace
}  // namespace weir::compute
