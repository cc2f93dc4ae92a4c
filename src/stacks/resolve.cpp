#include "stacks/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "model/base64.hpp"
#include "model/cidr.hpp"
#include "stacks/limits.hpp"
#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

Value unknown(Mark mark) { return Value::make_unknown(mark); }

// The arguments of a well-formed call of `count` arguments; nullptr otherwise.
const std::vector<Value>* arguments(const Call& call, std::size_t min, std::size_t max) {
  const Value& list = *call.argument;
  const bool fits = list.is_list() && list.items.size() >= min && list.items.size() <= max;
  return fits ? &list.items : nullptr;
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [stopped, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || stopped != text.data() + text.size()) return std::nullopt;
  return number;
}

Value split_attribute(const std::string& text, Mark mark) {
  Value list = Value::make_list(mark);
  std::size_t start = 0;
  while (!text.empty() && start <= text.size()) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    list.items.push_back(Value::make_string(text.substr(start, comma - start), mark));
    start = comma + 1;
  }
  return list;
}

}  // namespace

Resolver::Resolver(const Template& tmpl, const BoundParameters& parameters,
                   const Environment& environment, const std::map<std::string, Made>& made,
                   Diagnostics& diagnostics)
    : template_(tmpl),
      parameters_(parameters),
      environment_(environment),
      made_(made),
      diagnostics_(diagnostics) {}

void Resolver::fault(Mark mark, const std::string& path, std::string message) {
  diagnostics_.add(mark, path, std::move(message));
}

bool Resolver::spend(std::size_t bytes, Mark mark, const std::string& path) {
  if (spent_bytes_ > limits::resolved_bytes_max) return false;
  spent_bytes_ += bytes + sizeof(Value);
  if (spent_bytes_ <= limits::resolved_bytes_max) return true;
  fault(mark, path,
        fmt::format("the template's functions produce more than {} MiB",
                    limits::resolved_bytes_max >> 20));
  return false;
}

std::set<std::string> Resolver::take_references() { return std::exchange(references_, {}); }

Resolver::Answer Resolver::resolve(const Value& value, const std::string& path) {
  if (diagnostics_.is_full() || !spend(value.text.size(), value.mark, path)) {
    return unknown(value.mark);
  }
  if (const std::optional<Call> function = as_call(value)) return call(*function, path);
  if (value.is_map()) return resolve_map(value, path);
  if (value.is_list()) return resolve_list(value, path);
  return value;
}

Resolver::Answer Resolver::resolve_map(const Value& map, const std::string& path) {
  Value result = Value::make_map(map.mark);
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    if (Answer member = resolve(map.items[i], path + "." + map.keys[i].text)) {
      result.add(map.keys[i], std::move(*member));
    }
  }
  return result;
}

Resolver::Answer Resolver::resolve_list(const Value& list, const std::string& path) {
  Value result = Value::make_list(list.mark);
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (Answer item = resolve(list.items[i], fmt::format("{}[{}]", path, i))) {
      result.items.push_back(std::move(*item));
    }
  }
  return result;
}

Resolver::Answer Resolver::call(const Call& function, const std::string& path) {
  const std::string_view name = function.name;
  if (name == "Ref") return ref(function, path);
  if (name == "Fn::GetAtt") return get_att(function, path);
  if (name == "Fn::Sub") return sub(function, path);
  if (name == "Fn::Join") return join(function, path);
  if (name == "Fn::If") return choose(function, path);
  if (name == "Fn::FindInMap") return find_in_map(function, path);
  if (name == "Fn::Base64") return base64(function, path);
  if (name == "Fn::Select") return select(function, path);
  if (name == "Fn::Split") return split(function, path);
  if (name == "Fn::GetAZs") return get_azs(function, path);
  if (name == "Fn::Cidr") return cidr(function, path);
  return unknown(function.mark);
}

Resolver::Answer Resolver::pseudo(std::string_view name, Mark mark) const {
  if (name == "AWS::NoValue") return std::nullopt;
  if (name == "AWS::NotificationARNs") return Value::make_list(mark);
  if (name == "AWS::AccountId") return Value::make_string(environment_.account, mark);
  if (name == "AWS::Partition") return Value::make_string("aws", mark);
  if (name == "AWS::Region") return Value::make_string(environment_.region, mark);
  if (name == "AWS::StackId") return Value::make_string(environment_.stack_id, mark);
  if (name == "AWS::StackName") return Value::make_string(environment_.stack_name, mark);
  if (name == "AWS::URLSuffix") return Value::make_string("amazonaws.com", mark);
  return unknown(mark);
}

void Resolver::note_reference(const std::string& resource, Mark mark, const std::string& path) {
  const ResourceDeclaration* declaration = template_.resource(resource);
  if (declaration == nullptr) return;
  if (!is_active(*declaration)) {
    fault(mark, path,
          fmt::format("{} is not in the stack: its condition {} is false", resource,
                      declaration->condition->name));
  }
  references_.insert(resource);
}

Resolver::Answer Resolver::ref(const Call& function, const std::string& path) {
  const std::string& name = function.argument->text;
  if (const auto bound = parameters_.values.find(name); bound != parameters_.values.end()) {
    Value value = bound->second.value;
    value.mark = function.mark;
    if (!spend(bound->second.text.size() + value.items.size() * sizeof(Value), function.mark,
               path)) {
      return unknown(function.mark);
    }
    return value;
  }
  if (is_pseudo_parameter(name)) return pseudo(name, function.mark);
  note_reference(name, function.mark, path);
  if (const auto found = made_.find(name); found != made_.end()) {
    return Value::make_string(found->second.physical_id, function.mark);
  }
  return unknown(function.mark);
}

Resolver::Answer Resolver::get_att(const Call& function, const std::string& path) {
  const Value& argument = *function.argument;
  if (argument.is_scalar()) {
    const std::size_t dot = argument.text.find('.');
    if (dot == std::string::npos) return unknown(function.mark);
    return attribute(argument.text.substr(0, dot), argument.text.substr(dot + 1), function.mark,
                     path);
  }
  const auto* pair = arguments(function, 2, 2);
  if (pair == nullptr || !(*pair)[0].is_scalar()) return unknown(function.mark);
  const Answer name = resolve((*pair)[1], path);
  if (!name || !name->is_scalar()) {
    note_reference((*pair)[0].text, function.mark, path);
    return unknown(function.mark);
  }
  const Answer found = attribute((*pair)[0].text, name->text, function.mark, path);
  // A name as written has been checked already, one that a function gave has not.
  const ResourceDeclaration* resource = template_.resource((*pair)[0].text);
  const ResourceType* type = resource == nullptr ? nullptr : find_type(resource->type);
  if (as_call((*pair)[1]) && type != nullptr && find_attribute(*type, name->text) == nullptr) {
    fault(function.mark, path, fmt::format("unknown attribute {} of {}", name->text, type->name));
  }
  return found;
}

Resolver::Answer Resolver::attribute(const std::string& resource, const std::string& name,
                                     Mark mark, const std::string& path) {
  note_reference(resource, mark, path);
  const ResourceDeclaration* declaration = template_.resource(resource);
  const ResourceType* type = declaration == nullptr ? nullptr : find_type(declaration->type);
  if (type == nullptr) return unknown(mark);
  const Attribute* known = find_attribute(*type, name);
  if (known == nullptr) return unknown(mark);
  const auto found = made_.find(resource);
  if (found == made_.end()) return unknown(mark);
  const auto value = found->second.attributes.find(name);
  const std::string text = value == found->second.attributes.end() ? "" : value->second;
  return known->is_list ? split_attribute(text, mark) : Value::make_string(text, mark);
}

std::optional<std::string> Resolver::text_of(const Value& value, const std::string& path) {
  const Answer resolved = resolve(value, path);
  if (!resolved) {
    fault(value.mark, path, "AWS::NoValue where a string is needed");
    return std::nullopt;
  }
  if (resolved->is_unknown()) return std::nullopt;
  if (!resolved->is_scalar()) {
    fault(value.mark, path, fmt::format("expected a string, found {}", kind_name(resolved->kind)));
    return std::nullopt;
  }
  return resolved->text;
}

Resolver::Answer Resolver::sub(const Call& function, const std::string& path) {
  const Value* text = function.argument;
  Value locals = Value::make_map(function.mark);
  if (text->is_list()) {
    if (text->items.size() != 2 || !text->items[1].is_map()) return unknown(function.mark);
    if (Answer map = resolve_map(text->items[1], path)) locals = std::move(*map);
    text = &text->items[0];
  }
  std::string out;
  bool is_known = text->is_scalar();
  for (const SubPart& part : split_sub(text->text)) {
    if (!part.is_name) {
      out += part.text;
      continue;
    }
    const Answer value = sub_name(part.text, locals, text->mark, path);
    if (!value || value->is_unknown()) {
      is_known = false;
    } else if (!value->is_scalar()) {
      fault(text->mark, path,
            fmt::format("${{{}}} is {}, not a string", part.text, kind_name(value->kind)));
      is_known = false;
    } else if (spend(value->text.size(), text->mark, path)) {
      out += value->text;
    } else {
      return unknown(function.mark);
    }
  }
  return is_known ? Value::make_string(std::move(out), function.mark) : unknown(function.mark);
}

Resolver::Answer Resolver::sub_name(const std::string& name, const Value& locals, Mark mark,
                                    const std::string& path) {
  if (const Value* local = locals.find(name)) return *local;
  const std::size_t dot = name.find('.');
  if (dot != std::string::npos) {
    return attribute(name.substr(0, dot), name.substr(dot + 1), mark, path);
  }
  const Value target = Value::make_string(name, mark);
  return ref(Call{"Ref", mark, &target}, path);
}

Resolver::Answer Resolver::join(const Call& function, const std::string& path) {
  const auto* pair = arguments(function, 2, 2);
  if (pair == nullptr) return unknown(function.mark);
  const Answer list = resolve((*pair)[1], path);
  if (!list || list->is_unknown()) return unknown(function.mark);
  if (!list->is_list()) {
    fault((*pair)[1].mark, path, "Fn::Join takes [separator, list]");
    return unknown(function.mark);
  }
  std::string out;
  bool is_known = true;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Value& item = list->items[i];
    if (item.is_unknown()) {
      is_known = false;
      continue;
    }
    if (!item.is_scalar()) {
      fault(item.mark, path, fmt::format("Fn::Join joins strings, not {}", kind_name(item.kind)));
      return unknown(function.mark);
    }
    if (i > 0) out += (*pair)[0].text;
    if (!spend(item.text.size() + (*pair)[0].text.size(), function.mark, path)) {
      return unknown(function.mark);
    }
    out += item.text;
  }
  return is_known ? Value::make_string(std::move(out), function.mark) : unknown(function.mark);
}

Resolver::Answer Resolver::select(const Call& function, const std::string& path) {
  const auto* pair = arguments(function, 2, 2);
  if (pair == nullptr) return unknown(function.mark);
  const std::optional<std::string> index_text = text_of((*pair)[0], path);
  Answer list = resolve((*pair)[1], path);
  if (!index_text || !list || list->is_unknown()) return unknown(function.mark);
  const std::optional<std::int64_t> index = to_integer(*index_text);
  if (!list->is_list() || !index) {
    fault(function.mark, path, "Fn::Select takes [index, list]");
    return unknown(function.mark);
  }
  if (*index < 0 || static_cast<std::uint64_t>(*index) >= list->items.size()) {
    fault(function.mark, path,
          fmt::format("index {} of a list with {} values", *index, list->items.size()));
    return unknown(function.mark);
  }
  return std::move(list->items[static_cast<std::size_t>(*index)]);
}

Resolver::Answer Resolver::split(const Call& function, const std::string& path) {
  const auto* pair = arguments(function, 2, 2);
  if (pair == nullptr) return unknown(function.mark);
  const std::optional<std::string> text = text_of((*pair)[1], path);
  const std::string& separator = (*pair)[0].text;
  if (!text) return unknown(function.mark);
  if (separator.empty()) {
    fault(function.mark, path, "Fn::Split needs a separator");
    return unknown(function.mark);
  }
  Value list = Value::make_list(function.mark);
  std::size_t start = 0;
  while (true) {
    const std::size_t end = text->find(separator, start);
    const std::size_t length = end == std::string::npos ? end : end - start;
    std::string item = text->substr(start, length);
    if (!spend(item.size(), function.mark, path)) return unknown(function.mark);
    list.items.push_back(Value::make_string(std::move(item), function.mark));
    if (end == std::string::npos) return list;
    start = end + separator.size();
  }
}

Resolver::Answer Resolver::choose(const Call& function, const std::string& path) {
  const auto* three = arguments(function, 3, 3);
  if (three == nullptr) return unknown(function.mark);
  const std::optional<bool> truth = condition((*three)[0].text);
  if (!truth) return unknown(function.mark);
  return resolve((*three)[*truth ? 1 : 2], path);
}

Resolver::Answer Resolver::find_in_map(const Call& function, const std::string& path) {
  const auto* three = arguments(function, 3, 3);
  if (three == nullptr) return unknown(function.mark);
  const std::optional<std::string> name = text_of((*three)[0], path);
  const std::optional<std::string> first = text_of((*three)[1], path);
  const std::optional<std::string> second = text_of((*three)[2], path);
  if (!name || !first || !second) return unknown(function.mark);
  const Value* map = template_.mapping(*name);
  if (map == nullptr) {
    if (!(*three)[0].is_scalar()) {  // a name as written has been checked already
      fault(function.mark, path, fmt::format("no map {} in Mappings", *name));
    }
    return unknown(function.mark);
  }
  const Value* inner = map->find(*first);
  const Value* value = inner == nullptr ? nullptr : inner->find(*second);
  if (value == nullptr) {
    const Value& lacking = inner == nullptr ? *map : *inner;
    std::vector<std::string_view> known;
    for (const Key& key : lacking.keys) known.push_back(key.text);
    const std::string& key = inner == nullptr ? *first : *second;
    fault(function.mark, path,
          fmt::format("no key {} in map {}{}", key, *name, suggestion(key, known)));
    return unknown(function.mark);
  }
  if (!spend(value->text.size() + value->items.size() * sizeof(Value), function.mark, path)) {
    return unknown(function.mark);
  }
  return *value;
}

Resolver::Answer Resolver::base64(const Call& function, const std::string& path) {
  const std::optional<std::string> text = text_of(*function.argument, path);
  if (!text) return unknown(function.mark);
  return Value::make_string(model::base64_encode(*text), function.mark);
}

Resolver::Answer Resolver::get_azs(const Call& function, const std::string& path) {
  const std::optional<std::string> region = text_of(*function.argument, path);
  if (!region) return unknown(function.mark);
  if (!region->empty() && *region != environment_.region) {
    fault(function.mark, path,
          fmt::format("'{}' is another region; Weir has {} only", *region, environment_.region));
    return unknown(function.mark);
  }
  Value list = Value::make_list(function.mark);
  for (const DefaultSubnet& subnet : environment_.default_subnets) {
    list.items.push_back(Value::make_string(subnet.zone, function.mark));
  }
  return list;
}

Resolver::Answer Resolver::cidr(const Call& function, const std::string& path) {
  const auto* args = arguments(function, 2, 3);
  if (args == nullptr) return unknown(function.mark);
  const std::optional<std::string> range_text = text_of((*args)[0], path);
  const std::optional<std::string> count_text = text_of((*args)[1], path);
  const std::optional<std::string> bits_text =
      args->size() == 3 ? text_of((*args)[2], path) : std::optional<std::string>("8");
  if (!range_text || !count_text || !bits_text) return unknown(function.mark);
  const Result<model::Cidr> range = model::Cidr::parse(*range_text);
  const std::optional<std::int64_t> count = to_integer(*count_text);
  const std::optional<std::int64_t> bits = to_integer(*bits_text);
  if (!range) {
    fault(function.mark, path, fmt::format("Fn::Cidr: '{}' is no IPv4 range", *range_text));
    return unknown(function.mark);
  }
  if (!count || *count < 1 || *count > 256 || !bits || *bits < 1 || *bits > 32) {
    fault(function.mark, path, "Fn::Cidr: the count is 1–256, the host bits are 1–32");
    return unknown(function.mark);
  }
  const int prefix = 32 - static_cast<int>(*bits);
  const bool fits = prefix >= range->prefix() && (std::uint64_t{1} << (prefix - range->prefix())) >=
                                                     static_cast<std::uint64_t>(*count);
  if (!fits) {
    fault(
        function.mark, path,
        fmt::format("Fn::Cidr: {} has no room for {} ranges of /{}", *range_text, *count, prefix));
    return unknown(function.mark);
  }
  Value list = Value::make_list(function.mark);
  for (std::int64_t i = 0; i < *count; ++i) {
    list.items.push_back(Value::make_string(
        range->subnet(prefix, static_cast<std::uint32_t>(i)).to_string(), function.mark));
  }
  return list;
}

}  // namespace weir::stacks
