// A piece of a template, and how it becomes YAML.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::importing {

class Node {
 public:
  using Member = std::pair<std::string, Node>;

  [[nodiscard]] static Node text(std::string_view text);   // quoted where YAML would see more in it
  [[nodiscard]] static Node plain(std::string_view text);  // a number, true or false
  [[nodiscard]] static Node ref(std::string_view logical_id);                    // !Ref
  [[nodiscard]] static Node attribute_of(std::string_view logical_id_dot_name);  // !GetAtt
  [[nodiscard]] static Node list(std::vector<Node> items = {});
  [[nodiscard]] static Node map(std::vector<Member> members = {});

  // To a map; one that is there is replaced.
  Node& set(std::string_view name, Node value);
  // To a list.
  void add(Node item) { items_.push_back(std::move(item)); }
  [[nodiscard]] Node* find(std::string_view name);  // of a map; nullptr: not there
  [[nodiscard]] bool is_empty() const { return items_.empty() && members_.empty(); }
  [[nodiscard]] std::vector<Node>& items() { return items_; }

  // Ends with a line break. Two spaces a level; lists of words on one line.
  [[nodiscard]] std::string yaml() const;

 private:
  friend class Writer;
  enum class Kind { text, plain, ref, attribute, list, map };
  Kind kind_ = Kind::map;
  std::string text_;
  std::vector<Node> items_;
  std::vector<Member> members_;
};

// On one line, without what a terminal or a comment would take for more than text.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace weir::importing
