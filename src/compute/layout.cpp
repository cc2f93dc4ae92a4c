#include "compute/layout.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace weir::compute {
namespace {

// FNV-1a, 64 bits: the tag must come out the same in every process and version.
std::uint64_t hash(const std::string& text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) {
    value ^= static_cast<unsigned char>(c);
    value *= 0x100000001b3U;
  }
  return value;
}

}  // namespace

Result<Layout> Layout::of(const std::string& state_dir) {
  if (state_dir.empty() || state_dir.front() != '/') {
    return fail("InvalidStateDir", "the state folder must be an absolute path: " + state_dir);
  }
  if (state_dir.find_first_of(",:\\\n") != std::string::npos) {
    return fail("InvalidStateDir",
                "the state folder's path holds a comma, colon, backslash or line break, which an "
                "overlay mount cannot take: " +
                    state_dir,
                "choose another folder with --state");
  }
  Layout layout;
  layout.state_dir = state_dir;
  while (layout.state_dir.size() > 1 && layout.state_dir.back() == '/') {
    layout.state_dir.pop_back();
  }
  layout.tag = fmt::format("{:06x}", hash(layout.state_dir) >> 40U);
  return layout;
}

}  // namespace weir::compute
