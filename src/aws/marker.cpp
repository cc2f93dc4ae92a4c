// Markers of pages: the last key, behind a keyed digest of it.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "aws/service.hpp"
#include "base/assert.hpp"
#include "base/ids.hpp"
#include "model/base64.hpp"

namespace weir::aws {
namespace {

constexpr std::size_t tag_bytes = 16;
constexpr std::size_t marker_length_max = 4'096;

const std::string& marker_key() {
  static const std::string key = random_hex(64);
  return key;
}

std::string tag_of(std::string_view last_key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  const auto& key = marker_key();
  const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(last_key.data()), last_key.size(),
                          digest.data(), &length);
  WEIR_ASSERT(done != nullptr && length >= tag_bytes);
  return {reinterpret_cast<const char*>(digest.data()), tag_bytes};
}

}  // namespace

std::string make_marker(std::string_view last_key) {
  return model::base64_encode(tag_of(last_key).append(last_key));
}

Result<std::string> read_marker(std::string_view marker) {
  const auto bytes =
      marker.size() > marker_length_max ? std::nullopt : model::base64_decode(marker);
  if (bytes && bytes->size() >= tag_bytes) {
    auto key = bytes->substr(tag_bytes);
    if (CRYPTO_memcmp(tag_of(key).data(), bytes->data(), tag_bytes) == 0) return key;
  }
  return fail("BadMarker", "The marker is not one of this service, or of an earlier run of it");
}

}  // namespace weir::aws
