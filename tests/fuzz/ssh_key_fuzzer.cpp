// A public key on hostile bytes: one that is taken is of a known type, is one line, and that line,
// read again, gives the same line and fingerprint.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "control/ssh_keys.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(std::string_view text) {
  const auto key = weir::control::read_ssh_key(text, "name");
  if (!key) {
    require(key.error().code == "InvalidKey.Format");
    return;
  }
  require(key->type == "rsa" || key->type == "ed25519");
  require(key->line.find('\n') == std::string::npos && key->line.ends_with(" name"));
  const auto again = weir::control::read_ssh_key(key->line, "name");
  require(again.has_value() && again->line == key->line && again->fingerprint == key->fingerprint);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({reinterpret_cast<const char*>(data), size});
  return 0;
}
