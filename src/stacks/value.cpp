#include "stacks/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::stacks {

const Value* Value::find(std::string_view key) const {
  if (kind != Kind::map) return nullptr;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

bool Value::has_unknown() const {
  return is_unknown() || std::ranges::any_of(items, &Value::has_unknown);
}

Value Value::make_string(std::string text, Mark mark) {
  Value value;
  value.kind = Kind::string;
  value.mark = mark;
  value.text = std::move(text);
  return value;
}

Value Value::make_list(Mark mark) {
  Value value;
  value.kind = Kind::list;
  value.mark = mark;
  return value;
}

Value Value::make_map(Mark mark) {
  Value value;
  value.kind = Kind::map;
  value.mark = mark;
  return value;
}

Value Value::make_unknown(Mark mark) {
  Value value;
  value.kind = Kind::unknown;
  value.mark = mark;
  return value;
}

void Value::add(Key key, Value value) {
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::boolean:
      return "a boolean";
    case Kind::number:
      return "a number";
    case Kind::string:
      return "a string";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    case Kind::unknown:
      return "a value known later";
  }
  return "a value";
}

namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_json(std::string& out, const Value& value) {
  switch (value.kind) {
    case Kind::null:
      out += "null";
      return;
    case Kind::unknown:
      out += "\"(known after creation)\"";
      return;
    case Kind::boolean:
    case Kind::number:
    case Kind::string:
      append_quoted(out, value.text);
      return;
    case Kind::list:
      out += '[';
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ',';
        append_json(out, value.items[i]);
      }
      out += ']';
      return;
    case Kind::map:
      out += '{';
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out += ',';
        append_quoted(out, value.keys[i].text);
        out += ':';
        append_json(out, value.items[i]);
      }
      out += '}';
      return;
  }
}

}  // namespace

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace weir::stacks
