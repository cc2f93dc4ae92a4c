#include "stacks/functions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

constexpr std::array<std::string_view, 8> pseudo_parameters{
    "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition",
    "AWS::Region",    "AWS::StackId", "AWS::StackName",        "AWS::URLSuffix"};

// How many arguments a function takes, and where it may stand.
struct Signature {
  std::string_view name;
  std::size_t min;  // 1 and 1: the argument is not a list of arguments
  std::size_t max;
  bool is_logical = false;  // true or false: conditions and rules only
  bool is_rule_only = false;
  std::string_view shape = {};  // for messages
};

constexpr std::array<Signature, 18> signatures{{
    {"Ref", 1, 1, false, false, "the name of a parameter or a resource"},
    {"Condition", 1, 1, true, false, "the name of a condition"},
    {"Fn::And", 2, 10, true, false, "2–10 conditions"},
    {"Fn::Base64", 1, 1, false, false, "a string"},
    {"Fn::Cidr", 2, 3, false, false, "[range, count, host bits]"},
    {"Fn::Contains", 2, 2, true, true, "[list, string]"},
    {"Fn::EachMemberEquals", 2, 2, true, true, "[list, string]"},
    {"Fn::EachMemberIn", 2, 2, true, true, "[list, list]"},
    {"Fn::Equals", 2, 2, true, false, "[value, value]"},
    {"Fn::FindInMap", 3, 3, false, false, "[map, first key, second key]"},
    {"Fn::GetAZs", 1, 1, false, false, "a region"},
    {"Fn::GetAtt", 2, 2, false, false, "[resource, attribute]"},
    {"Fn::If", 3, 3, false, false, "[condition, value if true, value if false]"},
    {"Fn::Join", 2, 2, false, false, "[separator, list]"},
    {"Fn::Not", 1, 1, true, false, "[condition]"},
    {"Fn::Or", 2, 10, true, false, "2–10 conditions"},
    {"Fn::Select", 2, 2, false, false, "[index, list]"},
    {"Fn::Split", 2, 2, false, false, "[separator, string]"},
}};

struct Refusal {
  std::string_view name;
  std::string_view reason;
};

constexpr std::array<Refusal, 10> refusals{{
    {"Fn::ForEach", "it needs the AWS::LanguageExtensions transform; write the resources out"},
    {"Fn::GetStackOutput", "Weir's stacks do not share outputs; use a parameter"},
    {"Fn::ImportValue", "Weir's stacks share no exports; use a parameter"},
    {"Fn::Length", "it needs the AWS::LanguageExtensions transform"},
    {"Fn::RefAll", "rules about all parameters of a type are not there"},
    {"Fn::ToJsonString", "it needs the AWS::LanguageExtensions transform"},
    {"Fn::Transform", "Weir runs no macros; expand the template first"},
    {"Fn::ValueOf", "rules about attributes of a parameter are not there"},
    {"Fn::ValueOfAll", "rules about attributes of a parameter are not there"},
    {"Fn::Macro", "Weir runs no macros; expand the template first"},
}};

const Signature* find_signature(std::string_view name) {
  const auto found = std::ranges::find(signatures, name, &Signature::name);
  return found == signatures.end() ? nullptr : &*found;
}

class FunctionChecker {
 public:
  FunctionChecker(const Template& tmpl, Place place, Diagnostics& diagnostics)
      : template_(tmpl), place_(place), diagnostics_(diagnostics) {}

  // `is_logical`: a condition must stand here.
  void check(const Value& value, const std::string& path, bool is_logical) {
    if (diagnostics_.is_full()) return;
    const bool in_condition = place_ == Place::condition || place_ == Place::rule;
    if (const std::optional<Call> call = as_call(value, in_condition)) {
      check_call(*call, value, path, is_logical);
      return;
    }
    if (is_logical) {
      diagnostics_.add(value.mark, path,
                       "expected a condition: Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition");
      return;
    }
    switch (value.kind) {
      case Kind::map:
        check_members(value, path);
        return;
      case Kind::list:
        for (std::size_t i = 0; i < value.items.size(); ++i) {
          check(value.items[i], fmt::format("{}[{}]", path, i), false);
        }
        return;
      case Kind::null:
        diagnostics_.add(value.mark, path, "expected a value, found nothing");
        return;
      default:
        check_scalar(value, path);
        return;
    }
  }

 private:
  void check_members(const Value& map, const std::string& path) {
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
      const std::string& key = map.keys[i].text;
      if (key.starts_with("Fn::") || key == "Ref") {
        diagnostics_.add(map.keys[i].mark, path,
                         fmt::format("{} must be the only key of its map", key));
        continue;
      }
      check(map.items[i], path + "." + key, false);
    }
  }

  void check_scalar(const Value& value, const std::string& path) {
    if (value.text.find("{{resolve:") != std::string::npos) {
      diagnostics_.add(value.mark, path,
                       "dynamic references ({{resolve:…}}) are not supported; use a parameter");
    }
  }

  void fault(const Call& call, const std::string& path, std::string message) {
    diagnostics_.add(call.mark, path, std::move(message));
  }

  void check_call(const Call& call, const Value& whole, const std::string& path, bool is_logical) {
    const std::string inner = path + "." + std::string(call.name);
    if (call.name == "Fn::Sub") {
      check_sub(call, path);
      return;
    }
    const Signature* signature = find_signature(call.name);
    if (signature == nullptr) {
      add_unknown(call, path);
      return;
    }
    const bool is_if = call.name == "Fn::If";
    if (is_logical && !signature->is_logical && !is_if) {
      fault(call, path, fmt::format("{} gives no truth value; expected a condition", call.name));
    } else if (signature->is_logical && !is_logical) {
      fault(call, path, fmt::format("{} can be used in Conditions only", call.name));
      return;
    }
    if (signature->is_rule_only && place_ != Place::rule) {
      fault(call, path, fmt::format("{} can be used in Rules only", call.name));
      return;
    }
    if (call.name == "Ref") {
      check_ref(call, path);
    } else if (call.name == "Condition") {
      check_condition_name(*call.argument, path);
    } else if (call.name == "Fn::GetAtt") {
      check_get_att(call, path);
    } else if (call.name == "Fn::Base64" || call.name == "Fn::GetAZs") {
      check(*call.argument, inner, false);
    } else {
      check_arguments(call, *signature, whole, inner, is_logical);
    }
  }

  void add_unknown(const Call& call, const std::string& path) {
    const auto refused = std::ranges::find_if(
        refusals, [&](const Refusal& refusal) { return call.name.starts_with(refusal.name); });
    if (refused != refusals.end()) {
      fault(call, path, fmt::format("{} is not supported: {}", call.name, refused->reason));
      return;
    }
    std::vector<std::string_view> known{"Fn::Sub"};
    for (const Signature& signature : signatures) known.push_back(signature.name);
    fault(call, path,
          fmt::format("unknown function {}{}", call.name, suggestion(call.name, known)));
  }

  void check_arguments(const Call& call, const Signature& signature, const Value& whole,
                       const std::string& path, bool is_logical) {
    const Value& list = *call.argument;
    if (!list.is_list() || list.items.size() < signature.min || list.items.size() > signature.max) {
      diagnostics_.add(
          whole.mark, path,
          fmt::format("expected {}{}", signature.shape,
                      list.is_list() ? fmt::format(", found {}", list.items.size())
                                     : fmt::format(", found {}", kind_name(list.kind))));
      return;
    }
    const bool takes_conditions =
        call.name == "Fn::And" || call.name == "Fn::Or" || call.name == "Fn::Not";
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (call.name == "Fn::If" && i == 0) {
        check_condition_name(list.items[0], path);
      } else {
        check(list.items[i], fmt::format("{}[{}]", path, i),
              takes_conditions || (call.name == "Fn::If" && is_logical));
      }
    }
    if (call.name == "Fn::FindInMap") check_map_name(list.items[0], path);
    if (call.name == "Fn::Join" || call.name == "Fn::Split") {
      if (!list.items[0].is_scalar()) {
        diagnostics_.add(list.items[0].mark, path, "the separator must be a string");
      }
    }
  }

  void check_condition_name(const Value& name, const std::string& path) {
    if (!name.is_scalar()) {
      diagnostics_.add(name.mark, path, "expected the name of a condition");
    } else if (template_.condition(name.text) == nullptr) {
      std::vector<std::string_view> known;
      for (const NamedValue& condition : template_.conditions) known.push_back(condition.name);
      diagnostics_.add(
          name.mark, path,
          fmt::format("no condition {} in Conditions{}", name.text, suggestion(name.text, known)));
    }
  }

  void check_map_name(const Value& name, const std::string& path) {
    if (!name.is_scalar() || template_.mapping(name.text) != nullptr) return;
    std::vector<std::string_view> known;
    for (const NamedValue& mapping : template_.mappings) known.push_back(mapping.name);
    diagnostics_.add(
        name.mark, path,
        fmt::format("no map {} in Mappings{}", name.text, suggestion(name.text, known)));
  }

  void check_ref(const Call& call, const std::string& path) {
    if (!call.argument->is_scalar()) {
      fault(call, path, "Ref takes the name of a parameter or a resource");
      return;
    }
    check_name(call.argument->text, call.argument->mark, path, {});
  }

  // A name that Ref or ${} use. `locals`: names of Fn::Sub's own map.
  void check_name(std::string_view name, Mark mark, const std::string& path,
                  const std::vector<std::string_view>& locals) {
    if (std::ranges::find(locals, name) != locals.end()) return;
    if (template_.parameter(name) != nullptr) return;
    if (is_pseudo_parameter(name)) return;
    if (template_.resource(name) != nullptr) {
      if (place_ == Place::condition || place_ == Place::rule) {
        diagnostics_.add(mark, path,
                         fmt::format("{} is a resource; {} can use parameters only", name,
                                     place_ == Place::rule ? "Rules" : "Conditions"));
      }
      return;
    }
    std::vector<std::string_view> known(pseudo_parameters.begin(), pseudo_parameters.end());
    known.insert(known.end(), locals.begin(), locals.end());
    for (const auto& parameter : template_.parameters) known.push_back(parameter.name);
    for (const auto& resource : template_.resources) known.push_back(resource.logical_id);
    diagnostics_.add(mark, path,
                     fmt::format("no parameter or resource {}{}", name, suggestion(name, known)));
  }

  void check_get_att(const Call& call, const std::string& path) {
    const Value& pair = *call.argument;
    std::string resource, attribute;
    if (pair.is_list() && pair.items.size() == 2 && pair.items[0].is_scalar()) {
      resource = pair.items[0].text;
      if (as_call(pair.items[1])) {
        check(pair.items[1], path + ".Fn::GetAtt[1]", false);
      } else if (pair.items[1].is_scalar()) {
        attribute = pair.items[1].text;
      } else {
        fault(call, path, "Fn::GetAtt takes [resource, attribute]");
        return;
      }
    } else if (pair.is_scalar() && pair.text.find('.') != std::string::npos) {
      resource = pair.text.substr(0, pair.text.find('.'));
      attribute = pair.text.substr(pair.text.find('.') + 1);
    } else {
      fault(call, path, "Fn::GetAtt takes [resource, attribute]");
      return;
    }
    check_attribute(resource, attribute, pair.mark, path);
  }

  void check_attribute(std::string_view resource, std::string_view attribute, Mark mark,
                       const std::string& path) {
    if (place_ == Place::condition || place_ == Place::rule) {
      diagnostics_.add(mark, path,
                       "attributes of resources cannot be used in Conditions and Rules");
      return;
    }
    const ResourceDeclaration* declaration = template_.resource(resource);
    if (declaration == nullptr) {
      std::vector<std::string_view> known;
      for (const auto& other : template_.resources) known.push_back(other.logical_id);
      diagnostics_.add(mark, path,
                       fmt::format("no resource {}{}", resource, suggestion(resource, known)));
      return;
    }
    const ResourceType* type = find_type(declaration->type);
    if (type == nullptr || attribute.empty() || find_attribute(*type, attribute) != nullptr) return;
    std::vector<std::string_view> known;
    for (const Attribute& one : type->attributes) known.push_back(one.name);
    std::string hint = suggestion(attribute, known);
    if (hint.empty()) hint = "; known are " + join_words(known);
    diagnostics_.add(mark, path,
                     fmt::format("unknown attribute {} of {}{}", attribute, type->name, hint));
  }

  void check_sub(const Call& call, const std::string& path) {
    const Value* text = call.argument;
    std::vector<std::string_view> locals;
    if (text->is_list()) {
      if (text->items.size() != 2 || !text->items[0].is_scalar() || !text->items[1].is_map()) {
        fault(call, path, "expected Fn::Sub: text or Fn::Sub: [text, {name: value}]");
        return;
      }
      const Value& map = text->items[1];
      for (std::size_t i = 0; i < map.keys.size(); ++i) {
        locals.push_back(map.keys[i].text);
        check(map.items[i], fmt::format("{}.Fn::Sub.{}", path, map.keys[i].text), false);
      }
      text = &text->items[0];
    }
    if (!text->is_scalar()) {
      fault(call, path, "expected Fn::Sub: text or Fn::Sub: [text, {name: value}]");
      return;
    }
    check_scalar(*text, path);
    for (const SubPart& part : split_sub(text->text)) {
      if (part.is_name) check_sub_name(part.text, text->mark, path, locals);
    }
  }

  void check_sub_name(const std::string& name, Mark mark, const std::string& path,
                      const std::vector<std::string_view>& locals) {
    const bool is_plain = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == ':' || c == '.' || c == '_';
    });
    if (!is_plain) {
      diagnostics_.add(mark, path,
                       fmt::format("${{{}}} names nothing; a text that shall stay as it is is "
                                   "written ${{!{}}}",
                                   name, name));
      return;
    }
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos || std::ranges::find(locals, name) != locals.end()) {
      check_name(name, mark, path, locals);
    } else {
      check_attribute(std::string_view(name).substr(0, dot), std::string_view(name).substr(dot + 1),
                      mark, path);
    }
  }

  const Template& template_;
  const Place place_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::optional<Call> as_call(const Value& value, bool in_condition) {
  if (!value.is_map() || value.keys.size() != 1) return std::nullopt;
  const std::string& key = value.keys[0].text;
  const bool is_function =
      key == "Ref" || key.starts_with("Fn::") || (in_condition && key == "Condition");
  if (!is_function) return std::nullopt;
  return Call{key, value.mark, &value.items[0]};
}

bool for_each_branch(const Value& value, const std::function<void(const Value&)>& visit) {
  if (value.is_unknown()) return true;
  const std::optional<Call> call = as_call(value);
  if (!call) return false;
  if (call->name != "Fn::If" || !call->argument->is_list() || call->argument->items.size() != 3) {
    return true;
  }
  visit(call->argument->items[1]);
  visit(call->argument->items[2]);
  return true;
}

std::optional<bool> to_boolean(std::string_view text) {
  std::string word(text.substr(0, 6));
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word == "true" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "no" || word == "off") return false;
  return std::nullopt;
}

std::vector<SubPart> split_sub(std::string_view text) {
  std::vector<SubPart> parts;
  std::string literal;
  while (!text.empty()) {
    const std::size_t start = text.find("${");
    const std::size_t end = start == std::string_view::npos ? start : text.find('}', start);
    if (end == std::string_view::npos) break;
    literal += text.substr(0, start);
    const std::string_view name = text.substr(start + 2, end - start - 2);
    if (name.starts_with('!')) {
      literal += fmt::format("${{{}}}", name.substr(1));
    } else {
      if (!literal.empty()) parts.push_back({false, std::exchange(literal, {})});
      parts.push_back({true, std::string(name)});
    }
    text.remove_prefix(end + 1);
  }
  literal += text;
  if (!literal.empty()) parts.push_back({false, std::move(literal)});
  return parts;
}

bool is_pseudo_parameter(std::string_view name) {
  return std::ranges::find(pseudo_parameters, name) != pseudo_parameters.end();
}

void check_functions(const Template& tmpl, const Value& value, const std::string& path, Place place,
                     Diagnostics& diagnostics) {
  FunctionChecker(tmpl, place, diagnostics)
      .check(value, path, place == Place::condition || place == Place::rule);
}

}  // namespace weir::stacks
