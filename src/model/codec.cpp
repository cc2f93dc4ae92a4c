// nlohmann-json stops here: its exceptions are caught in this file, its header is seen by no other.
//
// Each type is described once, by `fields` (codec_fields.hpp), as a list of (name, member). A
// Writer and a Reader both walk that list; which one decides what `archive(name, member)` does.
#include "model/codec.hpp"

#include <fmt/format.h>

#include <array>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "model/base64.hpp"
#include "model/codec_fields.hpp"
#include "model/names.hpp"

namespace weir::model {
namespace {

using Json = nlohmann::json;

// Thrown by the Reader, caught in decode(): the path is prefixed on the way up.
struct BadField {
  std::string message;
};

// ---------------------------------------------------------------- writing
struct Writer {
  Json json = Json::object();

  template <typename T>
  void operator()(const char* name, const T& value) {
    json[name] = write(value);
  }

  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) json[name] = write(*value);
  }

  template <std::size_t N>
  void alternative(const std::array<const char*, N>& names, const auto& config) {
    json["type"] = names.at(config.index());
    json["config"] = std::visit([](const auto& value) { return write(value); }, config);
  }

  template <typename T>
  static Json write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return std::string(name_of(value));
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
      return value;
    } else if constexpr (requires { typename T::mapped_type; }) {
      return Json(value);
    } else {
      Writer writer;
      fields(writer, value);
      return std::move(writer.json);
    }
  }

  template <typename T>
  static Json write(const std::vector<T>& values) {
    Json out = Json::array();
    for (const T& value : values) out.push_back(write(value));
    return out;
  }

  template <typename String>
  static Json write(const Bytes<String>& bytes) {
    return base64_encode(bytes.value);
  }
};

// ---------------------------------------------------------------- reading
[[noreturn]] void wrong_type(const char* expected, const Json& found) {
  throw BadField{fmt::format(": expected {}, found {}", expected, found.type_name())};
}

void read(const Json& json, std::string& value) {
  if (!json.is_string()) wrong_type("a string", json);
  value = json.get_ref<const std::string&>();
}

void read(const Json& json, bool& value) {
  if (!json.is_boolean()) wrong_type("true or false", json);
  value = json.get<bool>();
}

template <std::integral T>
void read(const Json& json, T& value) {
  if (!json.is_number_integer()) wrong_type("an integer", json);
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{INT64_MAX}) {
    throw BadField{": the number is out of range"};
  }
  const auto number = json.get<std::int64_t>();
  if (!std::in_range<T>(number)) throw BadField{": the number is out of range"};
  value = static_cast<T>(number);
}

template <typename Enum>
void read_enum(const Json& json, std::optional<Enum> (*parse)(std::string_view), Enum& value) {
  std::string name;
  read(json, name);
  const auto found = parse(name);
  if (!found) throw BadField{fmt::format(": '{}' is not known", name)};
  value = *found;
}

void read(const Json& json, InstanceState& value) { read_enum(json, instance_state, value); }
void read(const Json& json, LoadBalancerState& value) {
  read_enum(json, load_balancer_state, value);
}
void read(const Json& json, ConditionField& value) { read_enum(json, condition_field, value); }
void read(const Json& json, TransformType& value) { read_enum(json, transform_type, value); }
void read(const Json& json, JwtClaim::Format& value) { read_enum(json, claim_format, value); }

void read(const Json& json, std::map<std::string, std::string>& value) {
  if (!json.is_object()) wrong_type("an object", json);
  value.clear();
  for (const auto& [key, item] : json.items()) {
    if (!item.is_string()) throw BadField{fmt::format(".{}: expected a string", key)};
    value[key] = item.get_ref<const std::string&>();
  }
}

void read(const Json& json, Bytes<std::string> bytes) {
  std::string text;
  read(json, text);
  auto decoded = base64_decode(text);
  if (!decoded) throw BadField{": not base64"};
  bytes.value = std::move(*decoded);
}

template <typename T>
requires std::is_class_v<T>
void read(const Json& json, T& value);

template <typename T>
void read(const Json& json, std::optional<T>& value) {
  value.emplace();
  read(json, *value);
}

template <typename T>
void read(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) wrong_type("a list", json);
  values.clear();
  for (const Json& item : json) {
    try {
      read(item, values.emplace_back());
    } catch (const BadField& bad) {
      throw BadField{fmt::format("[{}]{}", values.size() - 1, bad.message)};
    }
  }
}

struct Reader {
  const Json& json;

  template <typename T>
  void operator()(const char* name, T&& value) {
    const auto found = json.find(name);
    if (found == json.end()) return;
    try {
      read(*found, std::forward<T>(value));
    } catch (const BadField& bad) {
      throw BadField{fmt::format(".{}{}", name, bad.message)};
    }
  }

  // `names` in the variant's order.
  template <typename... Types>
  void alternative(const std::array<const char*, sizeof...(Types)>& names,
                   std::variant<Types...>& config) {
    std::string type;
    (*this)("type", type);
    std::size_t index = 0;
    const auto read_as = [&]<typename T>(std::type_identity<T>) {
      if (type != names.at(index++)) return false;
      (*this)("config", config.template emplace<T>());
      return true;
    };
    if (!(read_as(std::type_identity<Types>{}) || ...))
      throw BadField{fmt::format(".type: '{}' is not known", type)};
  }
};

template <typename T>
requires std::is_class_v<T>
void read(const Json& json, T& value) {
  if (!json.is_object()) wrong_type("an object", json);
  Reader reader{json};
  fields(reader, value);
}

// ---------------------------------------------------------------- the edges
template <typename T>
std::string to_text(const T& value) {
  // What is not UTF-8 was refused by validation; were it not, it is replaced rather than thrown.
  return Writer::write(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename T>
Result<T> from_text(const char* kind, std::string_view text) {
  try {
    const Json json = Json::parse(text);
    T value;
    read(json, value);
    return value;
  } catch (const BadField& bad) {
    return fail("BadRecord", kind + bad.message);
  } catch (const Json::exception& error) {
    return fail("BadRecord", fmt::format("{}: not JSON: {}", kind, error.what()));
  }
}

}  // namespace

std::string encode(const Vpc& value) { return to_text(value); }
std::string encode(const Subnet& value) { return to_text(value); }
std::string encode(const SecurityGroup& value) { return to_text(value); }
std::string encode(const KeyPair& value) { return to_text(value); }
std::string encode(const Instance& value) { return to_text(value); }
std::string encode(const TargetGroup& value) { return to_text(value); }
std::string encode(const Target& value) { return to_text(value); }
std::string encode(const LoadBalancer& value) { return to_text(value); }
std::string encode(const Listener& value) { return to_text(value); }
std::string encode(const Rule& value) { return to_text(value); }
std::string encode(const StickinessKey& value) { return to_text(value); }
std::string encode(const AccessKey& value) { return to_text(value); }
std::string encode(const Stack& value) { return to_text(value); }
std::string encode(const Certificate& value) { return to_text(value); }
std::string encode(const TrustStore& value) { return to_text(value); }

Result<Vpc> decode_vpc(std::string_view json) { return from_text<Vpc>("vpc", json); }
Result<Subnet> decode_subnet(std::string_view json) { return from_text<Subnet>("subnet", json); }
Result<SecurityGroup> decode_security_group(std::string_view json) {
  return from_text<SecurityGroup>("security_group", json);
}
Result<KeyPair> decode_key_pair(std::string_view json) {
  return from_text<KeyPair>("key pair", json);
}
Result<Instance> decode_instance(std::string_view json) {
  return from_text<Instance>("instance", json);
}
Result<TargetGroup> decode_target_group(std::string_view json) {
  return from_text<TargetGroup>("target_group", json);
}
Result<Target> decode_target(std::string_view json) { return from_text<Target>("target", json); }
Result<LoadBalancer> decode_load_balancer(std::string_view json) {
  return from_text<LoadBalancer>("load_balancer", json);
}
Result<Listener> decode_listener(std::string_view json) {
  return from_text<Listener>("listener", json);
}
Result<Rule> decode_rule(std::string_view json) { return from_text<Rule>("rule", json); }
Result<StickinessKey> decode_stickiness_key(std::string_view json) {
  return from_text<StickinessKey>("stickiness key", json);
}
Result<AccessKey> decode_access_key(std::string_view json) {
  return from_text<AccessKey>("access key", json);
}
Result<Stack> decode_stack(std::string_view json) { return from_text<Stack>("stack", json); }
Result<Certificate> decode_certificate(std::string_view json) {
  return from_text<Certificate>("certificate", json);
}
Result<TrustStore> decode_trust_store(std::string_view json) {
  return from_text<TrustStore>("trust store", json);
}

}  // namespace weir::model
