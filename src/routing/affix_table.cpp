#include "routing/affix_table.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace weir::routing {

const AffixTable::Slot* AffixTable::find(std::uint32_t hash, std::string_view text,
                                         Kind kind) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.number == empty) return nullptr;
    if (slot.hash == hash && (slot.is_whole != 0) == (kind == Kind::whole) &&
        std::string_view(texts_).substr(slot.text_offset, slot.text_bytes) == text)
      return &slot;
  }
}

void AffixTable::place(const Slot& slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = slot.hash & mask;
  while (slots_[at].number != empty) at = (at + 1) & mask;
  slots_[at] = slot;
}

void AffixTable::grow() {
  std::vector<Slot> old(slots_.empty() ? 8 : slots_.size() * 2);
  std::swap(old, slots_);
  for (const Slot& slot : old) {
    if (slot.number != empty) place(slot);
  }
}

std::uint32_t AffixTable::hash_of(std::string_view text) const {
  std::uint64_t running = hash_start;
  for (std::size_t i = 0; i < text.size(); ++i) running = step(running, byte_at(text, i));
  return finish(running);
}

std::optional<std::uint32_t> AffixTable::number_of(std::string_view text, Kind kind) const {
  if (count_ == 0) return std::nullopt;
  const Slot* slot = find(hash_of(text), text, kind);
  return slot == nullptr ? std::nullopt : std::optional<std::uint32_t>(slot->number);
}

std::uint32_t AffixTable::insert(std::string_view text, Kind kind) {
  WEIR_ASSERT(kind == Kind::whole || (!text.empty() && text.size() <= affix_bytes_max));
  const std::uint32_t hash = hash_of(text);
  if ((count_ + 1) * 4 > slots_.size() * 3) grow();
  if (const Slot* known = find(hash, text, kind)) return known->number;
  Slot slot;
  slot.hash = hash;
  slot.text_offset = static_cast<std::uint32_t>(texts_.size());
  slot.text_bytes = static_cast<std::uint32_t>(text.size()) & 0x7fffffffU;
  slot.is_whole = kind == Kind::whole ? 1 : 0;
  slot.number = static_cast<std::uint32_t>(count_++);
  place(slot);
  texts_ += text;
  if (kind == Kind::affix) {
    affix_lengths_.set(text.size());
    affix_bytes_longest_ = std::max(affix_bytes_longest_, text.size());
  } else {
    whole_bytes_longest_ = std::max(whole_bytes_longest_, text.size());
  }
  return slot.number;
}

}  // namespace weir::routing
