#include "auth/sealed_text.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "auth/base64url.hpp"
#include "base/assert.hpp"
#include "http/cookies.hpp"

namespace weir::auth {
namespace {

constexpr std::size_t id_bytes = 4;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t text_at = id_bytes + nonce_bytes;
constexpr std::size_t sealed_chars_max = shards_max * shard_bytes_max;

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

unsigned char* bytes_of(std::string& text, std::size_t at) {
  return reinterpret_cast<unsigned char*>(text.data() + at);
}
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A zero byte ends the purpose, which has none.
std::string authenticated(const Seal& seal) {
  std::string out(seal.purpose);
  out.push_back('\0');
  return out.append(seal.scope);
}

int size_of(std::string_view text) { return static_cast<int>(text.size()); }

bool encrypt(std::string& bytes, std::string_view text, const std::string& about,
             const SealingKey& key) {
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  return context &&
         EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.key.data(),
                            bytes_of(bytes, id_bytes)) == 1 &&
         EVP_EncryptUpdate(context.get(), nullptr, &size, bytes_of(about), size_of(about)) == 1 &&
         EVP_EncryptUpdate(context.get(), bytes_of(bytes, text_at), &size, bytes_of(text),
                           size_of(text)) == 1 &&
         EVP_EncryptFinal_ex(context.get(), bytes_of(bytes, text_at + text.size()), &size) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes,
                             bytes_of(bytes, text_at + text.size())) == 1;
}

bool decrypt(std::string& text, std::string& bytes, const std::string& about,
             const SealingKey& key) {
  const Context context(EVP_CIPHER_CTX_new());
  const std::size_t text_bytes = bytes.size() - text_at - tag_bytes;
  text.resize(text_bytes + tag_bytes);  // room for what the final call might write
  int size = 0;
  const bool is_ours =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.key.data(),
                         bytes_of(bytes, id_bytes)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, bytes_of(about), size_of(about)) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes_of(text, 0), &size, bytes_of(bytes, text_at),
                        static_cast<int>(text_bytes)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes,
                          bytes_of(bytes, text_at + text_bytes)) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes_of(text, text_bytes), &size) == 1;
  text.resize(text_bytes);
  return is_ours;
}

// The number of a shard of this cookie; nothing where it is none.
std::optional<std::size_t> shard_number(std::string_view name, std::string_view cookie_name) {
  if (name.size() != cookie_name.size() + 2 || !name.starts_with(cookie_name) ||
      name[cookie_name.size()] != '-')
    return std::nullopt;
  const auto number = static_cast<std::size_t>(name.back() - '0');
  if (name.back() < '0' || number >= shards_max) return std::nullopt;
  return number;
}

}  // namespace

std::string seal(std::string_view text, const Seal& seal, std::span<const SealingKey> keys) {
  WEIR_ASSERT(!keys.empty());
  std::string bytes(text_at + text.size() + tag_bytes, '\0');
  std::memcpy(bytes.data(), &keys.front().id, id_bytes);
  const bool is_sealed = RAND_bytes(bytes_of(bytes, id_bytes), nonce_bytes) == 1 &&
                         encrypt(bytes, text, authenticated(seal), keys.front());
  WEIR_ASSERT(is_sealed);  // fails for want of memory or of the kernel's random bytes alone
  return base64url_encode(bytes);
}

std::optional<std::string> open(std::string_view sealed, const Seal& seal,
                                std::span<const SealingKey> keys) {
  if (sealed.size() > sealed_chars_max) return std::nullopt;
  auto bytes = base64url_decode(sealed);
  if (!bytes || bytes->size() < text_at + tag_bytes) return std::nullopt;
  std::uint32_t id = 0;
  std::memcpy(&id, bytes->data(), id_bytes);
  const auto key = std::ranges::find(keys, id, &SealingKey::id);
  if (key == keys.end()) return std::nullopt;
  std::string text;
  if (!decrypt(text, *bytes, authenticated(seal), *key)) return std::nullopt;
  return text;
}

std::optional<std::vector<std::string>> shards_of(std::string_view value,
                                                  std::string_view cookie_name) {
  const std::size_t overhead = cookie_name.size() + 3;  // "-0="
  if (overhead >= shard_bytes_max) return std::nullopt;
  const std::size_t each = shard_bytes_max - overhead;
  if (value.empty() || value.size() > each * shards_max) return std::nullopt;
  std::vector<std::string> out;
  for (; !value.empty(); value.remove_prefix(std::min(each, value.size())))
    out.emplace_back(value.substr(0, each));
  return out;
}

std::string value_of_shards(const http::RequestHead& head, std::string_view cookie_name) {
  std::array<std::optional<std::string_view>, shards_max> shards;
  for (const http::Header& header : head.headers) {
    if (header.id != http::HeaderId::cookie) continue;
    http::for_each_cookie(header.value, [&](std::string_view name, std::string_view value) {
      const auto number = shard_number(name, cookie_name);
      if (number && !shards[*number]) shards[*number] = value;
    });
  }
  std::string out;
  for (const auto& shard : shards) {
    if (!shard) break;
    out.append(*shard);
  }
  return out;
}

}  // namespace weir::auth
