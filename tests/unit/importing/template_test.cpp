// Recorded answers (tests/imports/*.xml) and the templates that they must give (*.yaml).
// WEIR_UPDATE_GOLDEN=1 writes the latter anew.
#include "importing/template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "importing/reader.hpp"
#include "recorded_answers.hpp"
#include "stacks/plan.hpp"

namespace weir::importing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::filesystem::path folder() { return std::filesystem::path(WEIR_SOURCE_DIR) / "tests/imports"; }

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

ImportedTemplate template_of(const std::string& answers) {
  RecordedAnswers recorded(answers);
  const auto inventory = read_inventory(recorded.call(), {});
  EXPECT_TRUE(inventory) << inventory.error().message;
  return inventory ? make_template(*inventory, "eu-west-1") : ImportedTemplate{};
}

// Whether `weir up` would take it; its faults where not.
std::string faults_of(const std::string& text) {
  stacks::Environment environment;
  environment.stack_name = "stack";
  environment.stack_id = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/0";
  environment.default_vpc_id = "vpc-1";
  environment.default_subnets = {{"us-east-1a", "subnet-1"}, {"us-east-1b", "subnet-2"}};
  environment.vpc_ids = {"vpc-1"};
  environment.subnet_ids = {"subnet-1", "subnet-2"};
  stacks::CreateInput input;
  input.name = "stack";
  input.file_name = "imported.yaml";
  input.template_body = text;
  const auto prepared = stacks::prepare(input, environment);
  return prepared ? "" : prepared.error().message;
}

class GoldenTemplate : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenTemplate, IsMadeOfTheAnswers) {
  const auto made = template_of(content_of(folder() / (GetParam() + ".xml")));
  const auto golden = folder() / (GetParam() + ".yaml");
  if (std::getenv("WEIR_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << made.text;
  EXPECT_EQ(made.text, content_of(golden));
}

INSTANTIATE_TEST_SUITE_P(Imports, GoldenTemplate, ::testing::Values("plain", "left-out", "https"),
                         [](const auto& name) {
                           std::string word = name.param;
                           std::erase(word, '-');
                           return word;
                         });

TEST(ImportedTemplates, AreTakenByWeir) {
  for (const auto* name : {"plain.yaml", "left-out.yaml"})
    EXPECT_EQ(faults_of(content_of(folder() / name)), "") << name;
}

// ---------------------------------------------------------------- small answers
struct Site {
  std::string listener =
      "<Port>80</Port><Protocol>HTTP</Protocol><DefaultActions><member><Type>fixed-response</Type>"
      "<FixedResponseConfig><StatusCode>200</StatusCode></FixedResponseConfig></member>"
      "</DefaultActions>";
  std::string rules;
  std::string load_balancers =
      "<member><LoadBalancerArn>arn:lb</LoadBalancerArn><LoadBalancerName>web</LoadBalancerName>"
      "</member>";
};

std::string answer(const std::string& action, const std::string& result) {
  return "=== " + action + "\n<" + action + "Response><" + action + "Result>" + result + "</" +
         action + "Result></" + action + "Response>\n";
}

std::string answers_of(const Site& site) {
  return answer("DescribeLoadBalancers",
                "<LoadBalancers>" + site.load_balancers + "</LoadBalancers>") +
         answer("DescribeListeners", "<Listeners><member><ListenerArn>arn:l</ListenerArn>" +
                                         site.listener + "</member></Listeners>") +
         answer("DescribeRules", "<Rules>" + site.rules + "</Rules>") +
         answer("DescribeTargetGroups", "<TargetGroups/>") +
         answer("DescribeLoadBalancerAttributes", "") + answer("DescribeListenerAttributes", "") +
         answer("DescribeTags", "");
}

std::string rule(const std::string& conditions, const std::string& actions) {
  return "<member><RuleArn>arn:r</RuleArn><Priority>3</Priority><Conditions>" + conditions +
         "</Conditions><Actions>" + actions + "</Actions></member>";
}

constexpr const char* path_condition =
    "<member><Field>path-pattern</Field><Values><member>/a</member></Values></member>";
constexpr const char* answer_200 =
    "<member><Type>fixed-response</Type><FixedResponseConfig><StatusCode>200</StatusCode>"
    "</FixedResponseConfig><Order>2</Order></member>";

TEST(ImportedTemplates, ARuleWhoseActionIsUnknownAnswers503) {
  Site site;
  site.rules =
      rule(path_condition,
           std::string("<member><Type>ask-somebody</Type><Order>1</Order></member>") + answer_200);
  const auto made = template_of(answers_of(site));
  const auto actions = made.text.substr(made.text.find("Rule3:"));
  EXPECT_THAT(actions, HasSubstr("Not imported: ask-somebody actions"));
  EXPECT_THAT(actions, Not(HasSubstr("\"200\"")));
  EXPECT_THAT(made.notices, Contains(HasSubstr("rule 3 of web:80: its actions become")));
  EXPECT_EQ(faults_of(made.text), "");
}

TEST(ImportedTemplates, ARuleWithAnUnknownConditionIsLeftOut) {
  Site site;
  site.rules =
      rule(std::string("<member><Field>moon-phase</Field></member>") + path_condition, answer_200);
  const auto made = template_of(answers_of(site));
  EXPECT_THAT(made.text, Not(HasSubstr("ListenerRule")));
  EXPECT_THAT(made.notices, Contains(HasSubstr("rule 3 of web:80 is left out")));
}

TEST(ImportedTemplates, HostileNamesStayText) {
  Site site;
  site.load_balancers =
      "<member><LoadBalancerArn>arn:lb</LoadBalancerArn><LoadBalancerName>a: !Ref b #&#10;c&#27;"
      "[31m&#x9b;</LoadBalancerName><SecurityGroups><member>sg&#10;Resources: {}</member>"
      "</SecurityGroups></member>";
  const auto made = template_of(answers_of(site));
  EXPECT_THAT(made.text, HasSubstr("ARefBC31mLoadBalancer:"));
  EXPECT_THAT(made.text, HasSubstr("Name: \"a: !Ref b #\\nc"));
  EXPECT_THAT(made.text, Not(HasSubstr("\nResources: {}")));
  for (const auto& notice : made.notices) {
    EXPECT_THAT(notice, Not(HasSubstr("\n")));
    EXPECT_THAT(notice, Not(HasSubstr("\x1b")));
    EXPECT_THAT(notice, Not(HasSubstr("\xc2\x9b")));
  }
}

// ---------------------------------------------------------------- reading
TEST(Inventories, ListsComeInPages) {
  Site site;
  auto text = answers_of(site);
  text.replace(text.find("<LoadBalancers>"), 0, "<NextMarker>more</NextMarker>");
  text += answer("DescribeLoadBalancers",
                 "<LoadBalancers><member><LoadBalancerName>two"
                 "</LoadBalancerName></member></LoadBalancers>");
  RecordedAnswers recorded(text);
  const auto inventory = read_inventory(recorded.call(), {});
  ASSERT_TRUE(inventory);
  EXPECT_EQ(inventory->load_balancers.size(), 2U);
  EXPECT_THAT(recorded.calls(), Contains("DescribeLoadBalancers Marker=more"));
}

TEST(Inventories, AListWithoutEndIsRefused) {
  RecordedAnswers recorded(
      answer("DescribeLoadBalancers", "<NextMarker>again</NextMarker><LoadBalancers/>"));
  const auto inventory = read_inventory(recorded.call(), {});
  ASSERT_FALSE(inventory);
  EXPECT_EQ(inventory.error().code, "MalformedAnswer");
}

TEST(Inventories, OtherTypesAreRefusedByNameAndPassedOverAmongAll) {
  Site site;
  site.load_balancers =
      "<member><LoadBalancerName>net</LoadBalancerName><Type>network</Type></member>";
  RecordedAnswers recorded(answers_of(site));
  EXPECT_EQ(read_inventory(recorded.call(), {"net"}).error().code, "UnsupportedLoadBalancer");
  const auto all = read_inventory(recorded.call(), {});
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->load_balancers.empty());
  EXPECT_EQ(all->passed_over.size(), 1U);
}

TEST(Inventories, ANameThatIsNotThereIsAnsweredWithThoseThatAre) {
  RecordedAnswers recorded(
      "=== DescribeLoadBalancers\n<ErrorResponse><Error><Code>LoadBalancerNotFound</Code>"
      "<Message>no</Message></Error></ErrorResponse>\n" +
      answer("DescribeLoadBalancers",
             "<LoadBalancers><member><LoadBalancerName>web</LoadBalancerName></member>"
             "<member><LoadBalancerName>api</LoadBalancerName></member></LoadBalancers>"));
  const auto inventory = read_inventory(recorded.call(), {"wep"});
  ASSERT_FALSE(inventory);
  EXPECT_EQ(inventory.error().message, "there is no load balancer 'wep'");
  EXPECT_EQ(inventory.error().hint, "There are: api, web");
}

// ---------------------------------------------------------------- answers
TEST(Answers, AreOfTheCallAndWithoutDocumentTypes) {
  const auto& operation = elbv2_description().operations.at("DescribeTags");
  EXPECT_TRUE(
      read_answer(operation, "<DescribeTagsResponse><DescribeTagsResult/></DescribeTagsResponse>"));
  for (const auto* wrong :
       {"", "<", "<html/>", "<DescribeTagsResponse/>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><DescribeTagsResponse><DescribeTagsResult/>"
        "</DescribeTagsResponse>"}) {
    const auto read = read_answer(operation, wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().code, "MalformedAnswer");
  }
}

TEST(Answers, ARefusalThatIsNotOfAwsHasItsStatus) {
  EXPECT_EQ(read_refusal(502, "<html>Bad gateway</html>").message,
            "the endpoint answered HTTP 502");
  EXPECT_EQ(read_refusal(403,
                         "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message>"
                         "</Error></ErrorResponse>")
                .code,
            "AccessDenied");
}

}  // namespace
}  // namespace weir::importing
