// YAML through yaml-cpp's event parser, into our own tree.
//
// yaml-cpp's Node tree is not used: it drops the places of keys, shares aliased nodes and lets a
// key be given twice. Here events fill a stack of frames; short forms of functions become long ones
// as their node ends. What CloudFormation's YAML lacks (anchors, aliases, merge keys, tags of other
// types) is refused. The only file that sees yaml-cpp and its exceptions.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <set>
#include <streambuf>
#include <utility>
#include <vector>

#include "stacks/limits.hpp"
#include "stacks/parse.hpp"

namespace weir::stacks {

namespace {

// Ends the parse; its message is already in the diagnostics.
struct Stop {};

Mark to_mark(const YAML::Mark& mark) {
  return mark.is_null() ? Mark{} : Mark{mark.line + 1, mark.column + 1};
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  bool has_digit = false;
  bool has_dot = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      has_digit = true;
    } else if (c == '.' && !has_dot) {
      has_dot = true;
    } else if ((c == 'e' || c == 'E') && has_digit && i + 1 < text.size()) {
      std::string_view exponent = text.substr(i + 1);
      if (exponent.starts_with('-') || exponent.starts_with('+')) exponent.remove_prefix(1);
      return !exponent.empty() &&
             std::ranges::all_of(exponent, [](char d) { return d >= '0' && d <= '9'; });
    } else {
      return false;
    }
  }
  return has_digit;
}

// What a scalar without quotes is, by YAML 1.1's core words.
Kind plain_kind(std::string_view text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return Kind::null;
  if (is_one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no",
                       "No", "NO", "on", "On", "ON", "off", "Off", "OFF"})) {
    return Kind::boolean;
  }
  return is_number(text) ? Kind::number : Kind::string;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Value root;
  bool has_root = false;

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_root) stop(to_mark(mark), "a second document; a template is one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    if (expects_key()) stop(to_mark(mark), "expected a key");
    Value value;
    // The event's own place is that of the next token, on a later line.
    const bool has_key = !frames_.empty() && frames_.back().has_key;
    value.mark = has_key ? frames_.back().key.mark : to_mark(mark);
    put(std::move(value));
  }

  // Where the innermost open list or map begins; line 0: none is open.
  [[nodiscard]] Mark innermost() const {
    return frames_.empty() ? Mark{} : frames_.back().value.mark;
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(to_mark(mark), "aliases (*name) are not supported, as in CloudFormation");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_anchor(mark, anchor);
    if (text.find('\0') != std::string::npos) stop(to_mark(mark), "character 0 in a string");
    if (expects_key()) {
      set_key(to_mark(mark), tag, text);
      return;
    }
    Value value = Value::make_string(text, to_mark(mark));
    if (tag.empty() || tag == "?") {
      value.kind = plain_kind(text);
      if (value.kind == Kind::null) value.text.clear();
      put(std::move(value));
    } else if (tag == "!" || is_one_of(tag, {"tag:yaml.org,2002:str", "tag:yaml.org,2002:int",
                                             "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool",
                                             "tag:yaml.org,2002:null"})) {
      put(std::move(value));
    } else {
      put(wrap(function_of(tag, to_mark(mark)), std::move(value)));
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(Value::make_list(to_mark(mark)), tag, "tag:yaml.org,2002:seq");
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    open(Value::make_map(to_mark(mark)), tag, "tag:yaml.org,2002:map");
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Value value;
    std::string function;  // of the short form, long name; empty for none
    bool has_key = false;
    Key key;
    std::set<std::string> seen;
  };

  [[noreturn]] void stop(Mark mark, std::string message) {
    diagnostics_.add(mark, {}, std::move(message));
    throw Stop{};
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) {
      stop(to_mark(mark), "anchors (&name) are not supported, as in CloudFormation");
    }
  }

  [[nodiscard]] bool expects_key() const {
    return !frames_.empty() && frames_.back().value.is_map() && !frames_.back().has_key;
  }

  void set_key(Mark mark, const std::string& tag, const std::string& text) {
    if (!(tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str")) {
      stop(mark, fmt::format("a key cannot have the tag {}", tag));
    }
    if (text == "<<" && tag != "!") {
      stop(mark, "merge keys (<<) are not supported, as in CloudFormation");
    }
    Frame& frame = frames_.back();
    if (!frame.seen.insert(text).second) {
      diagnostics_.add(mark, {}, fmt::format("the key {} is given twice", text));
    }
    frame.key = {text, mark};
    frame.has_key = true;
  }

  std::string function_of(const std::string& tag, Mark mark) {
    const std::string_view name = tag.starts_with('!') ? std::string_view(tag).substr(1) : "";
    const std::string_view full = long_form(name);
    if (full.empty()) {
      stop(mark, fmt::format("unknown tag {}{}", tag, suggestion(name, short_forms())));
    }
    return std::string(full);
  }

  // {Fn::X: value}; the argument of GetAtt may be written Resource.Attribute.
  static Value wrap(const std::string& function, Value value) {
    const Mark mark = value.mark;
    if (function == "Fn::GetAtt" && value.is_scalar()) {
      const std::size_t dot = value.text.find('.');
      if (dot != std::string::npos) {
        Value pair = Value::make_list(mark);
        pair.items.push_back(Value::make_string(value.text.substr(0, dot), mark));
        pair.items.push_back(Value::make_string(value.text.substr(dot + 1), mark));
        value = std::move(pair);
      }
    }
    Value map = Value::make_map(mark);
    map.add({function, mark}, std::move(value));
    return map;
  }

  void open(Value value, const std::string& tag, std::string_view own_tag) {
    if (expects_key()) stop(value.mark, "a key must be a plain word, not a list or a map");
    if (frames_.size() >= limits::tree_depth_max) {
      stop(value.mark, fmt::format("nested deeper than {}", limits::tree_depth_max));
    }
    Frame frame;
    if (!(tag.empty() || tag == "?" || tag == "!" || tag == own_tag)) {
      frame.function = function_of(tag, value.mark);
    }
    frame.value = std::move(value);
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    put(frame.function.empty() ? std::move(frame.value)
                               : wrap(frame.function, std::move(frame.value)));
  }

  void put(Value value) {
    if (++nodes_ > limits::tree_nodes_max) {
      stop(value.mark, fmt::format("more than {} values", limits::tree_nodes_max));
    }
    if (frames_.empty()) {
      root = std::move(value);
      has_root = true;
      return;
    }
    Frame& frame = frames_.back();
    if (frame.value.is_map()) {
      frame.value.add(std::move(frame.key), std::move(value));
      frame.key = {};
      frame.has_key = false;
    } else {
      frame.value.items.push_back(std::move(value));
    }
  }

  Diagnostics& diagnostics_;
  std::vector<Frame> frames_;
  std::size_t nodes_ = 0;
};

// yaml-cpp's words, said so that one can act on them.
std::string explain(const std::string& message) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> words{{
      {"end of map not found",
       "expected 'key: value' at the indentation of the lines above, or the end of the map"},
      {"end of sequence not found", "expected '- value' at the indentation of the lines above"},
      {"illegal map value", "a ':' where no key can be; a text that contains ': ' needs quotes"},
      {"illegal block entry", "a '- ' where no list can be; is the indentation right?"},
      {"the referenced anchor is not defined",
       "aliases (*name) are not supported, as in CloudFormation"},
      {"end of map flow not found", "expected ',' or '}'"},
      {"end of sequence flow not found", "expected ',' or ']'"},
  }};
  for (const auto& [theirs, ours] : words) {
    if (message == theirs) return std::string(ours);
  }
  return message;
}

bool has_tab_indentation(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  const std::size_t indentation = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(0, indentation).find('\t') != std::string_view::npos;
}

// Reads a string without copying it.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* start = const_cast<char*>(text.data());  // a get area is never written to
    setg(start, start, start + text.size());
  }
};

}  // namespace

std::optional<Value> parse_yaml(std::string_view text, Diagnostics& diagnostics) {
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder(diagnostics);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    const Mark mark = to_mark(e.mark);
    std::string message = has_tab_indentation(text, mark.line)
                              ? "a tab in the indentation; YAML indents with spaces"
                              : explain(e.msg);
    if (e.msg.find("flow not found") != std::string::npos) {
      const Mark start = builder.innermost();
      message += fmt::format("; what begins at {}:{} is not closed", start.line, start.column);
    }
    diagnostics.add(mark, {}, std::move(message));
    return std::nullopt;
  } catch (const std::exception& e) {
    diagnostics.add({}, {}, fmt::format("the YAML cannot be read: {}", e.what()));
    return std::nullopt;
  }
  if (!builder.has_root) {
    diagnostics.add({1, 1}, {}, "the template is empty");
    return std::nullopt;
  }
  return std::move(builder.root);
}

}  // namespace weir::stacks
