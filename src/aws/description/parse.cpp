// The .api format: a line at a time, then the names of shapes are resolved.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "aws/description/description.hpp"

namespace weir::aws {
namespace {

using Words = std::vector<std::string>;

struct BuiltIn {
  std::string_view name;
  Kind kind;
};
constexpr std::array built_ins{
    BuiltIn{"string", Kind::string},       BuiltIn{"integer", Kind::integer},
    BuiltIn{"long", Kind::long_integer},   BuiltIn{"double", Kind::number},
    BuiltIn{"float", Kind::number},        BuiltIn{"boolean", Kind::boolean},
    BuiltIn{"timestamp", Kind::timestamp}, BuiltIn{"blob", Kind::blob},
};

std::optional<Kind> built_in(std::string_view name) {
  const auto* found = std::ranges::find(built_ins, name, &BuiltIn::name);
  if (found == built_ins.end()) return std::nullopt;
  return found->kind;
}

// Words are parted by spaces; one in quotes may hold some.
Words split(std::string_view line) {
  Words words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(' ', at)) != std::string_view::npos) {
    if (line[at] == '"') {
      const auto end = std::min(line.find('"', at + 1), line.size());
      words.emplace_back(line.substr(at + 1, end - at - 1));
      at = std::min(end + 1, line.size());
    } else {
      const auto end = std::min(line.find(' ', at), line.size());
      words.emplace_back(line.substr(at, end - at));
      at = end;
    }
  }
  return words;
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Parser {
 public:
  Result<std::unique_ptr<Description>> parse(std::string_view text);

 private:
  // Each takes the words of a line; the answer is what is wrong with it, or nothing.
  std::string read(std::string_view line);
  std::string read_head(const Words& words);
  std::string read_protocol(const Words& words);
  std::string read_error(const Words& words);
  std::string read_operation(const Words& words);
  std::string read_refused(const Words& words);
  std::string read_shape(const Words& words, std::string_view line);
  std::string read_list(Shape& shape, const Words& words);
  std::string read_map(Shape& shape, const Words& words);
  std::string read_member(const Words& words);
  static std::string read_constraints(Shape& shape, const Words& words, std::size_t from,
                                      std::string_view line);
  static bool read_range(Shape& shape, std::string_view text);
  std::string resolve();
  const Shape* shape_named(std::string_view name);
  void name_on_the_wire(Member& member) const;

  struct Reference {  // resolved once all shapes are known
    const Shape** to;
    std::string name;
  };
  struct MemberReference {
    Shape* in;
    std::size_t index;
    std::string name;
  };

  std::unique_ptr<Description> result_ = std::make_unique<Description>();
  std::vector<Reference> references_;
  std::vector<MemberReference> member_references_;
  Shape* structure_ = nullptr;  // whose members are being read
};

const Shape* Parser::shape_named(std::string_view name) {
  if (const auto found = result_->shapes.find(name); found != result_->shapes.end())
    return found->second.get();
  const auto kind = built_in(name);
  if (!kind) return nullptr;
  auto shape = std::make_unique<Shape>();
  shape->name = name;
  shape->kind = *kind;
  return result_->shapes.emplace(std::string(name), std::move(shape)).first->second.get();
}

std::string Parser::read_head(const Words& words) {
  if (words.size() < 2) return "a value is missing";
  if (words[0] == "service" && words.size() == 3) {
    result_->name = words[1];
    result_->version = words[2];
  } else if (words[0] == "namespace") {
    result_->xml_namespace = words[1];
  } else if (words[0] == "signing") {
    result_->signing_name = words[1];
  } else if (words[0] == "host") {
    result_->host = words[1];
  } else {
    return fmt::format("'{}' is no word of this format", words[0]);
  }
  return {};
}

std::string Parser::read_protocol(const Words& words) {
  if (words.size() == 2 && words[1] == "query") {
    result_->protocols.push_back(Protocol::query);
  } else if (words.size() == 2 && words[1] == "ec2") {
    result_->protocols.push_back(Protocol::ec2);
  } else if (words.size() == 4 && words[1] == "json") {
    result_->protocols.push_back(Protocol::json);
    result_->json_version = words[2];
    result_->target_prefix = words[3];
  } else if (words.size() == 3 && words[1] == "cbor") {
    result_->protocols.push_back(Protocol::cbor);
    result_->target_prefix = words[2];
  } else {
    return "protocol is query, ec2, json VERSION PREFIX or cbor NAME";
  }
  return {};
}

std::string Parser::read_error(const Words& words) {
  const auto status = words.size() < 3 ? std::nullopt : number_of(words[2]);
  if (!status || words.size() > 4) return "error CODE STATUS [SHAPE]";
  result_->errors[words[1]] = {static_cast<int>(*status), words.size() == 4 ? words[3] : words[1]};
  return {};
}

std::string Parser::read_operation(const Words& words) {
  if (words.size() < 5 || words[3] != "->") return "operation NAME INPUT -> OUTPUT [errors CODE…]";
  auto [at, is_new] = result_->operations.try_emplace(words[1]);
  if (!is_new) return fmt::format("operation {} is described twice", words[1]);
  auto& operation = at->second;
  operation.name = words[1];
  if (words[2] != "-") references_.push_back({&operation.input, words[2]});
  if (words[4] != "-") references_.push_back({&operation.output, words[4]});
  if (words.size() > 5) {
    if (words[5] != "errors") return "errors expected";
    operation.errors.assign(words.begin() + 6, words.end());
  }
  return {};
}

std::string Parser::read_refused(const Words& words) {
  if (words.size() < 3) return "refused \"WHY\" NAME…";
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (!result_->refused.emplace(words[i], words[1]).second)
      return fmt::format("{} is refused twice", words[i]);
  }
  return {};
}

bool Parser::read_range(Shape& shape, std::string_view text) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) return false;
  const auto low = text.substr(0, dots);
  const auto high = text.substr(dots + 2);
  if (!low.empty() && !(shape.low = number_of(low))) return false;
  return high.empty() || (shape.high = number_of(high)).has_value();
}

std::string Parser::read_constraints(Shape& shape, const Words& words, std::size_t from,
                                     std::string_view line) {
  for (std::size_t i = from; i < words.size(); ++i) {
    if (words[i] == "length" && i + 1 < words.size()) {
      if (!read_range(shape, words[++i])) return "length LOW..HIGH";
    } else if (words[i] == "flattened") {
      shape.is_flattened = true;
    } else if (words[i].starts_with('@')) {
      shape.item_name = words[i].substr(1);
    } else if (words[i] == "pattern") {  // the rest of the line, spaces and all
      auto pattern = std::make_unique<const RE2>(
          line.substr(line.find(" pattern ") + std::string_view(" pattern ").size()), RE2::Quiet);
      if (!pattern->ok()) return pattern->error();
      shape.pattern = std::move(pattern);
      return {};
    } else {
      return fmt::format("'{}' is not understood here", words[i]);
    }
  }
  return {};
}

std::string Parser::read_list(Shape& shape, const Words& words) {
  if (words.size() < 4 || words[2] != "of") return "list NAME of SHAPE";
  references_.push_back({&shape.item, words[3]});
  shape.item_name = result_->speaks(Protocol::ec2) ? "item" : "member";
  return read_constraints(shape, words, 4, {});
}

std::string Parser::read_map(Shape& shape, const Words& words) {
  if (words.size() < 5 || words[2] != "of") return "map NAME of KEY VALUE";
  references_.push_back({&shape.key, words[3]});
  references_.push_back({&shape.item, words[4]});
  return read_constraints(shape, words, 5, {});
}

std::string Parser::read_shape(const Words& words, std::string_view line) {
  if (words.size() < 2) return "a name is missing";
  auto [at, is_new] = result_->shapes.try_emplace(words[1], std::make_unique<Shape>());
  if (!is_new) return fmt::format("{} is described twice", words[1]);
  auto& shape = *at->second;
  shape.name = words[1];
  if (words[0] == "structure") {
    shape.kind = Kind::structure;
    structure_ = &shape;
    return words.size() == 2 ? "" : "a structure's members have lines of their own";
  }
  if (words[0] == "list") {
    shape.kind = Kind::list;
    return read_list(shape, words);
  }
  if (words[0] == "map") {
    shape.kind = Kind::map;
    return read_map(shape, words);
  }
  if (words[0] == "enum") {
    shape.kind = Kind::enumeration;
    shape.enum_values.assign(words.begin() + 2, words.end());
    return shape.enum_values.empty() ? "an enum without values" : "";
  }
  shape.kind = *built_in(words[0]);
  if (shape.kind == Kind::string) return read_constraints(shape, words, 2, line);
  if (words.size() != 3 || !read_range(shape, words[2])) return "a range LOW..HIGH is missing";
  return {};
}

void Parser::name_on_the_wire(Member& member) const {
  const bool is_ec2 = result_->speaks(Protocol::ec2);
  if (member.parameter.empty()) {
    member.parameter = member.wire.empty() ? member.name : member.wire;
    if (is_ec2) member.parameter = capitalised(member.parameter);
  }
  if (member.wire.empty()) member.wire = member.name;
}

std::string Parser::read_member(const Words& words) {
  if (structure_ == nullptr) return "a member outside of a structure";
  if (words.size() < 3 || words[1] != ":") return "NAME[*] : SHAPE [@element] [query=WORD] [token]";
  Member member;
  member.name = words[0];
  if (member.name.ends_with('*')) {
    member.is_required = true;
    member.name.pop_back();
  }
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (words[i].starts_with('@')) {
      member.wire = words[i].substr(1);
    } else if (words[i].starts_with("query=")) {
      member.parameter = words[i].substr(6);
    } else if (words[i] == "token") {
      member.is_token = true;
    } else {
      return fmt::format("'{}' is not understood here", words[i]);
    }
  }
  if (structure_->member(member.name) != nullptr) return "this member is there already";
  name_on_the_wire(member);
  structure_->members.push_back(std::move(member));
  member_references_.push_back({structure_, structure_->members.size() - 1, words[2]});
  return {};
}

std::string Parser::read(std::string_view line) {
  const auto words = split(line);
  if (words.empty() || words[0].starts_with('#')) return {};
  if (line.starts_with(' ')) return read_member(words);
  structure_ = nullptr;
  const auto& first = words[0];
  if (first == "protocol") return read_protocol(words);
  if (first == "error") return read_error(words);
  if (first == "operation") return read_operation(words);
  if (first == "refused") return read_refused(words);
  if (first == "structure" || first == "list" || first == "map" || first == "enum" ||
      built_in(first)) {
    return read_shape(words, line);
  }
  return read_head(words);
}

std::string Parser::resolve() {
  for (const auto& [to, name] : references_) {
    *to = shape_named(name);
    if (*to == nullptr) return fmt::format("there is no shape {}", name);
  }
  for (const auto& [in, index, name] : member_references_) {
    auto& member = in->members[index];
    member.shape = shape_named(name);
    if (member.shape == nullptr)
      return fmt::format("there is no shape {} ({}.{})", name, in->name, member.name);
  }
  for (const auto& [name, operation] : result_->operations) {
    if (result_->refused.contains(name)) return fmt::format("{} is refused", name);
    for (const auto& code : operation.errors) {
      if (!result_->errors.contains(code))
        return fmt::format("there is no error {} ({})", code, name);
    }
  }
  if (result_->name.empty() || result_->protocols.empty() || result_->signing_name.empty())
    return "service, protocol and signing are needed";
  return {};
}

Result<std::unique_ptr<Description>> Parser::parse(std::string_view text) {
  int number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    if (auto wrong = read(text.substr(0, end)); !wrong.empty())
      return fail("BadDescription", fmt::format("line {}: {}", number, wrong));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (auto wrong = resolve(); !wrong.empty()) return fail("BadDescription", std::move(wrong));
  return std::move(result_);
}

}  // namespace

const Member* Shape::member(std::string_view wanted) const {
  const auto found = std::ranges::find(members, wanted, &Member::name);
  return found == members.end() ? nullptr : &*found;
}

bool Description::speaks(Protocol protocol) const {
  return std::ranges::find(protocols, protocol) != protocols.end();
}

Result<std::unique_ptr<Description>> parse_description(std::string_view text) {
  return Parser{}.parse(text);
}

}  // namespace weir::aws
