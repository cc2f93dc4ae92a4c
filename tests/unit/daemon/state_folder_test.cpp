#include "daemon/state_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "temporary_folder.hpp"

namespace weir::daemon {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

TEST(StateFolder, IsMadeWithItsParentsAndPrivate) {
  const TemporaryFolder base;
  const auto path = base.path() + "/a/b/weir";
  const auto folder = StateFolder::open(path);
  ASSERT_TRUE(folder.has_value()) << folder.error().message;
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_EQ(folder->file("weir.db"), path + "/weir.db");
}

TEST(StateFolder, OneThatIsOpenToOthersIsClosedToThem) {
  const TemporaryFolder base;
  const auto path = base.path() + "/weir";
  std::filesystem::create_directory(path);
  ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  ASSERT_TRUE(StateFolder::open(path).has_value());
  EXPECT_EQ(mode_of(path), 0700U);
}

TEST(StateFolder, IsHeldByOneDaemonAtATime) {
  const TemporaryFolder base;
  const auto path = base.path() + "/weir";
  {
    const auto first = StateFolder::open(path);
    ASSERT_TRUE(first.has_value());
    const auto second = StateFolder::open(path);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, "DaemonRuns");
    EXPECT_NE(second.error().message.find(path), std::string::npos);
  }
  EXPECT_TRUE(StateFolder::open(path).has_value());
}

TEST(StateFolder, ALinkOrAFileInItsPlaceIsRefused) {
  const TemporaryFolder base;
  const auto link = base.path() + "/link";
  std::filesystem::create_directory_symlink(base.path(), link);
  EXPECT_FALSE(StateFolder::open(link).has_value());
  const auto file = base.path() + "/file";
  ASSERT_EQ(::mknod(file.c_str(), S_IFREG | 0600, 0), 0);
  EXPECT_FALSE(StateFolder::open(file).has_value());
}

TEST(StateFolder, PathsAreMadeAbsolute) {
  EXPECT_EQ(*absolute_state_dir("/var/lib/weir/"), "/var/lib/weir");
  EXPECT_EQ(*absolute_state_dir("/var/lib/../lib/weir"), "/var/lib/weir");
  EXPECT_EQ(absolute_state_dir("here")->front(), '/');
  EXPECT_FALSE(absolute_state_dir("").has_value());
}

}  // namespace
}  // namespace weir::daemon
