#include "importing/answer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <pugixml.hpp>
#include <string>

namespace weir::importing {
namespace {

using aws::Kind;
using aws::Shape;
using aws::Value;

constexpr std::size_t message_bytes_max = 2048;

Status parse(pugi::xml_document& document, std::string_view xml) {
  const auto parsed = document.load_buffer(
      xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  if (!parsed) {
    return fail("MalformedAnswer", fmt::format("the answer is no XML: {} at byte {}",
                                               parsed.description(), parsed.offset));
  }
  for (const auto& child : document.children()) {
    if (child.type() == pugi::node_doctype)
      return fail("MalformedAnswer", "the answer has a document type, which AWS's have not");
  }
  return {};
}

std::optional<Value> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [stopped, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || stopped != text.data() + text.size()) return std::nullopt;
  return Value(number);
}

std::optional<Value> value_of(const Shape& shape, const pugi::xml_node& element);

Value structure_of(const Shape& shape, const pugi::xml_node& element) {
  Value::Structure members;
  for (const auto& member : shape.members) {
    const auto child = element.child(member.wire.c_str());
    if (!child) continue;
    if (auto value = value_of(*member.shape, child))
      members.emplace_back(member.name, std::move(*value));
  }
  return Value::structure(std::move(members));
}

Value list_of(const Shape& shape, const pugi::xml_node& element) {
  Value::List items;
  for (const auto& child : element.children(shape.item_name.c_str())) {
    if (auto value = value_of(*shape.item, child)) items.push_back(std::move(*value));
  }
  return Value(std::move(items));
}

// <entry><key>a</key><value>b</value></entry>…
Value map_of(const Shape& shape, const pugi::xml_node& element) {
  Value result;
  for (const auto& entry : element.children("entry")) {
    auto value = value_of(*shape.item, entry.child("value"));
    if (value) result.set(entry.child("key").child_value(), std::move(*value));
  }
  return result;
}

// nullopt: what is there is no value of this kind.
std::optional<Value> value_of(const Shape& shape, const pugi::xml_node& element) {
  const std::string_view text = element.child_value();
  switch (shape.kind) {
    case Kind::structure:
      return structure_of(shape, element);
    case Kind::list:
      return list_of(shape, element);
    case Kind::map:
      return map_of(shape, element);
    case Kind::integer:
    case Kind::long_integer:
      return integer_of(text);
    case Kind::boolean:
      return text == "true" || text == "false" ? std::optional<Value>(text == "true")
                                               : std::nullopt;
    default:
      return Value(text);
  }
}

std::string bounded(std::string_view text) {
  return std::string(text.substr(0, message_bytes_max));
}

}  // namespace

Result<Value> read_answer(const aws::Operation& operation, std::string_view xml) {
  pugi::xml_document document;
  if (auto parsed = parse(document, xml); !parsed) return std::unexpected(parsed.error());
  const auto result = document.child(fmt::format("{}Response", operation.name).c_str())
                          .child(fmt::format("{}Result", operation.name).c_str());
  if (!result || operation.output == nullptr) {
    return fail("MalformedAnswer", fmt::format("the answer is none to {}", operation.name),
                "Is the endpoint one of Elastic Load Balancing?");
  }
  return structure_of(*operation.output, result);
}

Error read_refusal(long http_status, std::string_view xml) {
  pugi::xml_document document;
  if (parse(document, xml)) {
    const auto error = document.child("ErrorResponse").child("Error");
    if (const std::string_view code = error.child_value("Code"); !code.empty())
      return {bounded(code), bounded(error.child_value("Message")), {}};
  }
  return {"RefusedCall", fmt::format("the endpoint answered HTTP {}", http_status),
          "Is the endpoint one of Elastic Load Balancing?"};
}

}  // namespace weir::importing
