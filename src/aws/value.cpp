#include "aws/value.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace weir::aws {

const Value* Value::find(std::string_view name) const {
  const auto& all = members();
  const auto found = std::ranges::find(all, name, &Member::first);
  return found == all.end() ? nullptr : &found->second;
}

namespace {

template <typename T>
std::optional<T> held_as(const Value* value) {
  if (value == nullptr) return std::nullopt;
  const auto* held = std::get_if<T>(&value->held());
  return held == nullptr ? std::nullopt : std::optional<T>(*held);
}

}  // namespace

std::string Value::text(std::string_view name, std::string_view otherwise) const {
  return optional_text(name).value_or(std::string(otherwise));
}

std::optional<std::string> Value::optional_text(std::string_view name) const {
  return held_as<std::string>(find(name));
}

std::optional<std::int64_t> Value::integer(std::string_view name) const {
  return held_as<std::int64_t>(find(name));
}

std::optional<double> Value::number(std::string_view name) const {
  if (const auto whole = integer(name)) return static_cast<double>(*whole);
  return held_as<double>(find(name));
}

std::optional<bool> Value::flag(std::string_view name) const { return held_as<bool>(find(name)); }

std::optional<Timestamp> Value::time(std::string_view name) const {
  return held_as<Timestamp>(find(name));
}

const Value::List& Value::list(std::string_view name) const {
  static const List none;
  const auto* value = find(name);
  return value == nullptr ? none : value->items();
}

std::vector<std::string> Value::texts(std::string_view name) const {
  std::vector<std::string> texts;
  for (const auto& item : list(name)) texts.push_back(item.as_text());
  return texts;
}

const std::vector<Value::Member>& Value::members() const {
  static const Structure none;
  const auto* held = std::get_if<Structure>(&held_);
  return held == nullptr ? none : *held;
}

std::string Value::as_text() const {
  const auto* held = std::get_if<std::string>(&held_);
  return held == nullptr ? std::string() : *held;
}

const Value::List& Value::items() const {
  static const List none;
  const auto* held = std::get_if<List>(&held_);
  return held == nullptr ? none : *held;
}

Value& Value::set(std::string_view name, Value value) {
  auto* held = std::get_if<Structure>(&held_);
  WEIR_ASSERT(held != nullptr);
  const auto found = std::ranges::find(*held, name, &Member::first);
  if (found != held->end()) {
    found->second = std::move(value);
  } else {
    held->emplace_back(std::string(name), std::move(value));
  }
  return *this;
}

Value& Value::set_text(std::string_view name, std::string_view text) {
  if (!text.empty()) set(name, Value(text));
  return *this;
}

void Value::add(Value item) {
  auto* held = std::get_if<List>(&held_);
  WEIR_ASSERT(held != nullptr);
  held->push_back(std::move(item));
}

}  // namespace weir::aws
