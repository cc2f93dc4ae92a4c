#include "aws/protocol/xml.hpp"

#include <fmt/format.h>

#include "aws/protocol/scalar.hpp"
#include "model/base64.hpp"

namespace weir::aws {
namespace {

constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

// What XML 1.0 cannot hold at all (most control characters) becomes a question mark.
void append_escaped(std::string& to, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        to += "&amp;";
        break;
      case '<':
        to += "&lt;";
        break;
      case '>':
        to += "&gt;";
        break;
      case '"':
        to += "&quot;";
        break;
      case '\r':
        to += "&#xD;";
        break;
      default: {
        const bool is_control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
        to.push_back(is_control ? '?' : c);
      }
    }
  }
}

class Writer {
 public:
  void open(std::string_view name) { text_.append("<").append(name).append(">"); }
  void close(std::string_view name) { text_.append("</").append(name).append(">"); }
  void empty(std::string_view name) { text_.append("<").append(name).append("/>"); }
  void element(std::string_view name, std::string_view content) {
    open(name);
    append_escaped(text_, content);
    close(name);
  }
  void raw(std::string_view text) { text_ += text; }
  void root(std::string_view name, std::string_view xml_namespace) {
    text_.append("<").append(name);
    if (!xml_namespace.empty()) text_.append(" xmlns=\"").append(xml_namespace).append("\"");
    text_ += ">";
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

class Encoder {
 public:
  explicit Encoder(Writer& writer) : writer_(writer) {}

  void members(const Shape& shape, const Value& value) {
    std::size_t written = 0;
    for (const auto& member : shape.members) {
      const auto* held = value.find(member.name);
      if (held == nullptr) continue;
      ++written;
      element(member.wire, *member.shape, *held);
    }
    if (written == value.members().size()) return;
    for (const auto& [name, held] : value.members()) {
      if (shape.member(name) == nullptr)
        fault_ = fmt::format("{} has no member {}", shape.name, name);
    }
  }

  // What the first value that is not as described is; empty where all are.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void element(std::string_view name, const Shape& shape, const Value& value) {
    switch (shape.kind) {
      case Kind::structure:
        return structure(name, shape, value);
      case Kind::list:
        return list(name, shape, value);
      case Kind::map:
        return map(name, shape, value);
      default:
        return scalar(name, shape, value);
    }
  }

  void structure(std::string_view name, const Shape& shape, const Value& value) {
    if (!expect<Value::Structure>(name, value)) return;
    writer_.open(name);
    members(shape, value);
    writer_.close(name);
  }

  void list(std::string_view name, const Shape& shape, const Value& value) {
    if (!value.members().empty() || !expect_list(name, value)) return;
    if (shape.is_flattened) {
      for (const auto& item : value.items()) element(name, *shape.item, item);
      return;
    }
    if (value.items().empty()) return writer_.empty(name);
    writer_.open(name);
    for (const auto& item : value.items()) element(shape.item_name, *shape.item, item);
    writer_.close(name);
  }

  void map(std::string_view name, const Shape& shape, const Value& value) {
    if (!expect<Value::Structure>(name, value)) return;
    if (!shape.is_flattened) writer_.open(name);
    const auto entry = shape.is_flattened ? name : std::string_view("entry");
    for (const auto& [key, item] : value.members()) {
      writer_.open(entry);
      writer_.element("key", key);
      element("value", *shape.item, item);
      writer_.close(entry);
    }
    if (!shape.is_flattened) writer_.close(name);
  }

  void scalar(std::string_view name, const Shape& shape, const Value& value) {
    switch (shape.kind) {
      case Kind::integer:
      case Kind::long_integer:
        if (const auto* held = expect<std::int64_t>(name, value))
          writer_.element(name, fmt::format("{}", *held));
        return;
      case Kind::number:
        return number(name, value);
      case Kind::boolean:
        if (const auto* held = expect<bool>(name, value))
          writer_.element(name, *held ? "true" : "false");
        return;
      case Kind::timestamp:
        if (const auto* held = expect<Timestamp>(name, value))
          writer_.element(name, timestamp_text(*held));
        return;
      case Kind::blob:
        if (const auto* held = expect<std::string>(name, value))
          writer_.element(name, model::base64_encode(*held));
        return;
      default:
        if (const auto* held = expect<std::string>(name, value)) writer_.element(name, *held);
    }
  }

  void number(std::string_view name, const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value.held())) {
      writer_.element(name, number_text(static_cast<double>(*whole)));
    } else if (const auto* held = expect<double>(name, value)) {
      writer_.element(name, number_text(*held));
    }
  }

  // An empty Value() stands for an empty list too.
  bool expect_list(std::string_view name, const Value& value) {
    return std::holds_alternative<Value::Structure>(value.held()) ||
           expect<Value::List>(name, value) != nullptr;
  }

  template <typename T>
  const T* expect(std::string_view name, const Value& value) {
    const auto* held = std::get_if<T>(&value.held());
    if (held == nullptr) fault_ = fmt::format("{} holds a value of another kind", name);
    return held;
  }

  Writer& writer_;
  std::string fault_;
};

void encode_ec2(Writer& writer, Encoder& encoder, const Description& description,
                const Operation& operation, const Value& output, std::string_view request_id) {
  const auto name = operation.name + "Response";
  writer.raw(declaration);
  writer.root(name, description.xml_namespace);
  writer.element("requestId", request_id);
  if (operation.output != nullptr) {
    encoder.members(*operation.output, output);
  } else {
    writer.element("return", "true");
  }
  writer.close(name);
}

void encode_query(Writer& writer, Encoder& encoder, const Description& description,
                  const Operation& operation, const Value& output, std::string_view request_id) {
  const auto name = operation.name + "Response";
  const auto result = operation.name + "Result";
  writer.root(name, description.xml_namespace);
  if (operation.output != nullptr) {
    writer.open(result);
    encoder.members(*operation.output, output);
    writer.close(result);
  }
  writer.open("ResponseMetadata");
  writer.element("RequestId", request_id);
  writer.close("ResponseMetadata");
  writer.close(name);
}

}  // namespace

Result<std::string> encode_xml(const Description& description, Protocol protocol,
                               const Operation& operation, const Value& output,
                               std::string_view request_id) {
  Writer writer;
  Encoder encoder(writer);
  const auto encode = protocol == Protocol::ec2 ? encode_ec2 : encode_query;
  encode(writer, encoder, description, operation, output, request_id);
  if (!encoder.fault().empty())
    return fail("BadOutput", fmt::format("{}: {}", operation.name, encoder.fault()));
  return writer.take();
}

std::string encode_xml_error(const Description* description, Protocol protocol, const Error& error,
                             bool is_receiver, std::string_view request_id) {
  Writer writer;
  if (protocol == Protocol::ec2) {
    writer.raw(declaration);
    writer.raw("<Response><Errors><Error>");
    writer.element("Code", error.code);
    writer.element("Message", error.message);
    writer.raw("</Error></Errors>");
    writer.element("RequestID", request_id);
    writer.raw("</Response>");
    return writer.take();
  }
  writer.root("ErrorResponse",
              description == nullptr ? std::string_view() : description->xml_namespace);
  writer.raw("<Error>");
  writer.element("Type", is_receiver ? "Receiver" : "Sender");
  writer.element("Code", error.code);
  writer.element("Message", error.message);
  writer.raw("</Error>");
  writer.element("RequestId", request_id);
  writer.raw("</ErrorResponse>");
  return writer.take();
}

}  // namespace weir::aws
