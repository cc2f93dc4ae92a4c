#include "aws/protocol/cbor.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include <fmt/format.h>

#include "aws/protocol/form.hpp"
#include "aws/protocol/json.hpp"

namespace weir::aws {
namespace {

using Json = nlohmann::json;

enum class Major : std::uint8_t {
  unsigned_integer,
  negative,
  bytes,
  text,
  array,
  map,
  tag,
  simple
};

constexpr unsigned indefinite = 31;
constexpr unsigned char break_byte = 0xFF;

// ---------------------------------------------------------------- reading
struct Head {
  Major major;
  unsigned info;
  std::uint64_t argument;
};

double half_to_double(std::uint64_t bits) {
  const int exponent = static_cast<int>(bits >> 10U & 0x1FU);
  const auto fraction = static_cast<double>(bits & 0x3FFU);
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else if (exponent != 31) {
    value = std::ldexp(fraction + 1024, exponent - 25);
  } else {
    value = fraction == 0 ? INFINITY : NAN;
  }
  return (bits & 0x8000U) != 0 ? -value : value;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::optional<Json> item(int depth) {
    if (depth > tree_depth_max) return std::nullopt;
    const auto head = take_head();
    if (!head) return std::nullopt;
    switch (head->major) {
      case Major::unsigned_integer:
        return Json(head->argument);
      case Major::negative:
        return negative(head->argument);
      case Major::bytes:
        return bytes(*head);
      case Major::text:
        return text(*head);
      case Major::array:
        return array(*head, depth);
      case Major::map:
        return map(*head, depth);
      case Major::tag:
        return item(depth + 1);
      case Major::simple:
        return simple(*head);
    }
    return std::nullopt;
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::optional<unsigned char> take_byte() {
    if (rest_.empty()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  std::optional<Head> take_head() {
    const auto first = take_byte();
    if (!first) return std::nullopt;
    Head head{static_cast<Major>(*first >> 5U), *first & 31U, *first & 31U};
    if (head.info < 24 || head.info == indefinite) return head;
    if (head.info > 27) return std::nullopt;
    head.argument = 0;
    for (unsigned i = 0; i < 1U << (head.info - 24U); ++i) {
      const auto byte = take_byte();
      if (!byte) return std::nullopt;
      head.argument = head.argument << 8U | *byte;
    }
    return head;
  }

  static std::optional<Json> negative(std::uint64_t argument) {
    if (argument > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return Json(-1 - static_cast<std::int64_t>(argument));
  }

  // The bytes of a string, of its chunks where it has no length.
  std::optional<std::string> string(const Head& head) {
    if (head.info != indefinite) return chunk(head.argument);
    std::string all;
    while (!is_break()) {
      const auto next = take_head();
      if (!next || next->major != head.major || next->info == indefinite) return std::nullopt;
      const auto part = chunk(next->argument);
      if (!part) return std::nullopt;
      all += *part;
    }
    return take_byte() ? std::optional(std::move(all)) : std::nullopt;
  }

  std::optional<std::string> chunk(std::uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    std::string part(rest_.substr(0, static_cast<std::size_t>(size)));
    rest_.remove_prefix(part.size());
    return part;
  }

  std::optional<Json> bytes(const Head& head) {
    const auto held = string(head);
    if (!held) return std::nullopt;
    return Json::binary({held->begin(), held->end()});
  }

  std::optional<Json> text(const Head& head) {
    auto held = string(head);
    if (!held || !is_utf8(*held)) return std::nullopt;
    return Json(std::move(*held));
  }

  // The end of an array or map: its count is reached, or the break byte is taken.
  bool is_over(const Head& head, std::uint64_t count) {
    if (head.info != indefinite) return count == head.argument;
    if (!is_break()) return false;
    take_byte();
    return true;
  }

  std::optional<Json> array(const Head& head, int depth) {
    auto items = Json::array();
    for (std::uint64_t count = 0; !is_over(head, count); ++count) {
      auto next = item(depth + 1);
      if (!next) return std::nullopt;
      items.push_back(std::move(*next));
    }
    return items;
  }

  std::optional<Json> map(const Head& head, int depth) {
    auto members = Json::object();
    for (std::uint64_t count = 0; !is_over(head, count); ++count) {
      const auto key = take_head();
      if (!key || key->major != Major::text) return std::nullopt;
      auto name = string(*key);
      auto value = item(depth + 1);
      if (!name || !is_utf8(*name) || !value) return std::nullopt;
      members[*name] = std::move(*value);
    }
    return members;
  }

  static std::optional<Json> simple(const Head& head) {
    switch (head.info) {
      case 20:
        return Json(false);
      case 21:
        return Json(true);
      case 22:
      case 23:
        return Json(nullptr);
      case 25:
        return Json(half_to_double(head.argument));
      case 26: {
        const auto bits = static_cast<std::uint32_t>(head.argument);
        return Json(static_cast<double>(std::bit_cast<float>(bits)));
      }
      case 27:
        return Json(std::bit_cast<double>(head.argument));
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] bool is_break() const {
    return !rest_.empty() && static_cast<unsigned char>(rest_.front()) == break_byte;
  }

  std::string_view rest_;
};

// ---------------------------------------------------------------- writing
class Writer {
 public:
  void head(Major major, std::uint64_t argument) {
    const auto high = static_cast<unsigned>(major) << 5U;
    if (argument < 24) return byte(high | static_cast<unsigned>(argument));
    const unsigned size = argument > UINT32_MAX ? 3 : argument > UINT16_MAX ? 2 : argument > 255;
    byte(high | (24U + size));
    big_endian(argument, 1U << size);
  }
  void text(std::string_view text) {
    head(Major::text, text.size());
    bytes_ += text;
  }
  void blob(std::string_view blob) {
    head(Major::bytes, blob.size());
    bytes_ += blob;
  }
  void integer(std::int64_t value) {
    if (value >= 0) return head(Major::unsigned_integer, static_cast<std::uint64_t>(value));
    head(Major::negative, static_cast<std::uint64_t>(-1 - value));
  }
  void number(double value) {
    byte(0xFBU);
    big_endian(std::bit_cast<std::uint64_t>(value), 8);
  }
  void boolean(bool value) { byte(value ? 0xF5U : 0xF4U); }
  void time(Timestamp time) {  // seconds since 1970, tag 1
    head(Major::tag, 1);
    if (time.ms % 1'000 == 0) return integer(time.ms / 1'000);
    number(static_cast<double>(time.ms) / 1'000);
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  void byte(unsigned value) { bytes_.push_back(static_cast<char>(value)); }
  void big_endian(std::uint64_t value, unsigned count) {
    for (unsigned i = count; i-- > 0;) byte(static_cast<unsigned>(value >> (8U * i) & 0xFFU));
  }

  std::string bytes_;
};

class Encoder {
 public:
  explicit Encoder(Writer& writer) : writer_(writer) {}

  void encode(const Shape& shape, const Value& value) {
    switch (shape.kind) {
      case Kind::structure:
        return structure(shape, value);
      case Kind::list:
        writer_.head(Major::array, value.items().size());
        for (const auto& item : value.items()) encode(*shape.item, item);
        return;
      case Kind::map:
        writer_.head(Major::map, value.members().size());
        for (const auto& [key, item] : value.members()) {
          writer_.text(key);
          encode(*shape.item, item);
        }
        return;
      default:
        return scalar(shape, value);
    }
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void structure(const Shape& shape, const Value& value) {
    writer_.head(Major::map, value.members().size());
    for (const auto& [name, held] : value.members()) {
      const auto* member = shape.member(name);
      if (member == nullptr) {
        fault_ = fmt::format("{} has no member {}", shape.name, name);
        return;
      }
      writer_.text(name);
      encode(*member->shape, held);
    }
  }

  void scalar(const Shape& shape, const Value& value) {
    if (const auto* flag = std::get_if<bool>(&value.held())) return writer_.boolean(*flag);
    if (const auto* whole = std::get_if<std::int64_t>(&value.held())) {
      if (shape.kind == Kind::number) return writer_.number(static_cast<double>(*whole));
      return writer_.integer(*whole);
    }
    if (const auto* fraction = std::get_if<double>(&value.held())) return writer_.number(*fraction);
    if (const auto* time = std::get_if<Timestamp>(&value.held())) return writer_.time(*time);
    if (const auto* text = std::get_if<std::string>(&value.held()))
      return shape.kind == Kind::blob ? writer_.blob(*text) : writer_.text(*text);
    fault_ = fmt::format("{} holds a value of another kind", shape.name);
  }

  Writer& writer_;
  std::string fault_;
};

}  // namespace

Result<Json> parse_cbor(std::string_view body) {
  if (body.empty()) return Json::object();
  Reader reader(body);
  auto tree = reader.item(0);
  if (!tree || !reader.at_end()) return fail("SerializationException", "The body is not CBOR");
  return std::move(*tree);
}

Result<std::string> encode_cbor(const Operation& operation, const Value& output) {
  Writer writer;
  Encoder encoder(writer);
  if (operation.output == nullptr) {
    writer.head(Major::map, 0);
  } else {
    encoder.encode(*operation.output, output);
  }
  if (!encoder.fault().empty())
    return fail("BadOutput", fmt::format("{}: {}", operation.name, encoder.fault()));
  return writer.take();
}

std::string encode_cbor_error(std::string_view shape, std::string_view message) {
  Writer writer;
  writer.head(Major::map, 2);
  writer.text("__type");
  writer.text(shape);
  writer.text("message");
  writer.text(message);
  return writer.take();
}

}  // namespace weir::aws
