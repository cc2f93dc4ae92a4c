#include "stacks/secrets.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "base/ids.hpp"

namespace weir::stacks {
namespace {

constexpr std::string_view scheme = "scrypt:";
constexpr std::size_t salt_digits = 32;
constexpr std::size_t digest_bytes = 32;
// RFC 7914: 16 MiB of memory for each try.
constexpr std::uint64_t cost = 16'384;
constexpr std::uint64_t block_size = 8;
constexpr std::uint64_t parallelism = 1;
constexpr std::uint64_t memory_bytes_max = 64U << 20U;

Result<std::string> seal_with(std::string_view salt, std::string_view secret) {
  std::array<unsigned char, digest_bytes> digest{};
  if (EVP_PBE_scrypt(secret.data(), secret.size(),
                     reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), cost,
                     block_size, parallelism, memory_bytes_max, digest.data(),
                     digest.size()) != 1) {
    return fail("InternalError", "the digest of a NoEcho parameter cannot be made");
  }
  return fmt::format("{}{}:{:02x}", scheme, salt, fmt::join(digest, ""));
}

}  // namespace

Result<std::string> seal(std::string_view secret) {
  return seal_with(random_hex(salt_digits), secret);
}

bool is_sealed_from(std::string_view sealed, std::string_view secret) {
  if (!sealed.starts_with(scheme)) return false;
  const std::string_view salt = sealed.substr(scheme.size(), salt_digits);
  const auto again = seal_with(salt, secret);
  return again && again->size() == sealed.size() &&
         CRYPTO_memcmp(again->data(), sealed.data(), sealed.size()) == 0;
}

}  // namespace weir::stacks
