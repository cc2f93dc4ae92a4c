// Which encoding of a response a client prefers (RFC 9110 §12.5.3).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::traffic {

enum class Encoding : std::uint8_t { identity, br, gzip, zstd };

[[nodiscard]] std::string_view name_of(Encoding encoding);

// What the lines of Accept-Encoding in a request's head say together. What has no valid form is
// passed over, never guessed at. "x-gzip" is gzip. No allocation.
class AcceptEncoding {
 public:
  // The value of one line; its items are as those of one list (RFC 9110 §5.3).
  void add(std::string_view value);
  // The best of `offered` (in our order of preference): the highest weight wins, among equals the
  // first offered. Identity where none is acceptable, or where the client gives identity a higher
  // weight than all of them.
  [[nodiscard]] Encoding best_of(std::span<const Encoding> offered) const;

 private:
  static constexpr int unset = -1;

  void take(std::string_view item);
  [[nodiscard]] int weight(Encoding encoding) const;

  std::array<int, 4> weights_ = {unset, unset, unset, unset};  // by Encoding, in thousandths
  int weight_of_others_ = unset;                               // "*"
};

}  // namespace weir::traffic
