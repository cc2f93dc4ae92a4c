#include "telemetry/entry.hpp"

namespace weir::telemetry {

void pack_bytes(LogKind kind, std::string_view numbers, std::span<const std::string_view> texts,
                std::string& out) {
  out.assign(1, static_cast<char>(kind));
  out.append(numbers);
  for (const std::string_view text : texts) {
    const auto size = static_cast<std::uint32_t>(text.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof size);
    out.append(text);
  }
}

void unpack_texts(std::string_view bytes, std::span<std::string_view> texts) {
  for (std::string_view& text : texts) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    text = bytes.substr(sizeof size, size);
    bytes.remove_prefix(sizeof size + size);
  }
}

}  // namespace weir::telemetry
