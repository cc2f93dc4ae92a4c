// tar does the unpacking; it is told what is in the archive's own words twice. A first run lists
// the members, so that an archive with absolute names or with ".." is refused before anything is
// written, and device nodes are named for the second run to leave out. GNU tar itself makes links
// that lead out of the directory last, so no member is written through one.
#include "compute/image_import.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "compute/image_tree.hpp"

namespace weir::compute {
namespace {

constexpr std::uint64_t members_max = 4'000'000;
constexpr std::uint64_t unpacked_bytes_max = 128ULL << 30;

std::unexpected<Error> invalid(std::string message, std::string hint = {}) {
  return fail("InvalidImage", std::move(message), std::move(hint));
}

// A tar process with its standard output in `output` and what it complained about in `errors`.
class Tar {
 public:
  // `extra` (not -1) becomes the process's descriptor 3.
  Status start(std::vector<std::string> arguments, int extra = -1);
  // Waits for its end; the first complaint becomes the error's message.
  Status finish();
  [[nodiscard]] int output() const { return output_.get(); }

 private:
  [[nodiscard]] std::string complaint() const;

  Fd output_;
  Fd errors_;
  pid_t pid_ = -1;
};

Status Tar::start(std::vector<std::string> arguments, int extra) {
  arguments.insert(arguments.begin(), "tar");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // No TAR_OPTIONS from outside, and messages that can be read.
  std::array<std::string, 2> variables = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  std::array<char*, 3> environment = {variables[0].data(), variables[1].data(), nullptr};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe", errno);
  output_ = Fd(ends[0]);
  const Fd write_end(ends[1]);
  errors_ = Fd(::memfd_create("tar", MFD_CLOEXEC));
  if (!errors_) return fail_errno("memfd_create", errno);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, errors_.get(), 2);
  if (extra >= 0) ::posix_spawn_file_actions_adddup2(&actions, extra, 3);
  const int error =
      ::posix_spawnp(&pid_, "tar", &actions, nullptr, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail_errno("cannot run tar", error);
  return {};
}

std::string Tar::complaint() const {
  std::array<char, 300> text{};
  const ssize_t got = ::pread(errors_.get(), text.data(), text.size(), 0);
  const std::string_view all(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return std::string(all.substr(0, all.find('\n')));
}

Status Tar::finish() {
  output_.reset();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return invalid("the archive cannot be unpacked: " + complaint());
}

// One line of `tar --list --verbose`: type and mode, owner, size, date, time, name.
struct Member {
  char type = 0;
  std::uint64_t bytes = 0;
  std::string_view name;  // escaped as in C where it holds unusual characters
};

Member parse_member(std::string_view line) {
  Member member;
  if (line.empty()) return member;
  member.type = line.front();
  for (int field = 0; field < 5; ++field) {
    const auto end = line.find(' ');
    if (end == std::string_view::npos) return member;
    const auto text = line.substr(0, end);
    if (field == 2) std::from_chars(text.data(), text.data() + text.size(), member.bytes);
    const auto next = line.find_first_not_of(' ', end);
    line.remove_prefix(field == 4 ? end + 1 : std::min(next, line.size()));
  }
  member.name = line;
  return member;
}

bool has_parent_component(std::string_view name) {
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}

// What the listing says: which members to leave out, or why the archive is refused.
class Listing {
 public:
  Status take(std::string_view line) {
    const Member member = parse_member(line);
    if (member.name.empty()) return invalid("the archive's listing cannot be read");
    if (++members_ > members_max) return invalid("the archive has too many members");
    bytes_ += member.bytes;
    if (bytes_ > unpacked_bytes_max) return invalid("the archive is too large when unpacked");
    if (member.name.front() == '/') {
      return invalid("absolute name in the archive: " + std::string(member.name.substr(0, 200)),
                     "Make it with `tar -C ROOTFS -cf rootfs.tar .`");
    }
    const bool is_link = member.type == 'l' || member.type == 'h';
    const auto name =
        member.name.substr(0, is_link ? member.name.find(member.type == 'l' ? " -> " : " link to ")
                                      : std::string::npos);
    if (has_parent_component(name)) {
      return invalid("name with \"..\" in the archive: " + std::string(name.substr(0, 200)));
    }
    if (member.type != 'c' && member.type != 'b') return {};
    if (name.find('\\') != std::string_view::npos) {
      return invalid("device node with an unusual name in the archive");
    }
    left_out_ += std::string(name) + "\n";
    return {};
  }
  [[nodiscard]] const std::string& left_out() const { return left_out_; }

 private:
  std::uint64_t members_ = 0;
  std::uint64_t bytes_ = 0;
  std::string left_out_;
};

// Reads lines until the end or the first that `listing` refuses.
Status read_listing(int fd, Listing& listing) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> lines(
      ::fdopen(::fcntl(fd, F_DUPFD_CLOEXEC, 0), "r"), std::fclose);
  if (!lines) return fail_errno("fdopen", errno);
  char* line = nullptr;
  std::size_t capacity = 0;
  Status status;
  while (status) {
    const ssize_t length = ::getline(&line, &capacity, lines.get());
    if (length <= 0) break;
    const auto end = static_cast<std::size_t>(length) - (line[length - 1] == '\n' ? 1U : 0U);
    status = listing.take({line, end});
  }
  std::free(line);
  return status;
}

// The device nodes of the archive, a line each.
Result<std::string> members_to_leave_out(const std::string& tar_path) {
  Tar tar;
  auto started = tar.start({"--list", "--verbose", "--numeric-owner", "--quoting-style=escape",
                            "--absolute-names", "--force-local", "--file=" + tar_path});
  if (!started) return std::unexpected(started.error());
  Listing listing;
  const auto read = read_listing(tar.output(), listing);
  const auto finished = tar.finish();
  if (!read) return std::unexpected(read.error());
  if (!finished) return std::unexpected(finished.error());
  return listing.left_out();
}

Status check_root(const std::string& root) {
  auto tree = ImageTree::open(root);
  if (!tree) return std::unexpected(tree.error());
  struct stat status {};
  if (::lstat((root + "/bin/sh").c_str(), &status) != 0 &&
      ::lstat((root + "/usr/bin/sh").c_str(), &status) != 0) {
    return invalid("the archive is not a root file system: it has no bin/sh",
                   "Make it with `tar -C ROOTFS -cf rootfs.tar .`, or `docker export`");
  }
  for (const char* mount_point : {"dev", "proc", "run", "sys", "tmp"}) {
    if (auto made = tree->directory(mount_point); !made) {
      return invalid(std::string("not a directory in the archive: ") + mount_point);
    }
  }
  return {};
}

}  // namespace

Status unpack_image(const std::string& tar_path, const std::string& root) {
  struct stat status {};
  if (::stat(tar_path.c_str(), &status) != 0) return fail_errno("cannot read " + tar_path, errno);
  if (!S_ISREG(status.st_mode)) return invalid(tar_path + " is not a file");
  const auto left_out = members_to_leave_out(tar_path);
  if (!left_out) return std::unexpected(left_out.error());
  const Fd exclude(::memfd_create("exclude", MFD_CLOEXEC));
  if (!exclude || ::write(exclude.get(), left_out->data(), left_out->size()) < 0) {
    return fail_errno("cannot hold the list of members", errno);
  }
  std::vector<std::string> arguments = {"--extract",
                                        "--preserve-permissions",
                                        "--numeric-owner",
                                        "--force-local",
                                        "--anchored",
                                        "--no-wildcards",
                                        "--exclude-from=/proc/self/fd/3",
                                        "--directory=" + root,
                                        "--file=" + tar_path};
  if (::geteuid() == 0) arguments.emplace_back("--xattrs-include=security.capability");
  Tar tar;
  auto unpacked = tar.start(std::move(arguments), exclude.get());
  if (unpacked) unpacked = tar.finish();
  return unpacked ? check_root(root) : unpacked;
}

}  // namespace weir::compute
