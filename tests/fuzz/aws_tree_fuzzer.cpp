// Bodies of JSON and CBOR from hostile callers: bounded in depth and memory, and what is accepted
// is the same after it has been written and read again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "aws/protocol/cbor.hpp"
#include "aws/protocol/json.hpp"
#include "aws/protocol/validate.hpp"
#include "sample_service.hpp"

namespace weir::aws {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void check(const Operation& operation, const Result<nlohmann::json>& tree) {
  if (!tree) return;
  const auto value = decode_tree(operation.input, *tree);
  if (!value) return;
  (void)validate(Protocol::json, *operation.input, *value);
  const auto cbor = encode_cbor(operation, *value);
  require(cbor && encode_json(operation, *value), "what was read can be written");
  const auto parsed = parse_cbor(*cbor);
  require(parsed.has_value(), "what was written can be parsed");
  const auto back = decode_tree(operation.input, *parsed);
  require(back.has_value(), "what was written can be read");
  require(encode_cbor(operation, *back) == *cbor, "it is the same");
}

}  // namespace
}  // namespace weir::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::aws;
  static const auto sample = described(sample_api);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(sample->operations.at("Echo"), parse_json(bytes));
  check(sample->operations.at("Echo"), parse_cbor(bytes));
  return 0;
}
