#include "balancing/session.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "base/ids.hpp"

namespace weir::balancing {
namespace {

constexpr std::size_t key_id_at = 0;
constexpr std::size_t nonce_at = 4;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t content_at = nonce_at + nonce_bytes;
constexpr std::size_t content_bytes = 64;
constexpr std::size_t tag_at = content_at + content_bytes;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t sealed_bytes = tag_at + tag_bytes;
static_assert(sealed_bytes / 3 * 4 == SessionSealer::value_chars && sealed_bytes % 3 == 0);

using Bytes = std::array<unsigned char, sealed_bytes>;
constexpr int scope_bytes = 1 + sizeof(std::uint64_t);
using Scope = std::array<unsigned char, scope_bytes>;

template <typename Number>
void put(unsigned char* at, Number number) {
  std::memcpy(at, &number, sizeof number);
}

template <typename Number>
Number get(const unsigned char* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

Scope authenticated(SessionKind kind, std::uint64_t scope) {
  Scope out;
  out[0] = static_cast<unsigned char>(kind);
  put(out.data() + 1, scope);
  return out;
}

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

}  // namespace

// One key, set up once for either direction; each message brings its nonce.
class SessionSealer::Cipher {
 public:
  explicit Cipher(const routing::StickinessKey& key)
      : sealing_(EVP_CIPHER_CTX_new()), opening_(EVP_CIPHER_CTX_new()) {
    const bool is_ready = sealing_ && opening_ &&
                          EVP_EncryptInit_ex(sealing_.get(), EVP_aes_256_gcm(), nullptr,
                                             key.key.data(), nullptr) == 1 &&
                          EVP_DecryptInit_ex(opening_.get(), EVP_aes_256_gcm(), nullptr,
                                             key.key.data(), nullptr) == 1;
    WEIR_ASSERT(is_ready);  // fails for want of memory alone
  }

  // Encrypts the content in place and adds the tag.
  void seal(Bytes& bytes, const Scope& scope) {
    EVP_CIPHER_CTX* context = sealing_.get();
    int written = 0;
    const bool is_sealed =
        EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, bytes.data() + nonce_at) == 1 &&
        EVP_EncryptUpdate(context, nullptr, &written, scope.data(), scope_bytes) == 1 &&
        EVP_EncryptUpdate(context, bytes.data() + content_at, &written, bytes.data() + content_at,
                          content_bytes) == 1 &&
        EVP_EncryptFinal_ex(context, bytes.data() + tag_at, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_bytes, bytes.data() + tag_at) == 1;
    WEIR_ASSERT(is_sealed);
  }

  // False: not sealed with this key and scope.
  [[nodiscard]] bool open(Bytes& bytes, const Scope& scope) {
    EVP_CIPHER_CTX* context = opening_.get();
    int written = 0;
    std::array<unsigned char, tag_bytes> none;
    return EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, bytes.data() + nonce_at) == 1 &&
           EVP_DecryptUpdate(context, nullptr, &written, scope.data(), scope_bytes) == 1 &&
           EVP_DecryptUpdate(context, bytes.data() + content_at, &written,
                             bytes.data() + content_at, content_bytes) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, bytes.data() + tag_at) ==
               1 &&
           EVP_DecryptFinal_ex(context, none.data(), &written) == 1;
  }

 private:
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> sealing_, opening_;
};

SessionSealer::SessionSealer() : nonce_prefix_(random_u64()) {}
SessionSealer::~SessionSealer() = default;

void SessionSealer::use(const std::vector<routing::StickinessKey>& keys) {
  if (keys == keys_) return;
  keys_ = keys;
  ciphers_.clear();
  for (const routing::StickinessKey& key : keys_) ciphers_.push_back(std::make_unique<Cipher>(key));
}

std::string_view SessionSealer::seal(SessionKind kind, std::uint64_t scope,
                                     const Session& session) {
  if (ciphers_.empty()) return {};
  if (++nonce_count_ == 0) nonce_prefix_ = random_u64();
  Bytes bytes{};
  put(bytes.data() + key_id_at, keys_.front().id);
  put(bytes.data() + nonce_at, nonce_prefix_);
  put(bytes.data() + nonce_at + sizeof nonce_prefix_, nonce_count_);
  put(bytes.data() + content_at, session.subject);
  put(bytes.data() + content_at + 8, session.bound_at);
  put(bytes.data() + content_at + 16, session.expires_at);
  ciphers_.front()->seal(bytes, authenticated(kind, scope));
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text_.data()), bytes.data(), sealed_bytes);
  return {text_.data(), value_chars};
}

std::optional<Session> SessionSealer::open(SessionKind kind, std::uint64_t scope,
                                           std::string_view value) {
  // Without padding there is one text for each value; OpenSSL would take '=' for 'A' anywhere.
  if (value.size() != value_chars || value.contains('=')) return std::nullopt;
  Bytes bytes{};
  const int decoded =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(value.data()),
                      static_cast<int>(value.size()));
  if (decoded != static_cast<int>(sealed_bytes)) return std::nullopt;
  const auto key =
      std::ranges::find(keys_, get<std::uint32_t>(bytes.data()), &routing::StickinessKey::id);
  if (key == keys_.end()) return std::nullopt;
  Cipher& cipher = *ciphers_[static_cast<std::size_t>(key - keys_.begin())];
  if (!cipher.open(bytes, authenticated(kind, scope))) return std::nullopt;
  return Session{get<std::uint64_t>(bytes.data() + content_at),
                 get<std::int64_t>(bytes.data() + content_at + 8),
                 get<std::int64_t>(bytes.data() + content_at + 16)};
}

}  // namespace weir::balancing
