#include "stacks/parameters.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "stacks/limits.hpp"

namespace weir::stacks {

namespace {

constexpr std::array<std::string_view, 10> id_types{"AWS::EC2::AvailabilityZone::Name",
                                                    "AWS::EC2::Image::Id",
                                                    "AWS::EC2::Instance::Id",
                                                    "AWS::EC2::KeyPair::KeyName",
                                                    "AWS::EC2::SecurityGroup::GroupName",
                                                    "AWS::EC2::SecurityGroup::Id",
                                                    "AWS::EC2::Subnet::Id",
                                                    "AWS::EC2::Volume::Id",
                                                    "AWS::EC2::VPC::Id",
                                                    "AWS::Route53::HostedZone::Id"};

// A parameter's type, taken apart: the type of one value, and whether there are several.
struct Type {
  std::string_view item;
  bool is_list = false;
};

Type type_of(std::string_view name) {
  if (name == "CommaDelimitedList") return {"String", true};
  if (name.starts_with("List<") && name.ends_with('>')) {
    return {name.substr(5, name.size() - 6), true};
  }
  return {name, false};
}

bool is_known(const Type& type) {
  return type.item == "Number" || type.item == "String" ||
         std::ranges::find(id_types, type.item) != id_types.end();
}

std::optional<double> to_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [stopped, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || stopped != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.emplace_back(item);
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

// What the environment offers for a type of which AWS would ask a value.
struct Taken {
  std::string text;
  std::string notice;
};

std::optional<Taken> take_default(const std::string& name, const Type& type,
                                  const Environment& environment) {
  const auto& subnets = environment.default_subnets;
  if (type.item == "AWS::EC2::VPC::Id" && !environment.default_vpc_id.empty()) {
    return Taken{environment.default_vpc_id,
                 fmt::format("{}: took the default VPC {}", name, environment.default_vpc_id)};
  }
  if (type.item == "AWS::EC2::Subnet::Id" && !type.is_list && !subnets.empty()) {
    return Taken{subnets[0].subnet_id, fmt::format("{}: took the default subnet {} of {}", name,
                                                   subnets[0].subnet_id, subnets[0].zone)};
  }
  if (type.item == "AWS::EC2::Subnet::Id" && type.is_list && subnets.size() >= 2) {
    return Taken{
        subnets[0].subnet_id + "," + subnets[1].subnet_id,
        fmt::format("{}: took the default subnets of {} and {} ({}, {})", name, subnets[0].zone,
                    subnets[1].zone, subnets[0].subnet_id, subnets[1].subnet_id)};
  }
  return std::nullopt;
}

class Binder {
 public:
  Binder(const Template& tmpl, const Environment& environment, Diagnostics& diagnostics)
      : template_(tmpl), environment_(environment), diagnostics_(diagnostics) {}

  BoundParameters bind(const std::map<std::string, std::string>& given) {
    BoundParameters bound;
    refuse_undeclared(given);
    for (const ParameterDeclaration& parameter : template_.parameters) {
      bound.values[parameter.name] = bind_one(parameter, given, bound.notices);
    }
    return bound;
  }

 private:
  void refuse_undeclared(const std::map<std::string, std::string>& given) {
    std::vector<std::string_view> known;
    for (const ParameterDeclaration& parameter : template_.parameters) {
      known.push_back(parameter.name);
    }
    for (const auto& [name, value] : given) {
      if (template_.parameter(name) != nullptr) continue;
      std::string hint = suggestion(name, known);
      if (hint.empty()) {
        hint = known.empty() ? "; it has none" : "; it has " + join_words(known);
      }
      diagnostics_.add({}, {}, fmt::format("the template has no parameter {}{}", name, hint));
    }
  }

  void fault(const ParameterDeclaration& parameter, std::string message) {
    if (!parameter.constraint_description.empty()) {
      message += fmt::format(" ({})", parameter.constraint_description);
    }
    diagnostics_.add(parameter.mark, "Parameters." + parameter.name, std::move(message));
  }

  BoundParameter bind_one(const ParameterDeclaration& parameter,
                          const std::map<std::string, std::string>& given,
                          std::vector<std::string>& notices) {
    BoundParameter bound;
    bound.value = Value::make_unknown(parameter.mark);
    const Type type = type_of(parameter.type);
    if (parameter.type.starts_with("AWS::SSM::")) return bind_ssm(parameter);
    if (parameter.type.empty()) return bound;
    if (!is_known(type)) {
      add_unknown_type(parameter);
      return bound;
    }
    if (const auto value = given.find(parameter.name); value != given.end()) {
      bound.text = value->second;
    } else if (parameter.default_value) {
      bound.text = *parameter.default_value;
      bound.is_default = true;
    } else if (const auto taken = take_default(parameter.name, type, environment_)) {
      bound.text = taken->text;
      bound.is_default = true;
      notices.push_back(taken->notice);
    } else {
      fault(parameter, "the parameter needs a value");
      return bound;
    }
    check_and_set(parameter, type, bound);
    return bound;
  }

  // The CDK asks which version of its bootstrap stack there is; Weir needs none and has the newest.
  BoundParameter bind_ssm(const ParameterDeclaration& parameter) {
    const std::string path = parameter.default_value.value_or("");
    if (parameter.type == "AWS::SSM::Parameter::Value<String>" &&
        path.starts_with("/cdk-bootstrap/") && path.ends_with("/version")) {
      return {Value::make_string("999", parameter.mark), "999", true};
    }
    diagnostics_.add(parameter.mark, "Parameters." + parameter.name,
                     fmt::format("{}: Weir has no SSM; use String", parameter.type));
    return {Value::make_unknown(parameter.mark), {}, false};
  }

  void add_unknown_type(const ParameterDeclaration& parameter) {
    std::vector<std::string_view> known{"String", "Number", "CommaDelimitedList", "List<Number>"};
    known.insert(known.end(), id_types.begin(), id_types.end());
    std::string hint = suggestion(parameter.type, known);
    if (hint.empty()) hint = fmt::format("; known are {}, and List<> of them", join_words(known));
    diagnostics_.add(parameter.mark, fmt::format("Parameters.{}.Type", parameter.name),
                     fmt::format("unknown type {}{}", parameter.type, hint));
  }

  void check_and_set(const ParameterDeclaration& parameter, const Type& type,
                     BoundParameter& bound) {
    if (bound.text.size() > limits::parameter_value_bytes_max) {
      fault(parameter, fmt::format("{} bytes; a parameter has at most {}", bound.text.size(),
                                   limits::parameter_value_bytes_max));
      return;
    }
    const std::vector<std::string> items =
        type.is_list ? split_list(bound.text) : std::vector<std::string>{bound.text};
    bool is_good = check_length(parameter, bound.text);
    for (const std::string& item : items) is_good = check_item(parameter, type, item) && is_good;
    if (!is_good) return;
    if (!type.is_list) {
      bound.value = Value::make_string(bound.text, parameter.mark);
      return;
    }
    bound.value = Value::make_list(parameter.mark);
    for (const std::string& item : items) {
      bound.value.items.push_back(Value::make_string(item, parameter.mark));
    }
  }

  // A NoEcho value is not shown, not even a wrong one.
  static std::string shown(const ParameterDeclaration& parameter, std::string_view text) {
    return parameter.no_echo ? "the value" : fmt::format("'{}'", text);
  }

  bool check_length(const ParameterDeclaration& parameter, const std::string& text) {
    if (parameter.min_length && text.size() < *parameter.min_length) {
      fault(parameter,
            fmt::format("{} is shorter than {}", shown(parameter, text), *parameter.min_length));
      return false;
    }
    if (parameter.max_length && text.size() > *parameter.max_length) {
      fault(parameter,
            fmt::format("{} is longer than {}", shown(parameter, text), *parameter.max_length));
      return false;
    }
    return true;
  }

  bool check_item(const ParameterDeclaration& parameter, const Type& type,
                  const std::string& item) {
    const auto& allowed = parameter.allowed_values;
    if (!allowed.empty() && std::ranges::find(allowed, item) == allowed.end()) {
      const std::vector<std::string_view> words(allowed.begin(), allowed.end());
      fault(parameter,
            fmt::format("{} is not one of {}", shown(parameter, item), join_words(words)));
      return false;
    }
    if (!parameter.allowed_pattern.empty() && !check_pattern(parameter, item)) return false;
    if (type.item == "Number") return check_number(parameter, item);
    return check_exists(parameter, type, item);
  }

  bool check_pattern(const ParameterDeclaration& parameter, const std::string& item) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    const RE2 pattern(parameter.allowed_pattern, options);
    if (!pattern.ok()) {
      fault(parameter, fmt::format("AllowedPattern cannot be used: {}", pattern.error()));
      return false;
    }
    if (RE2::FullMatch(item, pattern)) return true;
    fault(parameter, fmt::format("{} does not match the pattern {}", shown(parameter, item),
                                 parameter.allowed_pattern));
    return false;
  }

  bool check_number(const ParameterDeclaration& parameter, const std::string& item) {
    const std::optional<double> number = to_number(item);
    if (!number) {
      fault(parameter, fmt::format("{} is no number", shown(parameter, item)));
      return false;
    }
    if (parameter.min_value && *number < *parameter.min_value) {
      fault(parameter,
            fmt::format("{} is less than {}", shown(parameter, item), *parameter.min_value));
      return false;
    }
    if (parameter.max_value && *number > *parameter.max_value) {
      fault(parameter,
            fmt::format("{} is more than {}", shown(parameter, item), *parameter.max_value));
      return false;
    }
    return true;
  }

  bool check_exists(const ParameterDeclaration& parameter, const Type& type,
                    const std::string& item) {
    const auto check = [&](const std::set<std::string>& ids, std::string_view what) {
      if (ids.contains(item)) return true;
      fault(parameter, fmt::format("there is no {} {}", what, shown(parameter, item)));
      return false;
    };
    if (type.item == "AWS::EC2::VPC::Id") return check(environment_.vpc_ids, "VPC");
    if (type.item == "AWS::EC2::Subnet::Id") return check(environment_.subnet_ids, "subnet");
    if (type.item == "AWS::EC2::SecurityGroup::Id") {
      return check(environment_.security_group_ids, "security group");
    }
    if (type.item == "AWS::EC2::AvailabilityZone::Name") {
      std::set<std::string> zones;
      for (const DefaultSubnet& subnet : environment_.default_subnets) zones.insert(subnet.zone);
      return check(zones, "zone");
    }
    return true;
  }

  const Template& template_;
  const Environment& environment_;
  Diagnostics& diagnostics_;
};

}  // namespace

BoundParameters bind_parameters(const Template& tmpl,
                                const std::map<std::string, std::string>& given,
                                const Environment& environment, Diagnostics& diagnostics) {
  return Binder(tmpl, environment, diagnostics).bind(given);
}

}  // namespace weir::stacks
