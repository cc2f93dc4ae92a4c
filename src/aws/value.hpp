// What travels in a call of an AWS API: the input once it is decoded and validated, the output
// before it is encoded.
//
// A tree of plain values, named by the members' names of the service's description ("InstanceIds",
// as the SDKs call them); how a member is called on the wire, in which protocol, and what it may
// hold is in the description alone. A handler reads an input that is known to be valid: required
// members are there, types, ranges, patterns and enums hold.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::aws {

struct Timestamp {
  std::int64_t ms = 0;  // since 1970, UTC
  bool operator==(const Timestamp&) const = default;
};

class Value {
 public:
  using List = std::vector<Value>;
  using Member = std::pair<std::string, Value>;

  Value() = default;  // a structure without members
  Value(std::string text) : held_(std::move(text)) {}
  Value(std::string_view text) : held_(std::string(text)) {}
  Value(const char* text) : held_(std::string(text)) {}
  Value(bool flag) : held_(flag) {}
  Value(int number) : held_(static_cast<std::int64_t>(number)) {}
  Value(std::int64_t number) : held_(number) {}
  Value(double number) : held_(number) {}
  Value(Timestamp time) : held_(time) {}
  Value(List items) : held_(std::move(items)) {}
  Value(std::initializer_list<Member> members) : held_(Structure(members)) {}
  using Structure = std::vector<Member>;
  // A structure or map whose members have different names.
  [[nodiscard]] static Value structure(Structure members) {
    Value value;
    value.held_ = std::move(members);
    return value;
  }
  // A list of any values that convert: Value::list_of(names).
  template <typename Range>
  [[nodiscard]] static Value list_of(const Range& range) {
    List items;
    for (const auto& item : range) items.emplace_back(item);
    return Value(std::move(items));
  }

  // ---- reading a structure or a map; a value of another kind has no members
  [[nodiscard]] const Value* find(std::string_view name) const;  // nullptr: not set
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  // The member's text; `otherwise` where it is not set.
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise = {}) const;
  [[nodiscard]] std::optional<std::string> optional_text(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view name) const;
  [[nodiscard]] std::optional<Timestamp> time(std::string_view name) const;
  [[nodiscard]] const List& list(std::string_view name) const;                // empty where not set
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;  // of a list
  [[nodiscard]] const std::vector<Member>& members() const;

  // ---- reading the value itself
  [[nodiscard]] std::string as_text() const;  // of a string or blob; empty for other kinds
  [[nodiscard]] const List& items() const;

  // ---- writing; a member that is set again is replaced
  Value& set(std::string_view name, Value value);
  // Only where it says something: not an empty string.
  Value& set_text(std::string_view name, std::string_view text);
  void add(Value item);  // to a list

  using Held = std::variant<Structure, std::string, bool, std::int64_t, double, Timestamp, List>;
  [[nodiscard]] const Held& held() const { return held_; }

 private:
  Held held_;
};

}  // namespace weir::aws
