// nlohmann's exceptions end here: parsing is asked for without them, and every access is checked.
#include "aws/protocol/json.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include <fmt/format.h>

#include "aws/protocol/complaints.hpp"
#include "aws/protocol/form.hpp"
#include "aws/protocol/scalar.hpp"
#include "model/base64.hpp"

namespace weir::aws {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// ---------------------------------------------------------------- inputs
Result<Value> wrong(const Shape& shape, const std::string& path) {
  return std::unexpected(wrong_kind(Protocol::json, path.empty() ? "the body" : path, shape, "…"));
}

std::optional<std::int64_t> whole_number(const Json& tree) {
  constexpr auto high = std::numeric_limits<std::int64_t>::max();
  if (tree.is_number_unsigned()) {
    const auto value = tree.get<std::uint64_t>();
    return value <= static_cast<std::uint64_t>(high)
               ? std::optional(static_cast<std::int64_t>(value))
               : std::nullopt;
  }
  if (tree.is_number_integer()) return tree.get<std::int64_t>();
  if (!tree.is_number_float()) return std::nullopt;
  const auto value = tree.get<double>();
  if (!(std::abs(value) < 9.0e15) || value != std::floor(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<Value> number(const Shape& shape, const Json& tree) {
  if (shape.kind == Kind::number) {
    const bool is_finite = tree.is_number() && std::isfinite(tree.get<double>());
    return is_finite ? std::optional(Value(tree.get<double>())) : std::nullopt;
  }
  const auto value = whole_number(tree);
  const bool fits = shape.kind == Kind::long_integer ||
                    (value && *value <= std::numeric_limits<std::int32_t>::max() &&
                     *value >= std::numeric_limits<std::int32_t>::min());
  return value && fits ? std::optional(Value(*value)) : std::nullopt;
}

std::optional<Value> timestamp(const Json& tree) {
  std::optional<Timestamp> time;
  if (tree.is_string()) time = parse_timestamp(tree.get_ref<const std::string&>());
  if (tree.is_number()) time = parse_timestamp(fmt::format("{}", tree.get<double>()));
  return time ? std::optional(Value(*time)) : std::nullopt;
}

std::optional<Value> blob(const Json& tree) {
  if (tree.is_binary()) {
    const auto& bytes = tree.get_binary();
    return Value(std::string(bytes.begin(), bytes.end()));
  }
  if (!tree.is_string()) return std::nullopt;
  auto bytes = model::base64_decode(tree.get_ref<const std::string&>());
  return bytes ? std::optional(Value(std::move(*bytes))) : std::nullopt;
}

std::optional<Value> scalar(const Shape& shape, const Json& tree) {
  switch (shape.kind) {
    case Kind::integer:
    case Kind::long_integer:
    case Kind::number:
      return number(shape, tree);
    case Kind::boolean:
      return tree.is_boolean() ? std::optional(Value(tree.get<bool>())) : std::nullopt;
    case Kind::timestamp:
      return timestamp(tree);
    case Kind::blob:
      return blob(tree);
    default: {
      if (!tree.is_string()) return std::nullopt;
      const auto& text = tree.get_ref<const std::string&>();
      return is_utf8(text) ? std::optional(Value(text)) : std::nullopt;
    }
  }
}

Result<Value> decode(const Shape& shape, const Json& tree, const std::string& path, int depth);

Result<Value> decode_structure(const Shape& shape, const Json& tree, const std::string& path,
                               int depth) {
  if (!tree.is_object()) return wrong(shape, path);
  Value result;
  for (const auto& member : shape.members) {
    const auto found = tree.find(member.name);
    if (found == tree.end() || found->is_null()) continue;
    auto decoded =
        decode(*member.shape, *found,
               path.empty() ? member.name : fmt::format("{}.{}", path, member.name), depth);
    if (!decoded) return decoded;
    result.set(member.name, std::move(*decoded));
  }
  return result;
}

Result<Value> decode_list(const Shape& shape, const Json& tree, const std::string& path,
                          int depth) {
  if (!tree.is_array()) return wrong(shape, path);
  Value::List items;
  items.reserve(tree.size());
  for (const auto& item : tree) {
    if (item.is_null()) continue;
    auto decoded = decode(*shape.item, item, fmt::format("{}.{}", path, items.size() + 1), depth);
    if (!decoded) return decoded;
    items.push_back(std::move(*decoded));
  }
  return Value(std::move(items));
}

Result<Value> decode_map(const Shape& shape, const Json& tree, const std::string& path, int depth) {
  if (!tree.is_object()) return wrong(shape, path);
  Value::Structure entries;
  for (const auto& [key, item] : tree.items()) {
    if (item.is_null()) continue;
    auto decoded = decode(*shape.item, item, path, depth);
    if (!decoded) return decoded;
    entries.emplace_back(key, std::move(*decoded));
  }
  return Value::structure(std::move(entries));
}

Result<Value> decode(const Shape& shape, const Json& tree, const std::string& path, int depth) {
  if (depth > tree_depth_max) return wrong(shape, path);
  switch (shape.kind) {
    case Kind::structure:
      return decode_structure(shape, tree, path, depth + 1);
    case Kind::list:
      return decode_list(shape, tree, path, depth + 1);
    case Kind::map:
      return decode_map(shape, tree, path, depth + 1);
    default:
      break;
  }
  auto value = scalar(shape, tree);
  if (!value) return wrong(shape, path);
  return std::move(*value);
}

// ---------------------------------------------------------------- outputs
class Encoder {
 public:
  OrderedJson encode(const Shape& shape, const Value& value) {
    switch (shape.kind) {
      case Kind::structure:
        return structure(shape, value);
      case Kind::list:
        return list(shape, value);
      case Kind::map: {
        auto object = OrderedJson::object();
        for (const auto& [key, item] : value.members()) object[key] = encode(*shape.item, item);
        return object;
      }
      default:
        return scalar(shape, value);
    }
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  OrderedJson structure(const Shape& shape, const Value& value) {
    auto object = OrderedJson::object();
    for (const auto& member : shape.members) {
      if (const auto* held = value.find(member.name))
        object[member.name] = encode(*member.shape, *held);
    }
    if (object.size() != value.members().size())
      fault_ = fmt::format("{} has not all the members of the output", shape.name);
    return object;
  }

  OrderedJson list(const Shape& shape, const Value& value) {
    auto array = OrderedJson::array();
    for (const auto& item : value.items()) array.push_back(encode(*shape.item, item));
    return array;
  }

  OrderedJson scalar(const Shape& shape, const Value& value) {
    if (const auto* flag = std::get_if<bool>(&value.held())) return *flag;
    if (const auto* whole = std::get_if<std::int64_t>(&value.held())) {
      if (shape.kind == Kind::number) return static_cast<double>(*whole);
      return *whole;
    }
    if (const auto* fraction = std::get_if<double>(&value.held())) return *fraction;
    if (const auto* time = std::get_if<Timestamp>(&value.held()))
      return static_cast<double>(time->ms) / 1'000;
    if (const auto* text = std::get_if<std::string>(&value.held()))
      return shape.kind == Kind::blob ? model::base64_encode(*text) : *text;
    fault_ = fmt::format("{} holds a value of another kind", shape.name);
    return nullptr;
  }

  std::string fault_;
};

std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace

Result<Json> parse_json(std::string_view body) {
  if (body.empty()) return Json::object();
  auto tree = Json::parse(body.begin(), body.end(), nullptr, false);
  if (tree.is_discarded()) return fail("SerializationException", "The body is not JSON");
  return tree;
}

Result<Value> decode_tree(const Shape* input, const Json& tree) {
  if (input == nullptr) return Value();
  return decode(*input, tree, {}, 0);
}

Result<std::string> encode_json(const Operation& operation, const Value& output) {
  if (operation.output == nullptr) return "{}";
  Encoder encoder;
  const auto tree = encoder.encode(*operation.output, output);
  if (!encoder.fault().empty())
    return fail("BadOutput", fmt::format("{}: {}", operation.name, encoder.fault()));
  return dump(tree);
}

std::string encode_json_error(std::string_view shape, std::string_view message) {
  return dump(OrderedJson{{"__type", shape}, {"message", message}});
}

}  // namespace weir::aws
