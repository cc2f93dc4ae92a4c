#include "aws/protocol/query_decoder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "aws/protocol/complaints.hpp"
#include "aws/protocol/scalar.hpp"
#include "model/base64.hpp"

namespace weir::aws {
namespace {

constexpr std::size_t index_digits_max = 9;

bool is_of_the_request(std::string_view name) {
  static constexpr std::array names{std::string_view("Action"),
                                    std::string_view("Version"),
                                    std::string_view("X-Amz-Algorithm"),
                                    std::string_view("X-Amz-Credential"),
                                    std::string_view("X-Amz-Date"),
                                    std::string_view("X-Amz-Expires"),
                                    std::string_view("X-Amz-SignedHeaders"),
                                    std::string_view("X-Amz-Signature"),
                                    std::string_view("X-Amz-Security-Token")};
  return std::ranges::find(names, name) != names.end();
}

std::optional<std::uint64_t> index_of(std::string_view word) {
  if (word.empty() || word.size() > index_digits_max || word[0] == '0') return std::nullopt;
  std::uint64_t index = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return index;
}

std::optional<Value> scalar(const Shape& shape, const std::string& text) {
  switch (shape.kind) {
    case Kind::integer: {
      const auto value = parse_integer(text);
      if (!value || *value > std::numeric_limits<std::int32_t>::max() ||
          *value < std::numeric_limits<std::int32_t>::min()) {
        return std::nullopt;
      }
      return Value(*value);
    }
    case Kind::long_integer: {
      const auto value = parse_integer(text);
      return value ? std::optional(Value(*value)) : std::nullopt;
    }
    case Kind::number: {
      const auto value = parse_number(text);
      return value ? std::optional(Value(*value)) : std::nullopt;
    }
    case Kind::boolean: {
      const auto value = parse_boolean(text);
      return value ? std::optional(Value(*value)) : std::nullopt;
    }
    case Kind::timestamp: {
      const auto value = parse_timestamp(text);
      return value ? std::optional(Value(*value)) : std::nullopt;
    }
    case Kind::blob: {
      auto value = model::base64_decode(text);
      return value ? std::optional(Value(std::move(*value))) : std::nullopt;
    }
    default:
      return Value(text);
  }
}

class Decoder {
 public:
  explicit Decoder(Protocol protocol) : protocol_(protocol) {}

  Result<Value> structure(const Shape& shape, const ParameterNode& node, const std::string& path);

 private:
  using Indexed = std::vector<std::pair<std::uint64_t, const ParameterNode*>>;

  Result<Value> value(const Shape& shape, const ParameterNode& node, const std::string& path);
  Result<Value> list(const Shape& shape, const ParameterNode& node, const std::string& path);
  Result<Value> map(const Shape& shape, const ParameterNode& node, const std::string& path);
  Result<std::pair<std::string, Value>> entry(const Shape& shape, const ParameterNode& node,
                                              const std::string& path);
  // What stands below "member" (or whatever the list calls its items), by number.
  Result<Indexed> indexed(const ParameterNode& node, std::string& path, std::string_view word);
  // A text where a structure, list or map is due; an empty one says that it is empty.
  [[nodiscard]] Status refuse_text(const Shape& shape, const ParameterNode& node,
                                   const std::string& path) const;

  Protocol protocol_;
};

std::string join(const std::string& path, std::string_view word) {
  return path.empty() ? std::string(word) : fmt::format("{}.{}", path, word);
}

Status Decoder::refuse_text(const Shape& shape, const ParameterNode& node,
                            const std::string& path) const {
  if (node.value == nullptr || node.value->empty()) return {};
  return std::unexpected(wrong_kind(protocol_, path, shape, *node.value));
}

Result<Value> Decoder::structure(const Shape& shape, const ParameterNode& node,
                                 const std::string& path) {
  if (auto refused = refuse_text(shape, node, path); !refused)
    return std::unexpected(refused.error());
  Value result;
  std::size_t known = 0;
  for (const auto& member : shape.members) {
    const auto found = node.children.find(member.parameter);
    if (found == node.children.end()) continue;
    ++known;
    auto decoded = value(*member.shape, found->second, join(path, member.parameter));
    if (!decoded) return decoded;
    result.set(member.name, std::move(*decoded));
  }
  if (known == node.children.size()) return result;
  for (const auto& [word, child] : node.children) {
    if (path.empty() && is_of_the_request(word)) continue;
    if (std::ranges::find(shape.members, word, &Member::parameter) == shape.members.end())
      return std::unexpected(unknown_parameter(protocol_, join(path, word)));
  }
  return result;
}

Result<Value> Decoder::value(const Shape& shape, const ParameterNode& node,
                             const std::string& path) {
  switch (shape.kind) {
    case Kind::structure:
      return structure(shape, node, path);
    case Kind::list:
      return list(shape, node, path);
    case Kind::map:
      return map(shape, node, path);
    default:
      break;
  }
  if (!node.children.empty())
    return std::unexpected(unknown_parameter(protocol_, join(path, node.children.begin()->first)));
  auto decoded = scalar(shape, *node.value);
  if (!decoded) return std::unexpected(wrong_kind(protocol_, path, shape, *node.value));
  return std::move(*decoded);
}

Result<Decoder::Indexed> Decoder::indexed(const ParameterNode& node, std::string& path,
                                          std::string_view word) {
  const auto* parent = &node;
  if (!word.empty()) {
    for (const auto& [name, child] : node.children) {
      if (name != word) return std::unexpected(unknown_parameter(protocol_, join(path, name)));
      parent = &child;
    }
    if (parent != &node) path = join(path, word);
  }
  Indexed items;
  if (parent == &node && !word.empty()) return items;
  for (const auto& [name, child] : parent->children) {
    const auto index = index_of(name);
    if (!index) return std::unexpected(unknown_parameter(protocol_, join(path, name)));
    items.emplace_back(*index, &child);
  }
  std::ranges::sort(items);
  return items;
}

Result<Value> Decoder::list(const Shape& shape, const ParameterNode& node,
                            const std::string& path) {
  if (auto refused = refuse_text(shape, node, path); !refused)
    return std::unexpected(refused.error());
  std::string inner = path;
  const bool is_flat = shape.is_flattened || protocol_ == Protocol::ec2;
  auto items = indexed(node, inner, is_flat ? std::string_view() : shape.item_name);
  if (!items) return std::unexpected(items.error());
  Value::List values;
  values.reserve(items->size());
  for (const auto& [index, child] : *items) {
    auto decoded = value(*shape.item, *child, fmt::format("{}.{}", inner, index));
    if (!decoded) return decoded;
    values.push_back(std::move(*decoded));
  }
  return Value(std::move(values));
}

Result<std::pair<std::string, Value>> Decoder::entry(const Shape& shape, const ParameterNode& node,
                                                     const std::string& path) {
  const auto key = node.children.find("key");
  const auto item = node.children.find("value");
  if (key == node.children.end() || key->second.value == nullptr)
    return std::unexpected(missing_parameter(join(path, "key")));
  if (item == node.children.end()) return std::unexpected(missing_parameter(join(path, "value")));
  auto decoded = value(*shape.item, item->second, join(path, "value"));
  if (!decoded) return std::unexpected(decoded.error());
  return std::pair(*key->second.value, std::move(*decoded));
}

Result<Value> Decoder::map(const Shape& shape, const ParameterNode& node, const std::string& path) {
  if (auto refused = refuse_text(shape, node, path); !refused)
    return std::unexpected(refused.error());
  std::string inner = path;
  const bool is_flat = shape.is_flattened || protocol_ == Protocol::ec2;
  auto items = indexed(node, inner, is_flat ? std::string_view() : std::string_view("entry"));
  if (!items) return std::unexpected(items.error());
  std::map<std::string, Value> entries;
  for (const auto& [index, child] : *items) {
    auto decoded = entry(shape, *child, fmt::format("{}.{}", inner, index));
    if (!decoded) return std::unexpected(decoded.error());
    entries.insert_or_assign(std::move(decoded->first), std::move(decoded->second));
  }
  return Value::structure(Value::Structure(std::make_move_iterator(entries.begin()),
                                           std::make_move_iterator(entries.end())));
}

}  // namespace

Result<Value> decode_query(Protocol protocol, const Shape* input, const Parameters& parameters) {
  static const Shape nothing{.kind = Kind::structure};
  const auto tree = parameter_tree(parameters);
  if (!tree) return std::unexpected(tree.error());
  return Decoder(protocol).structure(input == nullptr ? nothing : *input, *tree, {});
}

}  // namespace weir::aws
