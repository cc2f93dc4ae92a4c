// Which encoding of a response a client prefers (RFC 9110 §12.5.3).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::traffic {

enum class Encoding : std::uint8_t { identity, br, gzip, zstd };

[[nodiscard]] std::string_view name_of(Encoding encoding);

// The best of `offered` (in our order of preference) by the value of Accept-Encoding: the highest
// weight wins, among equals the first offered. Identity where none is acceptable, or where the
// client gives identity a higher weight than all of them. What has no valid form is passed over,
// never guessed at. "x-gzip" is gzip. No allocation.
[[nodiscard]] Encoding negotiate(std::string_view accept_encoding,
                                 std::span<const Encoding> offered);

}  // namespace weir::traffic
