#include "daemon/rule_text.hpp"

#include <gtest/gtest.h>

namespace weir::daemon {
namespace {

model::Condition path(std::vector<std::string> values) {
  model::Condition condition;
  condition.field = model::ConditionField::path_pattern;
  condition.values = std::move(values);
  return condition;
}

TEST(RuleText, ConditionsReadAsASentence) {
  model::Condition host;
  host.field = model::ConditionField::host_header;
  host.values = {"a.example", "b.example"};
  model::Condition query;
  query.field = model::ConditionField::query_string;
  query.query = {{"k", "v"}, {std::nullopt, "w"}};
  EXPECT_EQ(conditions_text({path({"/a*"}), host, query}),
            "path-pattern /a* and host-header a.example or b.example and query-string k=v or w");
}

TEST(RuleText, AWeightedForwardShowsItsShares) {
  control::State state;
  state.target_groups["arn1"].name = "cluster1";
  state.target_groups["arn2"].name = "cluster2";
  model::Action action;
  action.config = model::ForwardAction{{{"arn1", 1}, {"arn2", 3}}, false, 0};
  EXPECT_EQ(actions_text(state, {action}), "forward to cluster1 (25 %), cluster2 (75 %)");
}

TEST(RuleText, AGroupThatHasGoneKeepsItsArn) {
  model::Action action;
  action.config = model::ForwardAction{{{"arn:gone", 0}}, false, 0};
  EXPECT_EQ(actions_text({}, {action}), "forward to arn:gone");
}

TEST(RuleText, AnExamplePathMatchesThePattern) {
  EXPECT_EQ(example_path({path({"/cluster1"})}), "/cluster1");
  EXPECT_EQ(example_path({path({"*/cluster1*"})}), "/cluster1");
  EXPECT_EQ(example_path({path({"/a/*/b"})}), "/a/b") << "the star takes no character";
  EXPECT_EQ(example_path({path({"/a?c"})}), "") << "which character is not known";
  EXPECT_EQ(example_path({}), "");
  EXPECT_EQ(example_path({path({"/a"}), path({"/b"})}), "");
}

}  // namespace
}  // namespace weir::daemon
