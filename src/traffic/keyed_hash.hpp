// A hash of bytes that others choose: SipHash-2-4 (Aumasson, Bernstein) under a secret key, so that
// nobody outside can make keys meet in one place of a table.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::traffic {

struct HashKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

[[nodiscard]] std::uint64_t keyed_hash(HashKey key, std::string_view bytes);

}  // namespace weir::traffic
