// A template as a tree of values that know where they were written.
//
// YAML and JSON give the same tree: the short form of a function (`!Ref Web`) is stored as its long
// one (`{Ref: Web}`), maps keep their order, scalars keep their text as written. What a scalar is
// (a number, a switch, a name) is decided where its meaning is known, by a schema; `kind` only
// tells how it was written. Trees are bounded in size and depth, so that walking one may recurse.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::stacks {

// 1-based; line 0: nowhere in a file (a value given on the command line).
struct Mark {
  int line = 0;
  int column = 0;
  bool operator==(const Mark&) const = default;
};

enum class Kind : std::uint8_t {
  null,
  boolean,
  number,
  string,
  list,
  map,
  unknown,  // known only once a resource exists; made by resolving, never by parsing
};

struct Key {
  std::string text;
  Mark mark;
};

struct Value {
  Kind kind = Kind::null;
  Mark mark;
  std::string text;          // boolean, number, string: as written, without quotes and escapes
  std::vector<Value> items;  // of a list, or a map's values in order
  std::vector<Key> keys;     // of a map: as many as items

  [[nodiscard]] bool is_scalar() const {
    return kind == Kind::boolean || kind == Kind::number || kind == Kind::string;
  }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_unknown() const { return kind == Kind::unknown; }
  // The member of a map with this key; nullptr where there is none or this is no map.
  [[nodiscard]] const Value* find(std::string_view key) const;

  // It is unknown, or something in it is.
  [[nodiscard]] bool has_unknown() const;

  static Value make_string(std::string text, Mark mark);
  static Value make_list(Mark mark);
  static Value make_map(Mark mark);
  static Value make_unknown(Mark mark);
  void add(Key key, Value value);  // to a map
};

// "a string", "a list", …: for messages.
[[nodiscard]] std::string_view kind_name(Kind kind);

// JSON without white space; scalars are strings, as CloudFormation passes them on.
[[nodiscard]] std::string to_json(const Value& value);

// Reads YAML, or JSON where the first character is '{'. The error (code "ValidationError") has one
// line per fault, `file:line:column: what was expected`.
[[nodiscard]] Result<Value> parse_template(std::string_view text, const std::string& file_name);

}  // namespace weir::stacks
