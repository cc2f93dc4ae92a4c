#include "telemetry/log_entry.hpp"

#include <cstring>
#include <type_traits>

namespace weir::telemetry {

static_assert(std::is_trivially_copyable_v<EntryNumbers>);

void pack(const LogEntry& entry, std::string& out) {
  out.assign(reinterpret_cast<const char*>(&entry.numbers), sizeof entry.numbers);
  for (const std::string_view text : entry.texts) {
    const auto size = static_cast<std::uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof size);
    out.append(text);
  }
}

LogEntry unpack(std::string_view bytes) {
  LogEntry entry;
  std::memcpy(&entry.numbers, bytes.data(), sizeof entry.numbers);
  bytes.remove_prefix(sizeof entry.numbers);
  for (std::string_view& text : entry.texts) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    text = bytes.substr(sizeof size, size);
    bytes.remove_prefix(sizeof size + size);
  }
  return entry;
}

}  // namespace weir::telemetry
