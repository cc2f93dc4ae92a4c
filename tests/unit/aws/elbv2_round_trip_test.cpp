// What a client asks for is what Describe gives back, field by field: random rules and target
// groups, sent as parameters, read from the state and from Describe.
#include <gtest/gtest.h>

#include <random>

#include "aws/elbv2/rule_shapes.hpp"
#include "elbv2_fixture.hpp"
#include "model/codec.hpp"

namespace weir::aws {
namespace {

// As a query string has it: "Actions.member.1.Type" and so on.
void flatten(const std::string& name, const Value& value, Parameters& out) {
  const auto& held = value.held();
  if (const auto* text = std::get_if<std::string>(&held)) {
    out.emplace_back(name, *text);
  } else if (const auto* flag = std::get_if<bool>(&held)) {
    out.emplace_back(name, *flag ? "true" : "false");
  } else if (const auto* number = std::get_if<std::int64_t>(&held)) {
    out.emplace_back(name, std::to_string(*number));
  } else if (const auto* items = std::get_if<Value::List>(&held)) {
    for (std::size_t i = 0; i < items->size(); ++i) {
      flatten(name + ".member." + std::to_string(i + 1), (*items)[i], out);
    }
  } else {
    for (const auto& [member, item] : value.members()) flatten(name + "." + member, item, out);
  }
}

// The conditions without the older members that say the same again, which no call takes.
Value newer_form(const Value& conditions) {
  Value::List out;
  for (const Value& condition : conditions.items()) {
    Value kept;
    for (const auto& [name, value] : condition.members()) {
      if (name != "Values" && name != "RegexValues") kept.set(name, value);
    }
    out.push_back(std::move(kept));
  }
  return Value(std::move(out));
}

class RandomRule {
 public:
  explicit RandomRule(std::vector<std::string> groups) : groups_(std::move(groups)) {}

  model::Rule operator()(int priority) {
    model::Rule rule;
    rule.priority = priority;
    // At most five values and six wildcards in all: one value in each of a few conditions.
    for (int field = 0; field < 6; ++field) {
      if (rule.conditions.size() < 4 && number(2) == 0) rule.conditions.push_back(condition(field));
    }
    if (rule.conditions.empty()) rule.conditions.push_back(condition(0));
    rule.actions = {action()};
    const bool forwards = std::holds_alternative<model::ForwardAction>(rule.actions[0].config);
    if (forwards && number(2) == 0) {
      rule.transforms = {{model::TransformType::url_rewrite, "^/a(.*)$", "/b$1?x=<&>"}};
    }
    if (forwards && number(3) == 0) {
      rule.transforms.push_back({model::TransformType::host_header_rewrite, "a", "b"});
    }
    return rule;
  }
  int number(int below) { return std::uniform_int_distribution(0, below - 1)(random_); }

 private:
  std::string word() {
    std::string out;
    for (int i = number(6); i >= 0; --i) out.push_back("abcXYZ019"[number(9)]);
    return out;
  }
  model::Condition condition(int field) {
    model::Condition out;
    out.field = static_cast<model::ConditionField>(field);
    switch (out.field) {
      case model::ConditionField::path_pattern:
        if (number(3) == 0) {
          out.regex_values = {"^/" + word() + "[0-9]+$"};
        } else {
          out.values = {"/" + word() + "&\"'~/" + (number(2) == 0 ? "*" : "")};
        }
        break;
      case model::ConditionField::host_header:
        out.values = {"*." + word() + ".example"};
        break;
      case model::ConditionField::http_header:
        out.http_header_name = "X-" + word();
        out.values = {word() + " <&>"};
        break;
      case model::ConditionField::http_request_method:
        out.values = {"PURGE"};
        break;
      case model::ConditionField::query_string:
        out.query = {
            {number(2) == 0 ? std::optional<std::string>(word()) : std::nullopt, word() + "+%20="}};
        break;
      case model::ConditionField::source_ip:
        out.values = {"10." + std::to_string(number(256)) + ".0.0/16"};
        break;
    }
    return out;
  }
  model::Action action() {
    model::Action out;
    out.order = 1 + number(50'000);
    switch (number(3)) {
      case 0:
        out.config = forward();
        break;
      case 1:
        out.config = model::RedirectAction{number(2) == 0 ? "HTTPS" : "#{protocol}",
                                           word() + ".example",
                                           "443",
                                           "/" + word() + "/#{path}",
                                           number(2) == 0 ? "#{query}" : "",
                                           301 + number(2)};
        break;
      default:
        out.config = model::FixedResponseAction{404, number(2) == 0 ? "text/html" : "",
                                                number(2) == 0 ? "<b>" + word() + " ü</b>" : ""};
    }
    return out;
  }
  model::ForwardAction forward() {
    model::ForwardAction out;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(number(3)) && i < groups_.size(); ++i) {
      out.target_groups.push_back({groups_[i], number(1000)});
    }
    if (number(2) == 0) {
      out.stickiness_enabled = true;
      out.stickiness_duration_seconds = 1 + number(604'800);
    }
    return out;
  }

  std::vector<std::string> groups_;
  std::mt19937 random_{20261125};
};

class Elbv2RoundTrip : public Elbv2Test {
 protected:
  std::string xml(const Value& output) {
    return *encode_xml(*description_, Protocol::query, description_->operations.at("DescribeRules"),
                       output, "id");
  }
};

TEST_F(Elbv2RoundTrip, Rules) {
  const std::string balancer = make_balancer().arn;
  const std::vector<std::string> groups{make_group("g1"), make_group("g2"), make_group("g3")};
  const std::string listener = make_listener(balancer, groups[0]);
  RandomRule random(groups);
  for (int priority = 1; priority <= 300; ++priority) {
    const model::Rule wanted = random(priority);
    Parameters parameters{{"ListenerArn", listener}, {"Priority", std::to_string(priority)}};
    flatten("Conditions", newer_form(elbv2::condition_list(wanted.conditions)), parameters);
    flatten("Actions", elbv2::action_list(wanted.actions), parameters);
    flatten("Transforms", elbv2::transform_list(wanted.transforms), parameters);
    const auto made = call("CreateRule", parameters);
    ASSERT_TRUE(made) << model::encode(wanted) << made.error().message;

    model::Rule expected = wanted;
    expected.arn = made->list("Rules")[0].text("RuleArn");
    expected.listener_arn = listener;
    registry_->read([&](const control::State& state) {
      EXPECT_EQ(model::encode(state.rules.at(expected.arn)), model::encode(expected));
    });
    const auto shown = call("DescribeRules", {{"RuleArns.member.1", expected.arn}});
    ASSERT_TRUE(shown);
    EXPECT_EQ(xml(*shown), xml(*made));
    const Value& rule = shown->list("Rules")[0];
    EXPECT_EQ(rule.list("Conditions").size(), wanted.conditions.size());
    // What Describe gives is taken again, and means the same.
    EXPECT_EQ(*elbv2::conditions_of(newer_form(Value(rule.list("Conditions"))).items()),
              wanted.conditions);
  }
}

TEST_F(Elbv2RoundTrip, TargetGroups) {
  std::mt19937 random{4711};
  const auto number = [&](int low, int high) {
    return std::to_string(std::uniform_int_distribution(low, high)(random));
  };
  for (int round = 0; round < 100; ++round) {
    const std::string interval = number(10, 300);
    const Parameters fields{
        {"Protocol", "HTTP"},
        {"Port", number(1, 65'535)},
        {"VpcId", "vpc-1"},
        {"HealthCheckProtocol", "HTTP"},
        {"HealthCheckPort", round % 2 == 0 ? "traffic-port" : number(1, 65'535)},
        {"HealthCheckEnabled", "true"},
        {"HealthCheckPath", "/up?a=<&>" + number(0, 99)},
        {"HealthCheckIntervalSeconds", interval},
        {"HealthCheckTimeoutSeconds", number(2, 9)},
        {"HealthyThresholdCount", number(2, 10)},
        {"UnhealthyThresholdCount", number(2, 10)},
        {"Matcher.HttpCode", "200," + number(300, 399) + "-" + number(400, 499)},
        {"TargetType", round % 3 == 0 ? "ip" : "instance"},
        {"ProtocolVersion", "HTTP1"},
        {"IpAddressType", "ipv4"}};
    Parameters parameters = fields;
    parameters.emplace_back("Name", "group-" + std::to_string(round));
    ASSERT_TRUE(call("CreateTargetGroup", parameters));
    const auto shown = list("DescribeTargetGroups",
                            {{"Names.member.1", "group-" + std::to_string(round)}}, "TargetGroups");
    ASSERT_EQ(shown.size(), 1U);
    Parameters flat;
    flatten("X", shown[0], flat);
    for (const auto& [name, value] : fields) {
      EXPECT_NE(std::ranges::find(flat, Parameters::value_type{"X." + name, value}), flat.end())
          << name << "=" << value;
    }
  }
}

}  // namespace
}  // namespace weir::aws
