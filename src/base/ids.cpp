#include "base/ids.hpp"

#include <sys/random.h>

#include <array>

#include "base/assert.hpp"

namespace weir {
namespace {

void fill_random(void* out, std::size_t size) {
  auto* bytes = static_cast<unsigned char*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(bytes, size, 0);
    if (got < 0) continue;  // EINTR; with flags 0 nothing else can happen
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  fill_random(&value, sizeof value);
  return value;
}

std::string random_hex(std::size_t digits) {
  static constexpr std::string_view alphabet = "0123456789abcdef";
  std::string out(digits, '0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (i % 16 == 0) bits = random_u64();
    out[i] = alphabet[bits & 15U];
    bits >>= 4U;
  }
  return out;
}

std::string make_ec2_id(std::string_view prefix) { return std::string(prefix) + random_hex(17); }

std::string random_decimal(std::size_t digits) {
  WEIR_ASSERT(digits > 0);
  std::string out;
  out += static_cast<char>('1' + random_u64() % 9);
  while (out.size() < digits) out += static_cast<char>('0' + random_u64() % 10);
  return out;
}

}  // namespace weir
