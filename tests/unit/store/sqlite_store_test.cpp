// The real SQLite in a folder of the test's own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "store/store.hpp"

namespace weir::store {
namespace {

class SqliteStore : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "weir-store-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ / "weir.db"; }

  [[nodiscard]] std::unique_ptr<Store> open() const {
    auto store = open_sqlite(path());
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }

  std::filesystem::path folder_;
};

Change put(std::string kind, std::string key, std::string body) {
  return {std::move(kind), std::move(key), std::move(body)};
}

Change erase(std::string kind, std::string key) {
  return {std::move(kind), std::move(key), std::nullopt};
}

std::map<std::string, std::string> contents(Store& store) {
  std::map<std::string, std::string> out;
  const auto records = store.load();
  EXPECT_TRUE(records);
  for (const Record& record : *records) out[record.kind + "/" + record.key] = record.body;
  return out;
}

TEST_F(SqliteStore, KeepsWhatWasCommitted) {
  {
    const auto store = open();
    EXPECT_EQ(store->revision(), 0U);
    const std::vector<Change> first = {put("instance", "i-1", "{}"),
                                       put("vpc", "vpc-1", "{\"a\":1}"),
                                       put("instance", "i-2", "{}")};
    EXPECT_EQ(store->commit(first), 1U);
    const std::vector<Change> second = {erase("instance", "i-1"), put("vpc", "vpc-1", "{\"a\":2}"),
                                        erase("instance", "was never there")};
    EXPECT_EQ(store->commit(second), 2U);
  }
  const auto store = open();
  EXPECT_EQ(store->revision(), 2U);
  const std::map<std::string, std::string> expected = {{"instance/i-2", "{}"},
                                                       {"vpc/vpc-1", "{\"a\":2}"}};
  EXPECT_EQ(contents(*store), expected);
}

TEST_F(SqliteStore, LoadsInKindAndKeyOrderWithEveryByte) {
  const auto store = open();
  const std::string odd("a\0b'\";--\xff", 9);
  ASSERT_TRUE(
      store->commit(std::vector{put("b", "2", "x"), put("b", "1", odd), put("a", "9", "")}));
  const auto records = store->load();
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 3U);
  EXPECT_EQ((*records)[0].kind, "a");
  EXPECT_EQ((*records)[0].body, "");
  EXPECT_EQ((*records)[1].body, odd);
  EXPECT_EQ((*records)[2].key, "2");
}

TEST_F(SqliteStore, TellsTheWatcherAfterTheCommit) {
  const auto store = open();
  std::vector<std::string> seen;
  store->watch([&](std::uint64_t revision, std::span<const Change> changes) {
    for (const Change& change : changes) {
      seen.push_back(std::to_string(revision) + change.key + (change.body ? "+" : "-"));
    }
  });
  ASSERT_TRUE(store->commit(std::vector{put("k", "a", "1")}));
  ASSERT_TRUE(store->commit(std::vector{put("k", "b", "1"), erase("k", "a")}));
  EXPECT_EQ(seen, (std::vector<std::string>{"1a+", "2b+", "2a-"}));
}

TEST_F(SqliteStore, IsReadableByItsOwnerAlone) {
  const auto store = open();
  ASSERT_TRUE(store->commit(std::vector{put("k", "a", "secret")}));
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    struct stat status {};
    ASSERT_EQ(stat(file.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file.path();
  }
}

TEST_F(SqliteStore, RefusesASecondOpener) {
  const auto first = open();
  const auto second = open_sqlite(path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "StoreLocked");
  EXPECT_NE(second.error().message.find(path()), std::string::npos);
  EXPECT_TRUE(first->commit(std::vector{put("k", "a", "1")}));
}

TEST_F(SqliteStore, RefusesAnotherProcess) {
  const auto first = open();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto second = open_sqlite(path());
    _exit(!second && second.error().code == "StoreLocked" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(SqliteStore, RefusesWhatIsNoDatabase) {
  std::ofstream(path()) << std::string(5000, 'x');
  const auto store = open_sqlite(path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "StoreDamaged");
  EXPECT_NE(store.error().message.find(path()), std::string::npos);
}

TEST_F(SqliteStore, NamesDamage) {
  {
    const auto store = open();
    std::vector<Change> changes;
    for (int i = 0; i < 500; ++i) {
      changes.push_back(put("k", std::to_string(i), std::string(200, 'b')));
    }
    ASSERT_TRUE(store->commit(changes));
  }
  // Pages in the middle of the file, and not its header.
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path()));
  ASSERT_GT(size, 5 * 4096);
  file.seekp(4096);
  file << std::string(static_cast<std::size_t>(size) - 4096, '\x5a');
  file.close();
  const auto store = open_sqlite(path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "StoreDamaged");
}

// The user_version lies at offset 60 of the file, in big-endian order (SQLite file format §1.3).
TEST_F(SqliteStore, RefusesANewerSchema) {
  { const auto store = open(); }
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(60);
  file.write("\x00\x00\x00\x63", 4);
  file.close();
  const auto store = open_sqlite(path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "StoreTooNew");
  EXPECT_NE(store.error().message.find("99"), std::string::npos);
}

TEST_F(SqliteStore, NamesAFolderThatIsNotThere) {
  const auto store = open_sqlite(folder_ / "missing" / "weir.db");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("missing"), std::string::npos);
}

// Commits and reports each acknowledged number, until it is killed.
[[noreturn]] void commit_until_killed(const std::string& path, int report) {
  const auto store = open_sqlite(path);
  if (!store) _exit(2);
  for (std::uint32_t number = 1;; ++number) {
    const std::string text = std::to_string(number);
    const std::vector<Change> changes = {put("n", text, std::string(300, 'x')),
                                         put("last", "n", text)};
    if (!(*store)->commit(changes)) _exit(3);
    if (write(report, &number, sizeof number) != sizeof number) _exit(4);
  }
}

// Every acknowledged commit is there, and none in part.
TEST_F(SqliteStore, SurvivesKillInTheMidstOfCommits) {
  std::uint32_t before = 0;
  for (int round = 0; round < 3; ++round) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    std::array<int, 2> report{};
    ASSERT_EQ(pipe2(report.data(), O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) commit_until_killed(path(), report[1]);
    close(report[1]);

    const std::uint32_t kill_after = 200 + static_cast<std::uint32_t>(round) * 37;
    std::uint32_t acknowledged = 0;
    bool is_killed = false;
    for (std::uint32_t number = 0; read(report[0], &number, sizeof number) == sizeof number;) {
      acknowledged = number;
      if (number >= kill_after && !is_killed) {
        ASSERT_EQ(kill(child, SIGKILL), 0);
        is_killed = true;
      }
    }
    close(report[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;

    const auto store = open();
    ASSERT_NE(store, nullptr);
    const auto found = contents(*store);
    const auto last = static_cast<std::uint32_t>(std::stoul(found.at("last/n")));
    EXPECT_GE(last, acknowledged);
    EXPECT_LE(last, acknowledged + 1);
    EXPECT_EQ(store->revision(), last);
    EXPECT_EQ(found.size(), last + 1);
    for (std::uint32_t number = 1; number <= last; ++number) {
      EXPECT_TRUE(found.contains("n/" + std::to_string(number))) << number;
    }
    EXPECT_NE(acknowledged, before);
    before = acknowledged;
  }
}

}  // namespace
}  // namespace weir::store
