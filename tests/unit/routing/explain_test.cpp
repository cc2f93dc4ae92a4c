#include "routing/explain.hpp"

#include <gtest/gtest.h>

#include "requests.hpp"

namespace weir::routing {
namespace {

using test::Request;

class Explain : public testing::Test {
 protected:
  void add(std::vector<model::Condition> conditions) {
    model::Rule& rule = rules_.emplace_back();
    rule.priority = static_cast<int>(rules_.size());
    rule.conditions = std::move(conditions);
  }
  std::vector<RuleVerdict> run(const Request& request) {
    by_priority_.clear();
    for (const model::Rule& rule : rules_) by_priority_.push_back(&rule);
    const http::RequestHead head = request.head();
    return explain(by_priority_, {head, request.client_ip});
  }

  std::vector<model::Rule> rules_;
  std::vector<const model::Rule*> by_priority_;
};

TEST_F(Explain, SaysOfEachRuleWhatTheFirstFailedConditionSaw) {
  add({test::path({"/a"}), test::host({"x.y"})});
  add({test::host({"x.y"})});
  add({test::header("X-T", {"blue"})});
  add({test::header("X-U", {"blue"})});
  add({test::method({"GET"})});
  add({test::query({{std::nullopt, "1"}})});
  add({test::source_ip({"10.0.0.0/8"})});
  Request request;
  request.method = "PUT";
  request.path = "/b";
  request.authority = "Z.Y:80";
  request.headers = {{"x-t", "red"}, {"X-T", "green"}};
  const auto verdicts = run(request);
  ASSERT_EQ(verdicts.size(), 7U);
  const std::vector<std::string> seen = {
      "the path is /b",    "the host is z.y",   "X-T is red and green",   "there is no X-U header",
      "the method is PUT", "there is no query", "the client is 192.0.2.1"};
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(verdicts[i].seen, seen[i]);
    EXPECT_EQ(verdicts[i].failed, rules_[i].conditions.data());
  }
}

TEST_F(Explain, EndsWithTheRuleThatTakesTheRequest) {
  add({test::path({"/a"})});
  add({test::path({"/b"})});
  add({test::path({"/*"})});
  Request request;
  request.path = "/b";
  const auto verdicts = run(request);
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[1].failed, nullptr);
  EXPECT_EQ(verdicts[1].rule->priority, 2);
}

}  // namespace
}  // namespace weir::routing
