// SSH's keys: made and read in the formats that EC2 gives and takes (reference §9.4).
//
// A public key is known by its blob (RFC 4253 §6.6: "ssh-rsa", e, n; RFC 8709: "ssh-ed25519",
// point), from which line and fingerprint follow. OpenSSL makes and encodes keys; OpenSSH's own
// file is a few strings with lengths before them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::control {

struct SshPublicKey {
  std::string type;         // rsa, ed25519
  std::string line;         // "ssh-rsa AAAA… comment"
  std::string fingerprint;  // RSA: MD5 of the public DER where the key is imported, SHA-1 of the
                            // PKCS#8 where it is made; Ed25519: base64 of the blob's SHA-256
};

struct SshKeyPair {
  SshPublicKey public_key;
  std::string private_key;  // PEM: PKCS#1 for RSA, OpenSSH's for Ed25519
};

// `type`: rsa (2048 bits) or ed25519; `comment` ends the public line.
[[nodiscard]] Result<SshKeyPair> make_ssh_key(std::string_view type, const std::string& comment);

// A line of OpenSSH's format, or a file of RFC 4716's; RSA of 1024 to 4096 bits. "InvalidKey.Format".
[[nodiscard]] Result<SshPublicKey> read_ssh_key(std::string_view text, const std::string& comment);

}  // namespace weir::control
