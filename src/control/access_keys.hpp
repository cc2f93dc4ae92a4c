// Long-term credentials of the AWS APIs: made here, kept in the store.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "control/registry.hpp"

namespace weir::control {

inline constexpr std::size_t access_keys_max = 1'000;

// `kind`: "AKIA" for lasting keys, "ASIA" for temporary ones; 16 random letters and digits follow.
[[nodiscard]] std::string make_access_key_id(std::string_view kind);

// `name`: at most 64 letters, digits and +=,.@_-; may be empty.
[[nodiscard]] Result<model::AccessKey> create_access_key(Registry& registry,
                                                         const std::string& name);

// Those there are, the oldest first; without their secrets.
[[nodiscard]] std::vector<model::AccessKey> list_access_keys(const Registry& registry);

Status delete_access_key(Registry& registry, const std::string& id);

}  // namespace weir::control
