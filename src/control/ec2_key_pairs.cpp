// Key pairs: reference §9.4. The private key is told once and kept nowhere.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "control/ec2_impl.hpp"
#include "control/ssh_keys.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

constexpr std::size_t name_chars_max = 255;

// The name also ends the public key's line, in a file of the instance.
Status check_name(const std::string& name) {
  const bool is_printable = std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
  if (!name.empty() && name.size() <= name_chars_max && is_printable && name.front() != ' ' &&
      name.back() != ' ') {
    return {};
  }
  return fail("InvalidParameterValue",
              "Value for parameter KeyName is invalid: 1 to 255 ASCII characters, no blanks at "
              "its ends");
}

Status check_is_new(const State& state, const std::string& name) {
  for (const auto& [id, pair] : state.key_pairs) {
    if (pair.name == name) {
      return fail("InvalidKeyPair.Duplicate",
                  fmt::format("The keypair '{}' already exists.", name));
    }
  }
  return {};
}

Result<model::KeyPair> store(Registry& registry, const std::string& name, SshPublicKey key,
                             const model::Tags& tags) {
  model::KeyPair pair{.id = make_ec2_id("key-"),
                      .name = name,
                      .type = std::move(key.type),
                      .fingerprint = std::move(key.fingerprint),
                      .public_key = std::move(key.line),
                      .created_at_ms = wall_ms(),
                      .tags = tags};
  const auto stored = registry.update([&](Draft& draft) -> Status {
    if (auto is_new = check_is_new(draft.state(), name); !is_new) return is_new;
    draft.put(pair);
    return {};
  });
  if (!stored) return std::unexpected(stored.error());
  return pair;
}

}  // namespace

Result<Ec2::NewKeyPair> Ec2::create_key_pair(const std::string& name, const std::string& type,
                                             const std::string& format, const model::Tags& tags) {
  if (auto valid = check_name(name); !valid) return std::unexpected(valid.error());
  if (format != "pem") {
    return fail("InvalidParameterValue",
                "Weir writes private keys as pem; `puttygen` makes a ppk file of one");
  }
  auto key = make_ssh_key(type, name);
  if (!key) return std::unexpected(key.error());
  auto pair = store(impl_->registry, name, std::move(key->public_key), tags);
  if (!pair) return std::unexpected(pair.error());
  return NewKeyPair{std::move(*pair), std::move(key->private_key)};
}

Result<model::KeyPair> Ec2::import_key_pair(const std::string& name, const std::string& public_key,
                                            const model::Tags& tags) {
  if (auto valid = check_name(name); !valid) return std::unexpected(valid.error());
  auto key = read_ssh_key(public_key, name);
  if (!key) return std::unexpected(key.error());
  return store(impl_->registry, name, std::move(*key), tags);
}

Result<std::string> Ec2::delete_key_pair(const std::string& id, const std::string& name) {
  std::string deleted;
  const auto stored = impl_->registry.update([&](Draft& draft) -> Status {
    for (const auto& [key, pair] : draft.state().key_pairs) {
      if (id.empty() ? pair.name == name : key == id) deleted = key;
    }
    if (!deleted.empty()) draft.erase_key_pair(deleted);
    return {};
  });
  if (!stored) return std::unexpected(stored.error());
  return deleted;
}

}  // namespace weir::control
