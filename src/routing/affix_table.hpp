// Texts found by what a subject is, or by how it begins (or ends), at a cost that does not grow
// with their number.
//
// One hash runs over the subject from its first byte (from its last, for suffixes). At each length
// that some stored affix has, and at the end for whole texts, the table is asked; a bit set of
// lengths keeps the questions few. Keys come from the configuration, so no request can fill a
// bucket; every hit is compared byte by byte.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::routing {

class AffixTable {
 public:
  enum class End : std::uint8_t { front, back };  // where affixes are tied to
  enum class Kind : std::uint8_t { affix, whole };
  static constexpr std::size_t affix_bytes_max = 255;  // longer ones are the caller's to cut

  explicit AffixTable(End end) : end_(end) {}

  // The number of this key, counted from 0 in order of first insertion. An affix is not empty.
  std::uint32_t insert(std::string_view text, Kind kind);
  // Of a text that has been inserted.
  [[nodiscard]] std::optional<std::uint32_t> number_of(std::string_view text, Kind kind) const;
  [[nodiscard]] std::size_t size() const { return count_; }

  // Calls visit(number) for each stored affix of `subject`, and for `subject` stored whole.
  template <typename Visit>
  void visit_matches(std::string_view subject, Visit visit) const {
    if (count_ == 0) return;
    const bool may_be_whole = subject.size() <= whole_bytes_longest_;
    const std::size_t stop =
        may_be_whole ? subject.size() : std::min(subject.size(), affix_bytes_longest_);
    std::uint64_t hash = hash_start;
    for (std::size_t length = 1; length <= stop; ++length) {
      hash = step(hash, byte_at(subject, length - 1));
      if (length > affix_bytes_max || !affix_lengths_[length]) continue;
      if (const Slot* slot = find(finish(hash), affix_of(subject, length), Kind::affix))
        visit(slot->number);
    }
    if (!may_be_whole) return;
    if (const Slot* slot = find(finish(hash), subject, Kind::whole)) visit(slot->number);
  }

 private:
  static constexpr std::uint32_t empty = ~std::uint32_t{0};
  struct Slot {  // 16 bytes: of ten thousand keys all slots stay in a core's own cache
    std::uint32_t hash = 0;
    std::uint32_t text_offset = 0;
    std::uint32_t number = empty;
    std::uint32_t text_bytes : 31 = 0;
    std::uint32_t is_whole : 1 = 0;
  };
  static constexpr std::uint64_t hash_start = 0xcbf29ce484222325;  // FNV-1a

  static std::uint64_t step(std::uint64_t hash, char byte) {
    return (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  [[nodiscard]] char byte_at(std::string_view text, std::size_t i) const {
    return end_ == End::front ? text[i] : text[text.size() - 1 - i];
  }
  [[nodiscard]] std::string_view affix_of(std::string_view text, std::size_t bytes) const {
    return end_ == End::front ? text.substr(0, bytes) : text.substr(text.size() - bytes);
  }
  static std::uint32_t finish(std::uint64_t hash) {
    return static_cast<std::uint32_t>(((hash ^ (hash >> 32U)) * 0x9e3779b97f4a7c15) >> 32U);
  }
  [[nodiscard]] std::uint32_t hash_of(std::string_view text) const;
  [[nodiscard]] const Slot* find(std::uint32_t hash, std::string_view text, Kind kind) const;
  void place(const Slot& slot);
  void grow();

  End end_;
  std::vector<Slot> slots_;  // a power of two, at most three quarters full, linear probing
  std::string texts_;        // of all keys, one after the other
  std::size_t count_ = 0;
  std::bitset<affix_bytes_max + 1> affix_lengths_;
  std::size_t affix_bytes_longest_ = 0;
  std::size_t whole_bytes_longest_ = 0;
};

}  // namespace weir::routing
