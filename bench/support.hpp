// What the benchmark programs share: options, descriptors, the body pattern.
//
// The programs stand alone: relay, back end and load generator use nothing of Weir's own network
// code, so that a fault in it cannot hide in what measures it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace weir::bench {

// Ends the program with `what` and the text of errno.
[[noreturn]] void die(const std::string& what);
[[noreturn]] void usage_error(const std::string& what);

// `--name value` pairs. An option that is not among `known`, or lacks its value, ends the program.
class Options {
 public:
  Options(int argc, char** argv, std::vector<std::string> known);
  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] std::string text(const std::string& name, std::string otherwise) const;
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

// Raises the soft limit of descriptors to the hard one; returns it.
std::size_t raise_descriptor_limit();

// A listening socket on 127.0.0.1; port 0 lets the kernel choose. TCP_NODELAY is set: accepted
// sockets inherit it.
[[nodiscard]] Fd listen_on_loopback(std::uint16_t port, bool non_blocking);
[[nodiscard]] std::uint16_t port_of(int fd);
// Tells bench/run on standard output that the program serves: "listening PORT".
void announce(std::uint16_t port);

[[nodiscard]] std::int64_t monotonic_ns();

// Bodies are a repeated pattern, so that any piece of one can be checked without keeping it: byte
// `offset` of a body is `offset % pattern_period`. The period is prime: a lost or repeated buffer
// of any usual size shifts it.
constexpr std::size_t pattern_period = 251;
// At least `pattern_bytes_max` bytes of pattern from offset `offset % pattern_period`.
constexpr std::size_t pattern_bytes_max = 1 << 20;
[[nodiscard]] const char* pattern_from(std::uint64_t offset);
// Looks at the first and last byte of a piece of body that begins at `offset`.
[[nodiscard]] bool is_pattern(std::string_view piece, std::uint64_t offset);

// The value of a header field in a head whose lines end with CRLF; `name` in lower case with its
// colon. Empty where it is missing.
[[nodiscard]] std::string_view header_value(std::string_view head, std::string_view name);

// Decimal digits alone; false otherwise.
[[nodiscard]] bool parse_decimal(std::string_view text, std::uint64_t& value);

}  // namespace weir::bench
