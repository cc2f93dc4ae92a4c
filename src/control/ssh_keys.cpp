#include "control/ssh_keys.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "model/base64.hpp"

namespace weir::control {
namespace {

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* value) const {
    release(value);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using Bytes = std::unique_ptr<BIO, Release<BIO_free_all>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;

constexpr std::string_view rsa_name = "ssh-rsa";
constexpr std::string_view ed25519_name = "ssh-ed25519";
constexpr std::size_t ed25519_bytes = 32;
constexpr unsigned rsa_bits = 2048;
constexpr int rsa_bits_min = 1024;
constexpr int rsa_bits_max = 4096;  // whose numbers bound what OpenSSL is asked to work on
constexpr std::size_t text_bytes_max = 8192;

// ---------------------------------------------------------------- SSH's encoding
void put_number(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}
void put(std::string& out, std::string_view text) {
  put_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}
// A number that is not negative: a leading zero keeps its sign.
void put(std::string& out, const BIGNUM& number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(&number)), '\0');
  BN_bn2bin(&number, reinterpret_cast<unsigned char*>(bytes.data()));
  if (!bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0) bytes.insert(0, 1, 0);
  put(out, bytes);
}

std::optional<std::string_view> take(std::string_view& from) {
  if (from.size() < 4) return {};
  std::uint32_t length = 0;
  for (const char c : from.substr(0, 4)) length = (length << 8U) | static_cast<unsigned char>(c);
  from.remove_prefix(4);
  if (length > from.size()) return {};
  const auto text = from.substr(0, length);
  from.remove_prefix(length);
  return text;
}

// ---------------------------------------------------------------- fingerprints, texts
std::string digest(const EVP_MD* kind, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string with_colons(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += fmt::format("{}{:02x}", out.empty() ? "" : ":", static_cast<unsigned char>(c));
  }
  return out;
}

std::string written(const Bytes& bytes) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bytes.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string line_of(std::string_view name, std::string_view blob, const std::string& comment) {
  return fmt::format("{} {} {}", name, model::base64_encode(blob), comment);
}

std::unexpected<Error> failed() {
  return fail("InternalError", "OpenSSL could not make or write the key");
}
std::unexpected<Error> bad_format() {
  return fail("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
}

// ---------------------------------------------------------------- RSA
Result<std::string> rsa_blob(const EVP_PKEY& key) {
  BIGNUM* e = nullptr;
  BIGNUM* n = nullptr;
  const bool is_read = EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
                       EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_N, &n) == 1;
  const Number exponent(e);
  const Number modulus(n);
  if (!is_read) return failed();
  std::string blob;
  put(blob, rsa_name);
  put(blob, *exponent);
  put(blob, *modulus);
  return blob;
}

Result<SshKeyPair> make_rsa(const std::string& comment) {
  const Key key(EVP_RSA_gen(rsa_bits));
  if (!key) return failed();
  const auto blob = rsa_blob(*key);
  if (!blob) return std::unexpected(blob.error());
  const Bytes pem(BIO_new(BIO_s_mem()));
  const Bytes der(BIO_new(BIO_s_mem()));
  if (!pem || !der ||
      PEM_write_bio_PrivateKey_traditional(pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                           nullptr) != 1 ||
      i2d_PKCS8PrivateKey_bio(der.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed();
  }
  SshPublicKey half{"rsa", line_of(rsa_name, *blob, comment),
                    with_colons(digest(EVP_sha1(), written(der)))};
  return SshKeyPair{std::move(half), written(pem)};
}

Key rsa_of(std::string_view exponent, std::string_view modulus) {
  const auto number = [](std::string_view bytes) {
    return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                            static_cast<int>(bytes.size()), nullptr));
  };
  const Number e = number(exponent);
  const Number n = number(modulus);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!e || !n || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1) {
    return nullptr;
  }
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Key(key);
}

Result<SshPublicKey> read_rsa(std::string_view blob, std::string_view rest,
                              const std::string& comment) {
  const auto exponent = take(rest);
  const auto modulus = take(rest);
  if (!exponent || !modulus || !rest.empty()) return bad_format();
  const Key key = rsa_of(*exponent, *modulus);
  if (!key) return bad_format();
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < rsa_bits_min || bits > rsa_bits_max) {
    return fail("InvalidKey.Format", fmt::format("The key has {} bits; {} to {} are supported",
                                                 bits, rsa_bits_min, rsa_bits_max));
  }
  const Bytes der(BIO_new(BIO_s_mem()));
  if (!der || i2d_PUBKEY_bio(der.get(), key.get()) != 1) return failed();
  return SshPublicKey{"rsa", line_of(rsa_name, blob, comment),
                      with_colons(digest(EVP_md5(), written(der)))};
}

// ---------------------------------------------------------------- Ed25519
SshPublicKey ed25519_of(std::string_view blob, const std::string& comment) {
  return {"ed25519", line_of(ed25519_name, blob, comment),
          model::base64_encode(digest(EVP_sha256(), blob))};
}

// OpenSSH's file, not encrypted: PROTOCOL.key of its sources describes it.
std::string openssh_file(std::string_view blob, std::string_view point, std::string_view seed,
                         const std::string& comment) {
  constexpr std::size_t block = 8;
  constexpr std::size_t columns = 70;
  std::string secret;
  const std::string check = digest(EVP_sha256(), seed).substr(0, 4);  // twice the same
  secret += check + check;
  put(secret, ed25519_name);
  put(secret, point);
  put(secret, std::string(seed) + std::string(point));
  put(secret, comment);
  for (char pad = 1; secret.size() % block != 0; ++pad) secret += pad;

  std::string all("openssh-key-v1\0", 15);
  put(all, "none");
  put(all, "none");
  put(all, "");
  put_number(all, 1);
  put(all, blob);
  put(all, secret);
  const std::string text = model::base64_encode(all);
  std::string out = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += columns) out += text.substr(at, columns) + "\n";
  return out + "-----END OPENSSH PRIVATE KEY-----\n";
}

Result<SshKeyPair> make_ed25519(const std::string& comment) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  std::string point(ed25519_bytes, '\0');
  std::string seed(ed25519_bytes, '\0');
  std::size_t point_size = point.size();
  std::size_t seed_size = seed.size();
  if (!key ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(point.data()),
                                  &point_size) != 1 ||
      EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(seed.data()),
                                   &seed_size) != 1) {
    return failed();
  }
  std::string blob;
  put(blob, ed25519_name);
  put(blob, point);
  return SshKeyPair{ed25519_of(blob, comment), openssh_file(blob, point, seed, comment)};
}

// ---------------------------------------------------------------- forms of a public key
constexpr std::string_view rfc4716_begin = "---- BEGIN SSH2 PUBLIC KEY ----";
constexpr std::string_view rfc4716_end = "---- END SSH2 PUBLIC KEY ----";

// Headers ("Comment: …") come first; a line that ends with a backslash goes on in the next.
std::optional<std::string> rfc4716_blob(std::string_view text) {
  std::string encoded;
  bool is_header_going_on = false;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n')) {
    text.remove_prefix(at + 1);
    auto line = text.substr(0, text.find('\n'));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line == rfc4716_end) {
      auto blob = model::base64_decode(encoded);
      return blob ? std::optional(std::move(*blob)) : std::nullopt;
    }
    const bool is_header = is_header_going_on || line.find(':') != std::string_view::npos;
    is_header_going_on = is_header && line.ends_with('\\');
    if (!is_header) encoded += line;
  }
  return {};
}

Result<SshPublicKey> read_blob(std::string_view blob, const std::string& comment) {
  std::string_view rest = blob;
  const auto name = take(rest);
  if (name == rsa_name) return read_rsa(blob, rest, comment);
  const auto point = take(rest);
  const bool is_ed25519 =
      name == ed25519_name && point && point->size() == ed25519_bytes && rest.empty();
  if (!is_ed25519) return bad_format();
  return ed25519_of(blob, comment);
}

}  // namespace

Result<SshKeyPair> make_ssh_key(std::string_view type, const std::string& comment) {
  return type == "ed25519" ? make_ed25519(comment) : make_rsa(comment);
}

Result<SshPublicKey> read_ssh_key(std::string_view text, const std::string& comment) {
  constexpr std::string_view blanks = " \t\r\n";
  if (text.size() > text_bytes_max) return bad_format();
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return bad_format();
  text.remove_prefix(begin);
  if (text.starts_with(rfc4716_begin)) {
    const auto blob = rfc4716_blob(text);
    return blob ? read_blob(*blob, comment) : bad_format();
  }
  const auto name = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(name.size());
  const auto encoded_at = text.find_first_not_of(blanks);
  if (encoded_at == std::string_view::npos) return bad_format();
  text.remove_prefix(encoded_at);
  const auto blob = model::base64_decode(text.substr(0, text.find_first_of(blanks)));
  std::string_view rest = blob ? std::string_view(*blob) : std::string_view();
  if (take(rest) != name) return bad_format();
  return read_blob(*blob, comment);
}

}  // namespace weir::control
