#include "daemon/admin_token.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.hpp"

namespace weir::daemon {
namespace {

constexpr const char* how_to_make_one =
    "make one: (umask 077; openssl rand -hex 32 > FILE), then --admin-token-file FILE";

std::unexpected<Error> unusable(const std::string& file, std::string_view why) {
  return fail("AdminToken", fmt::format("the token file {} {}", file, why), how_to_make_one);
}

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

Result<std::string> read_admin_token(const std::string& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail_errno("cannot open the token file " + file, errno, how_to_make_one);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno("cannot look at " + file, errno);
  if (!S_ISREG(info.st_mode)) return unusable(file, "is not a regular file");
  if (info.st_uid != ::geteuid()) return unusable(file, "belongs to another user");
  if ((info.st_mode & 0077) != 0) {
    return unusable(file, fmt::format("can be used by others (mode {:04o}); chmod 600 it",
                                      info.st_mode & 07777U));
  }
  std::string token(admin_token_bytes_max + 2, '\0');
  const ssize_t got = ::pread(fd.get(), token.data(), token.size(), 0);
  if (got < 0) return fail_errno("cannot read " + file, errno);
  token.resize(static_cast<std::size_t>(got));
  if (token.ends_with('\n')) token.pop_back();
  if (token.ends_with('\r')) token.pop_back();
  if (token.size() < admin_token_bytes_min || token.size() > admin_token_bytes_max ||
      !std::ranges::all_of(token, is_visible)) {
    return unusable(file, fmt::format("must hold one line of {} to {} visible ASCII characters",
                                      admin_token_bytes_min, admin_token_bytes_max));
  }
  return token;
}

bool is_authorized(std::string_view authorization, std::string_view token) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() != scheme.size() + token.size()) return false;
  const bool is_bearer =
      std::ranges::equal(authorization.substr(0, scheme.size()), scheme, [](char got, char lower) {
        return (got >= 'A' && got <= 'Z' ? static_cast<char>(got | 0x20) : got) == lower;
      });
  return is_bearer &&
         CRYPTO_memcmp(authorization.data() + scheme.size(), token.data(), token.size()) == 0;
}

}  // namespace weir::daemon
