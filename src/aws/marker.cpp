// Markers of pages: the last key, behind a keyed digest of it.
#include "aws/service.hpp"
#include "aws/sigv4/digest.hpp"
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
  return hmac_sha256(marker_key(), last_key).substr(0, tag_bytes);
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
    if (equal_in_constant_time(tag_of(key), std::string_view(*bytes).substr(0, tag_bytes)))
      return key;
  }
  return fail("BadMarker", "The marker is not one of this service, or of an earlier run of it");
}

}  // namespace weir::aws
