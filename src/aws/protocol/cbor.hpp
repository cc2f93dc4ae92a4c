// CBOR (RFC 8949) as Smithy's RPC v2 uses it: bodies into the tree that JSON's become, and outputs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "aws/description/description.hpp"
#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::aws {

// Bounded in depth, and in memory by the bytes given. Tags are passed over: a time is known by its
// shape. An empty body is an empty object. "SerializationException".
[[nodiscard]] Result<nlohmann::json> parse_cbor(std::string_view body);

// The error is the handler's fault: an output that its shape does not describe.
[[nodiscard]] Result<std::string> encode_cbor(const Operation& operation, const Value& output);

[[nodiscard]] std::string encode_cbor_error(std::string_view shape, std::string_view message);

}  // namespace weir::aws
