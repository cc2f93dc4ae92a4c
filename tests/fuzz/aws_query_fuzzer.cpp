// Query strings of hostile callers into inputs: nothing is read beyond its bounds, nothing grows
// beyond what was sent, and what is accepted can be answered in every protocol and comes back the
// same from those that can be read.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "aws/protocol/cbor.hpp"
#include "aws/protocol/form.hpp"
#include "aws/protocol/json.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "sample_service.hpp"

namespace weir::aws {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

std::size_t count_values(const Value& value) {
  std::size_t count = 1;
  for (const auto& item : value.items()) count += count_values(item);
  for (const auto& [name, held] : value.members()) count += count_values(held);
  return count;
}

std::string xml(const Description& description, Protocol protocol, const Operation& operation,
                const Value& value) {
  const auto text = encode_xml(description, protocol, operation, value, "id");
  require(text.has_value(), "what was read can be written");
  return *text;
}

void check_comes_back(const Description& description, const Operation& operation,
                      const Value& value) {
  const auto text = xml(description, Protocol::query, operation, value);
  const auto json = encode_json(operation, value);
  const auto cbor = encode_cbor(operation, value);
  require(json && cbor, "what was read can be written");
  const auto from_json = parse_json(*json);
  const auto from_cbor = parse_cbor(*cbor);
  require(from_json && from_cbor, "what was written can be parsed");
  for (const auto& tree : {*from_json, *from_cbor}) {
    const auto back = decode_tree(operation.input, tree);
    require(back.has_value(), "what was written can be read");
    require(xml(description, Protocol::query, operation, *back) == text, "it is the same");
  }
}

void check(const Description& description, Protocol protocol, std::string_view bytes) {
  const auto parameters = parse_form(bytes);
  if (!parameters) return;
  const auto& operation = description.operations.begin()->second;
  const auto value = decode_query(protocol, operation.input, *parameters);
  if (!value) return;
  require(count_values(*value) <= bytes.size() + 1, "values cost what was sent for them");
  if (!validate(protocol, *operation.input, *value)) return;
  if (protocol == Protocol::query) return check_comes_back(description, operation, *value);
  xml(description, protocol, operation, *value);
}

}  // namespace
}  // namespace weir::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::aws;
  static const auto sample = described(sample_api);
  static const auto ec2 = described(sample_ec2_api);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(*sample, Protocol::query, bytes);
  check(*ec2, Protocol::ec2, bytes);
  return 0;
}
