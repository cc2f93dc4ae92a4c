#include "daemon/explain_command.hpp"

#include <gtest/gtest.h>

namespace weir::daemon {
namespace {

class ExplainCommand : public testing::Test {
 protected:
  void SetUp() override {
    add_balancer("lb1", "one.elb.localhost", 1000);
    add_balancer("lb2", "two.elb.localhost", 2000);
    add_listener("l1", "lb1", 404);
    add_listener("l2", "lb2", 410);
    model::Rule& rule = state_.rules["r1"];
    rule.arn = "r1";
    rule.listener_arn = "l1";
    rule.priority = 7;
    rule.conditions = {{model::ConditionField::host_header, {"shop.example"}, {}, {}, {}}};
    rule.actions = {{1, model::ForwardAction{{{"g", 1}}, false, 0}}};
    rule.transforms = {{model::TransformType::url_rewrite, "^/a", "/b"}};
    state_.index.add(rule);
  }
  void add_balancer(const std::string& arn, const std::string& dns_name, std::int64_t at) {
    model::LoadBalancer& out = state_.load_balancers[arn];
    out.arn = out.name = arn;
    out.dns_name = dns_name;
    out.created_at_ms = at;
  }
  void add_listener(const std::string& arn, const std::string& balancer, int status) {
    model::Listener& out = state_.listeners[arn];
    out.arn = arn;
    out.load_balancer_arn = balancer;
    out.bound_port = 8080;
    out.default_actions = {{1, model::FixedResponseAction{status, "", ""}}};
    state_.index.add(out);
  }
  Json ask(const Json& request) {
    const auto result = explain_json(state_, request);
    return result ? *result : error_json(result.error());
  }

  control::State state_;
};

TEST_F(ExplainCommand, TheHostHeaderIsWhatRulesSeeAndTheUrlChoosesTheListener) {
  const Json taken = ask({{"method", "GET"},
                          {"url", "http://one.elb.localhost:8080/a?x"},
                          {"headers", {"host: Shop.Example"}}});
  EXPECT_EQ(taken.at("load_balancer"), "lb1");
  EXPECT_EQ(taken.at("priority"), 7);
  EXPECT_EQ(taken.at("rules").at(0).at("takes_it"), true);
  EXPECT_EQ(taken.at("transform").at("uri"), "/b?x");
  const Json other = ask({{"method", "GET"}, {"url", "http://two.elb.localhost/a"}});
  EXPECT_EQ(other.at("load_balancer"), "lb2");
  EXPECT_EQ(other.at("priority"), "default");
  EXPECT_EQ(other.at("action"), "fixed response 410");
}

TEST_F(ExplainCommand, APathAloneAsksTheOldestLoadBalancer) {
  const Json answer = ask({{"method", "GET"}, {"url", "/a"}});
  EXPECT_EQ(answer.at("load_balancer"), "lb1");
  EXPECT_EQ(answer.at("priority"), "default");
  EXPECT_EQ(answer.at("rules").at(0).at("seen"), "there is no host");
}

TEST_F(ExplainCommand, WarnsOfRulesThatCanNeverMatch) {
  model::Rule covered = state_.rules.at("r1");
  covered.arn = "r2";
  covered.priority = 9;
  covered.conditions.push_back({model::ConditionField::path_pattern, {"/a"}, {}, {}, {}});
  state_.index.add(state_.rules[covered.arn] = covered);
  const Json answer = ask({{"method", "GET"}, {"url", "http://one.elb.localhost/a"}});
  EXPECT_EQ(answer.at("warnings"),
            Json({"rule 9 of the listener on port 80 of lb1 can never match: rule 7 takes all its "
                  "requests"}));
  EXPECT_TRUE(
      ask({{"method", "GET"}, {"url", "http://two.elb.localhost/a"}}).at("warnings").empty());
}

TEST_F(ExplainCommand, SaysWhatIsWrongWithTheQuestion) {
  EXPECT_EQ(ask({{"method", "GET"}, {"url", "a b"}}).at("error").at("code"), "BadRequest");
  EXPECT_EQ(ask({{"method", "GET"}, {"url", "/"}, {"headers", {"x"}}}).at("error").at("message"),
            "'x' is no header");
  const Json none = ask({{"method", "GET"}, {"url", "http://one.elb.localhost:81/"}});
  EXPECT_EQ(none.at("error").at("message"), "no listener has port 81");
}

}  // namespace
}  // namespace weir::daemon
