// JSON (1.0 and 1.1) and, through the same tree, CBOR: inputs from it and outputs into it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "aws/description/description.hpp"
#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::aws {

inline constexpr int tree_depth_max = 32;

// The tree of a body of JSON; an empty body is an empty object. "SerializationException".
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view body);

// Unknown members are passed over, as AWS does in these protocols; null is "not set". Not validated
// yet. Blobs are base64 texts in JSON and byte strings in CBOR; times are seconds since 1970.
[[nodiscard]] Result<Value> decode_tree(const Shape* input, const nlohmann::json& tree);

// The error is the handler's fault: an output that its shape does not describe.
[[nodiscard]] Result<std::string> encode_json(const Operation& operation, const Value& output);

// `shape`: the error's name in the SDKs.
[[nodiscard]] std::string encode_json_error(std::string_view shape, std::string_view message);

}  // namespace weir::aws
