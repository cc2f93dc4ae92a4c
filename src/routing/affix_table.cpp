#include "routing/affix_table.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace weir::routing {

std::size_t AffixTable::home_of(std::uint64_t hash) const {
  const std::uint64_t mixed = (hash ^ (hash >> 32U)) * 0x9e3779b97f4a7c15;
  return (mixed >> 32U) & (slots_.size() - 1);
}

const AffixTable::Slot* AffixTable::find(std::uint64_t hash, std::string_view text,
                                         Kind kind) const {
  for (std::size_t at = home_of(hash);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.number == empty) return nullptr;
    if (slot.hash == hash && slot.kind == kind &&
        std::string_view(texts_).substr(slot.text_offset, slot.text_bytes) == text)
      return &slot;
  }
}

void AffixTable::place(const Slot& slot) {
  std::size_t at = home_of(slot.hash);
  while (slots_[at].number != empty) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

void AffixTable::grow() {
  std::vector<Slot> old(slots_.empty() ? 8 : slots_.size() * 2);
  std::swap(old, slots_);
  for (const Slot& slot : old) {
    if (slot.number != empty) place(slot);
  }
}

std::uint32_t AffixTable::insert(std::string_view text, Kind kind) {
  WEIR_ASSERT(kind == Kind::whole || (!text.empty() && text.size() <= affix_bytes_max));
  std::uint64_t hash = hash_start;
  for (std::size_t i = 0; i < text.size(); ++i) hash = step(hash, byte_at(text, i));
  if (count_ * 2 >= slots_.size()) grow();
  if (const Slot* known = find(hash, text, kind)) return known->number;
  const auto number = static_cast<std::uint32_t>(count_++);
  place({hash, static_cast<std::uint32_t>(texts_.size()), static_cast<std::uint32_t>(text.size()),
         number, kind});
  texts_ += text;
  if (kind == Kind::affix) {
    affix_lengths_.set(text.size());
    affix_bytes_longest_ = std::max(affix_bytes_longest_, text.size());
  } else {
    whole_bytes_longest_ = std::max(whole_bytes_longest_, text.size());
  }
  return number;
}

}  // namespace weir::routing
