#include "support.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace weir::bench {

void die(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

void usage_error(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(2);
}

Options::Options(int argc, char** argv, std::vector<std::string> known) {
  for (int i = 1; i < argc; i += 2) {
    const std::string word = argv[i];
    const std::string name = word.starts_with("--") ? word.substr(2) : "";
    if (std::ranges::find(known, name) == known.end()) usage_error("unknown option " + word);
    if (i + 1 == argc) usage_error(word + " wants a value");
    values_[name] = argv[i + 1];
  }
}

std::string Options::text(const std::string& name, std::string otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::move(otherwise) : found->second;
}

std::uint64_t Options::number(const std::string& name, std::uint64_t otherwise) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return otherwise;
  std::uint64_t value = 0;
  if (!parse_decimal(found->second, value)) usage_error("--" + name + " wants a number");
  return value;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit");
  return static_cast<std::size_t>(limit.rlim_cur);
}

Fd listen_on_loopback(std::uint16_t port, bool non_blocking) {
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0);
  Fd fd(socket(AF_INET, type, 0));
  if (!fd) die("socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(fd.get(), 4096) != 0) die("listen");
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) die("getsockname");
  return ntohs(address.sin_port);
}

void announce(std::uint16_t port) {
  std::printf("listening %u\n", port);
  std::fflush(stdout);
}

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

const char* pattern_from(std::uint64_t offset) {
  static const std::vector<char> pattern = [] {
    std::vector<char> bytes(pattern_bytes_max + pattern_period);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % pattern_period);
    return bytes;
  }();
  return pattern.data() + offset % pattern_period;
}

bool is_pattern(std::string_view piece, std::uint64_t offset) {
  if (piece.empty()) return true;
  const std::uint64_t last = offset + piece.size() - 1;
  return piece.front() == static_cast<char>(offset % pattern_period) &&
         piece.back() == static_cast<char>(last % pattern_period);
}

std::string_view header_value(std::string_view head, std::string_view name) {
  for (std::size_t line = head.find("\r\n"); line != std::string_view::npos;) {
    const std::size_t begin = line + 2;
    const std::size_t end = head.find("\r\n", begin);
    std::string_view field = head.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (field.size() >= name.size() && (field[0] | 0x20) == name[0] &&
        strncasecmp(field.data(), name.data(), name.size()) == 0) {
      field.remove_prefix(name.size());
      while (field.starts_with(' ') || field.starts_with('\t')) field.remove_prefix(1);
      while (field.ends_with(' ') || field.ends_with('\t')) field.remove_suffix(1);
      return field;
    }
    line = end;
  }
  return {};
}

bool parse_decimal(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace weir::bench
