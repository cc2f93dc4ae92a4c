#include "importing/node.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "aws/protocol/form.hpp"

namespace weir::importing {
namespace {

constexpr std::size_t flow_items_max = 8;

// Words that YAML 1.1 takes for booleans or nothing.
constexpr std::array<std::string_view, 9> special_words{"y",   "n",    "yes",   "no",  "on",
                                                        "off", "true", "false", "null"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// A letter or slash first, then what can begin nothing else in YAML; a colon not at the end.
bool is_plain(std::string_view text) {
  if (text.empty() || text.size() > 256) return false;
  if (std::isalpha(static_cast<unsigned char>(text[0])) == 0 && text[0] != '/') return false;
  const bool is_simple = !text.ends_with(':') && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/' || c == ':';
  });
  return is_simple && std::ranges::find(special_words, lower(text)) == special_words.end();
}

// Bytes that are no UTF-8 become question marks.
std::string valid(std::string_view text) {
  std::string result(text);
  if (aws::is_utf8(text)) return result;
  std::ranges::replace_if(
      result, [](char c) { return static_cast<unsigned char>(c) >= 128; }, '?');
  return result;
}

}  // namespace

class Writer {
 public:
  void write(const Node& node) {
    switch (node.kind_) {
      case Node::Kind::text:
        if (!is_plain(node.text_)) out_ << YAML::DoubleQuoted;
        out_ << valid(node.text_);
        return;
      case Node::Kind::plain:
        out_ << node.text_;
        return;
      case Node::Kind::ref:
        out_ << YAML::LocalTag("Ref") << node.text_;
        return;
      case Node::Kind::attribute:
        out_ << YAML::LocalTag("GetAtt") << node.text_;
        return;
      case Node::Kind::list:
        return write_list(node);
      case Node::Kind::map:
        return write_map(node);
    }
  }

  [[nodiscard]] std::string text() const { return std::string(out_.c_str(), out_.size()) + "\n"; }

 private:
  static bool is_short(const Node& list) {
    return list.items_.size() <= flow_items_max &&
           std::ranges::all_of(list.items_, [](const Node& item) {
             return item.kind_ != Node::Kind::list && item.kind_ != Node::Kind::map;
           });
  }

  void write_list(const Node& node) {
    if (is_short(node)) out_ << YAML::Flow;
    out_ << YAML::BeginSeq;
    for (const auto& item : node.items_) write(item);
    out_ << YAML::EndSeq;
  }

  void write_map(const Node& node) {
    if (node.members_.empty()) out_ << YAML::Flow;
    out_ << YAML::BeginMap;
    for (const auto& [name, value] : node.members_) {
      out_ << YAML::Key << name << YAML::Value;
      write(value);
    }
    out_ << YAML::EndMap;
  }

  YAML::Emitter out_;
};

Node Node::text(std::string_view text) {
  Node node;
  node.kind_ = Kind::text;
  node.text_ = text;
  return node;
}

Node Node::plain(std::string_view text) {
  auto node = Node::text(text);
  node.kind_ = Kind::plain;
  return node;
}

Node Node::ref(std::string_view logical_id) {
  auto node = Node::text(logical_id);
  node.kind_ = Kind::ref;
  return node;
}

Node Node::attribute_of(std::string_view logical_id_dot_name) {
  auto node = Node::text(logical_id_dot_name);
  node.kind_ = Kind::attribute;
  return node;
}

Node Node::list(std::vector<Node> items) {
  Node node;
  node.kind_ = Kind::list;
  node.items_ = std::move(items);
  return node;
}

Node Node::map(std::vector<Member> members) {
  Node node;
  node.members_ = std::move(members);
  return node;
}

Node* Node::find(std::string_view name) {
  const auto found = std::ranges::find(members_, name, &Member::first);
  return found == members_.end() ? nullptr : &found->second;
}

Node& Node::set(std::string_view name, Node value) {
  if (Node* there = find(name); there != nullptr) {
    *there = std::move(value);
  } else {
    members_.emplace_back(name, std::move(value));
  }
  return *this;
}

std::string Node::yaml() const {
  Writer writer;
  writer.write(*this);
  return writer.text();
}

std::string printable(std::string_view text) {
  auto result = valid(text);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto byte = static_cast<unsigned char>(result[i]);
    if (byte < 32 || byte == 127) result[i] = ' ';
    // U+0080 to U+009F, controls as well.
    if (byte == 0xC2 && static_cast<unsigned char>(result[i + 1]) < 0xA0)
      result.replace(i, 2, "  ");
  }
  return result;
}

}  // namespace weir::importing
