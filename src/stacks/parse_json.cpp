// JSON by RFC 8259, with the place of every value.
//
// A reader of our own, because the messages name line and column and because YAML readers take much
// for JSON that CloudFormation refuses (comments, trailing commas, single quotes).
#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <utility>

#include "stacks/limits.hpp"
#include "stacks/parse.hpp"

namespace weir::stacks {

namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class JsonReader {
 public:
  JsonReader(std::string_view text, Diagnostics& diagnostics)
      : text_(text), diagnostics_(diagnostics) {}

  std::optional<Value> read() {
    Value root;
    skip_space();
    if (!read_value(root, 1)) return std::nullopt;
    skip_space();
    if (at_ < text_.size()) {
      expected("the end of the template");
      return std::nullopt;
    }
    return root;
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // One character on; continuation bytes of UTF-8 do not count as columns.
  void advance() {
    const char c = text_[at_++];
    if (c == '\n') {
      mark_ = {mark_.line + 1, 1};
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++mark_.column;
    }
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r' || peek() == '\n') advance();
  }

  bool fault(std::string message) {
    diagnostics_.add(mark_, {}, std::move(message));
    return false;
  }

  bool expected(std::string_view what) {
    if (at_ >= text_.size()) return fault(fmt::format("expected {}, found the end", what));
    if (text_.substr(at_).starts_with("//") || text_.substr(at_).starts_with("/*") ||
        peek() == '#') {
      return fault(fmt::format("expected {}; JSON has no comments", what));
    }
    std::size_t length = 1;
    while (at_ + length < text_.size() &&
           (static_cast<unsigned char>(text_[at_ + length]) & 0xC0U) == 0x80U) {
      ++length;
    }
    return fault(fmt::format("expected {}, found '{}'", what, text_.substr(at_, length)));
  }

  bool take(char c, std::string_view what) {
    if (peek() != c || at_ >= text_.size()) return expected(what);
    advance();
    return true;
  }

  bool read_value(Value& value, std::size_t depth) {
    value.mark = mark_;
    if (depth > limits::tree_depth_max) {
      return fault(fmt::format("nested deeper than {}", limits::tree_depth_max));
    }
    if (++nodes_ > limits::tree_nodes_max) {
      return fault(fmt::format("more than {} values", limits::tree_nodes_max));
    }
    switch (peek()) {
      case '{':
        return read_map(value, depth);
      case '[':
        return read_list(value, depth);
      case '"':
        value.kind = Kind::string;
        return read_string(value.text);
      case 't':
        return read_word("true", Kind::boolean, value);
      case 'f':
        return read_word("false", Kind::boolean, value);
      case 'n':
        return read_word("null", Kind::null, value);
      default:
        return read_number(value);
    }
  }

  bool read_word(std::string_view word, Kind kind, Value& value) {
    if (!text_.substr(at_).starts_with(word)) return expected("a value");
    for (std::size_t i = 0; i < word.size(); ++i) advance();
    value.kind = kind;
    if (kind == Kind::boolean) value.text = word;
    return true;
  }

  void read_digits(std::string& out) {
    while (peek() >= '0' && peek() <= '9') {
      out += peek();
      advance();
    }
  }

  bool read_number(Value& value) {
    std::string& out = value.text;
    const auto is_digit = [this] { return peek() >= '0' && peek() <= '9'; };
    if (peek() != '-' && !is_digit()) return expected("a value");
    if (peek() == '-') {
      out += '-';
      advance();
    }
    if (peek() == '0') {
      out += '0';
      advance();
      if (is_digit()) return expected("a number without leading zeros");
    } else {
      if (!is_digit()) return expected("a digit");
      read_digits(out);
    }
    if (peek() == '.') {
      out += '.';
      advance();
      if (!is_digit()) return expected("a digit");
      read_digits(out);
    }
    if (peek() == 'e' || peek() == 'E') {
      out += peek();
      advance();
      if (peek() == '+' || peek() == '-') {
        out += peek();
        advance();
      }
      if (!is_digit()) return expected("a digit");
      read_digits(out);
    }
    value.kind = Kind::number;
    return true;
  }

  bool read_hex4(std::uint32_t& code) {
    code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = peek();
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint32_t>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<std::uint32_t>(c - 'A' + 10);
      } else {
        return expected("four hexadecimal digits");
      }
      code = code * 16 + digit;
      advance();
    }
    return true;
  }

  bool read_unicode_escape(std::string& out) {
    std::uint32_t code = 0;
    if (!read_hex4(code)) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
      std::uint32_t low = 0;
      if (!text_.substr(at_).starts_with("\\u")) return expected("the second half of a surrogate");
      advance();
      advance();
      if (!read_hex4(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return fault("wrong second half of a surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      return fault("second half of a surrogate without its first");
    } else if (code == 0) {
      return fault("\\u0000 in a string");
    }
    append_utf8(out, code);
    return true;
  }

  bool read_escape(std::string& out) {
    advance();
    const char c = peek();
    static constexpr std::string_view from = "\"\\/bfnrt";
    static constexpr std::string_view to = "\"\\/\b\f\n\r\t";
    const std::size_t which = at_ < text_.size() ? from.find(c) : std::string_view::npos;
    if (which != std::string_view::npos) {
      out += to[which];
      advance();
      return true;
    }
    if (c != 'u') return expected("an escape (one of \" \\ / b f n r t u)");
    advance();
    return read_unicode_escape(out);
  }

  bool read_string(std::string& out) {
    const Mark start = mark_;
    advance();
    while (at_ < text_.size() && peek() != '"') {
      if (peek() == '\n') {
        return fault(fmt::format("the string that begins in column {} does not end", start.column));
      }
      if (static_cast<unsigned char>(peek()) < 0x20) return fault("control character in a string");
      if (peek() == '\\') {
        if (!read_escape(out)) return false;
      } else {
        out += peek();
        advance();
      }
    }
    return take('"', "'\"'");
  }

  bool read_list(Value& value, std::size_t depth) {
    value.kind = Kind::list;
    advance();
    skip_space();
    if (peek() == ']') {
      advance();
      return true;
    }
    while (true) {
      skip_space();
      if (!read_value(value.items.emplace_back(), depth + 1)) return false;
      skip_space();
      if (peek() == ']') {
        advance();
        return true;
      }
      if (!take(',', "',' or ']'")) return false;
    }
  }

  bool read_member(Value& value, std::set<std::string>& seen, std::size_t depth) {
    Key key;
    key.mark = mark_;
    if (peek() != '"') return expected("a key in double quotes");
    if (!read_string(key.text)) return false;
    if (!seen.insert(key.text).second) {
      diagnostics_.add(key.mark, {}, fmt::format("the key {} is given twice", key.text));
    }
    skip_space();
    if (!take(':', "':'")) return false;
    skip_space();
    Value member;
    if (!read_value(member, depth + 1)) return false;
    value.add(std::move(key), std::move(member));
    return true;
  }

  bool read_map(Value& value, std::size_t depth) {
    value.kind = Kind::map;
    std::set<std::string> seen;
    advance();
    skip_space();
    if (peek() == '}') {
      advance();
      return true;
    }
    while (true) {
      skip_space();
      if (!read_member(value, seen, depth)) return false;
      skip_space();
      if (peek() == '}') {
        advance();
        return true;
      }
      if (!take(',', "',' or '}'")) return false;
    }
  }

  std::string_view text_;
  Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
  Mark mark_{1, 1};
};

}  // namespace

std::optional<Value> parse_json(std::string_view text, Diagnostics& diagnostics) {
  return JsonReader(text, diagnostics).read();
}

}  // namespace weir::stacks
