#include "aws/protocol/validate.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/protocol/complaints.hpp"
#include "aws/protocol/scalar.hpp"

namespace weir::aws {
namespace {

constexpr std::size_t violations_max = 100;
constexpr std::size_t shown_length_max = 1'024;

// Characters, not bytes.
double length_of(std::string_view utf8) {
  return static_cast<double>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string bound_text(double bound) { return fmt::format("{:.0f}", bound); }

std::string lower_first(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

// ---------------------------------------------------------------- constraints of a shape, as text
enum class Broken : std::uint8_t { none, too_high, too_low, pattern, enum_value };

bool counts_value(Kind kind) {
  return kind == Kind::integer || kind == Kind::long_integer || kind == Kind::number;
}

std::string bound_constraint(const Shape& shape, bool is_high) {
  return fmt::format("Member must have {} {} than or equal to {}",
                     counts_value(shape.kind) ? "value" : "length", is_high ? "less" : "greater",
                     bound_text(is_high ? *shape.high : *shape.low));
}

std::string constraint_text(const Shape& shape, Broken broken) {
  switch (broken) {
    case Broken::too_high:
      return bound_constraint(shape, true);
    case Broken::too_low:
      return bound_constraint(shape, false);
    case Broken::pattern:
      return "Member must satisfy regular expression pattern: " + shape.pattern->pattern();
    case Broken::enum_value:
      return fmt::format("Member must satisfy enum value set: [{}]",
                         fmt::join(shape.enum_values, ", "));
    case Broken::none:
      break;
  }
  return {};
}

std::string all_constraints(const Shape& shape) {
  std::vector<std::string> texts;
  if (shape.high) texts.push_back(bound_constraint(shape, true));
  if (shape.low) texts.push_back(bound_constraint(shape, false));
  if (shape.pattern) texts.push_back(constraint_text(shape, Broken::pattern));
  if (shape.kind == Kind::enumeration) texts.push_back(constraint_text(shape, Broken::enum_value));
  return fmt::format("Member must satisfy constraint: [{}]", fmt::join(texts, ", "));
}

// ---------------------------------------------------------------- one value
struct SizeOf {
  double operator()(const Value::Structure& members) const {
    return static_cast<double>(members.size());
  }
  double operator()(const std::string& text) const { return length_of(text); }
  double operator()(const Value::List& items) const { return static_cast<double>(items.size()); }
  double operator()(std::int64_t number) const { return static_cast<double>(number); }
  double operator()(double number) const { return number; }
  double operator()(bool) const { return 0; }
  double operator()(Timestamp) const { return 0; }
};

Broken broken_by(const Shape& shape, const Value& value) {
  if (shape.low || shape.high) {
    const auto* text = std::get_if<std::string>(&value.held());
    const double size = shape.kind == Kind::blob && text != nullptr
                            ? static_cast<double>(text->size())
                            : std::visit(SizeOf{}, value.held());
    if (shape.high && size > *shape.high) return Broken::too_high;
    if (shape.low && size < *shape.low) return Broken::too_low;
  }
  if (shape.pattern && !RE2::FullMatch(value.as_text(), *shape.pattern)) return Broken::pattern;
  if (shape.kind == Kind::enumeration &&
      std::ranges::find(shape.enum_values, value.as_text()) == shape.enum_values.end()) {
    return Broken::enum_value;
  }
  return Broken::none;
}

struct TextOf {
  std::string operator()(const Value::Structure&) const { return "{...}"; }
  std::string operator()(const std::string& text) const { return text.substr(0, shown_length_max); }
  std::string operator()(const Value::List& items) const {
    std::string text = "[";
    for (const auto& item : items) {
      if (text.size() > 1) text += ", ";
      if (text.size() > shown_length_max) break;
      text += std::visit(TextOf{}, item.held());
    }
    return text + "]";
  }
  std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
  std::string operator()(double number) const { return number_text(number); }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(Timestamp time) const { return timestamp_text(time); }
};

std::string text_of(const Value& value) { return std::visit(TextOf{}, value.held()); }

bool is_scalar(Kind kind) {
  return kind != Kind::structure && kind != Kind::list && kind != Kind::map;
}

// ---------------------------------------------------------------- the framework's way
// All that is wrong, with paths such as "targets.1.member.port".
class Validator {
 public:
  void check(const Shape& shape, const Value& value, const std::string& path) {
    if (violations_.size() >= violations_max) return;
    if (const auto broken = broken_by(shape, value); broken != Broken::none)
      add(path, value, constraint_text(shape, broken));
    if (shape.kind == Kind::structure) check_members(shape, value, path);
    if (shape.kind == Kind::list) check_items(shape, value, path);
    if (shape.kind == Kind::map) {
      for (const auto& [key, item] : value.members()) check(*shape.item, item, join(path, key));
    }
  }
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  static std::string join(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
  }

  void check_members(const Shape& shape, const Value& value, const std::string& path) {
    for (const auto& member : shape.members) {
      const auto* held = value.find(member.name);
      if (held != nullptr) {
        check(*member.shape, *held, join(path, lower_first(member.name)));
      } else if (member.is_required) {
        violations_.push_back(
            fmt::format("Value null at '{}' failed to satisfy constraint: Member must not be null",
                        join(path, lower_first(member.name))));
      }
    }
  }

  void check_items(const Shape& shape, const Value& value, const std::string& path) {
    const auto& items = value.items();
    if (is_scalar(shape.item->kind)) {  // named as a whole, with all that an item must satisfy
      const auto is_broken = [&](const Value& item) {
        return broken_by(*shape.item, item) != Broken::none;
      };
      if (std::ranges::any_of(items, is_broken)) add(path, value, all_constraints(*shape.item));
      return;
    }
    for (std::size_t i = 0; i < items.size(); ++i)
      check(*shape.item, items[i], fmt::format("{}.{}.member", path, i + 1));
  }

  void add(const std::string& path, const Value& value, const std::string& constraint) {
    violations_.push_back(fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}",
                                      text_of(value), path, constraint));
  }

  std::vector<std::string> violations_;
};

// ---------------------------------------------------------------- EC2's way
// The first thing that is wrong, with the parameter's name.
class Ec2Validator {
 public:
  [[nodiscard]] std::optional<Error> check(const Shape& shape, const Value& value,
                                           const std::string& path) const {
    if (const auto broken = broken_by(shape, value); broken != Broken::none)
      return invalid(shape, value, path, broken);
    if (shape.kind == Kind::structure) return check_members(shape, value, path);
    if (shape.kind != Kind::list) return std::nullopt;
    const auto& items = value.items();
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (auto wrong = check(*shape.item, items[i], fmt::format("{}.{}", path, i + 1)))
        return wrong;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<Error> check_members(const Shape& shape, const Value& value,
                                                   const std::string& path) const {
    for (const auto& member : shape.members) {
      const auto name =
          path.empty() ? member.parameter : fmt::format("{}.{}", path, member.parameter);
      const auto* held = value.find(member.name);
      if (held == nullptr) {
        if (member.is_required) return missing_parameter(name);
      } else if (auto wrong = check(*member.shape, *held, name)) {
        return wrong;
      }
    }
    return std::nullopt;
  }

  static Error invalid(const Shape& shape, const Value& value, const std::string& path,
                       Broken broken) {
    std::string why;
    const auto what = shape.kind == Kind::list ? "items" : "characters";
    if (broken == Broken::enum_value) {
      why = fmt::format("Valid values are: {}.", fmt::join(shape.enum_values, ", "));
    } else if (broken == Broken::pattern) {
      why = "It must match " + shape.pattern->pattern();
    } else if (counts_value(shape.kind)) {
      why = broken == Broken::too_high
                ? fmt::format("Expecting a value less than {}.", bound_text(*shape.high))
                : fmt::format("Expecting a value greater than {}.", bound_text(*shape.low));
    } else {
      why = broken == Broken::too_high
                ? fmt::format("At most {} {} are allowed.", bound_text(*shape.high), what)
                : fmt::format("At least {} {} are needed.", bound_text(*shape.low), what);
    }
    return {"InvalidParameterValue",
            fmt::format("Value ( {} ) for parameter {} is invalid. {}", text_of(value),
                        lower_first(path), why),
            {}};
  }
};

}  // namespace

Status validate(Protocol protocol, const Shape& shape, const Value& value) {
  if (protocol == Protocol::ec2) {
    if (auto wrong = Ec2Validator{}.check(shape, value, {})) return std::unexpected(*wrong);
    return {};
  }
  Validator validator;
  validator.check(shape, value, {});
  if (validator.violations().empty()) return {};
  return std::unexpected(validation_failed(protocol, validator.violations()));
}

}  // namespace weir::aws
