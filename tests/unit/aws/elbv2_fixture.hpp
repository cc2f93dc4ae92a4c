// Calls of ELBv2 as a client sends them, without HTTP: parameters are decoded and validated by the
// description, the handler answers, and the answer must be what the description says.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../control/elb_fixture.hpp"
#include "aws/description/description.hpp"
#include "aws/elbv2/elbv2_service.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "control/trust_stores.hpp"

namespace weir::aws {

using Parameters = std::vector<std::pair<std::string, std::string>>;

class Elbv2Test : public control::ElbTest {
 protected:
  void SetUp() override {
    ElbTest::SetUp();
    use_limits(control::raised_limits());
    auto read = parse_description(embedded_description("elbv2"));
    ASSERT_TRUE(read) << read.error().message;
    description_ = std::move(*read);
  }
  void use_limits(const control::Limits& limits) {
    elb_ = std::make_unique<control::Elb>(*registry_, data_plane_, limits);
    handlers_ = elbv2_handlers({*registry_, *elb_,
                                std::make_shared<control::TrustStores>(
                                    *registry_, control::LocalObjects("/nonexistent"), limits),
                                [this] { ++flushes_; }});
  }

  Result<Value> call(const std::string& name, const Parameters& parameters) {
    const Operation& operation = description_->operations.at(name);
    auto input = decode_query(Protocol::query, operation.input, parameters);
    if (!input) return std::unexpected(input.error());
    if (auto valid = validate(Protocol::query, *operation.input, *input); !valid) {
      return std::unexpected(valid.error());
    }
    auto output = handlers_.at(name)(Caller(), *input);
    if (!output) return output;
    const auto xml = encode_xml(*description_, Protocol::query, operation, *output, "id");
    EXPECT_TRUE(xml) << name << ": " << xml.error().message;
    return output;
  }
  // "ok" or the error's code.
  std::string code(const std::string& name, const Parameters& parameters) {
    const auto done = call(name, parameters);
    return done ? "ok" : done.error().code;
  }
  std::string message(const std::string& name, const Parameters& parameters) {
    const auto done = call(name, parameters);
    return done ? "ok" : done.error().message;
  }
  // The list `member` of a call that succeeds.
  Value::List list(const std::string& name, const Parameters& parameters,
                   const std::string& member) {
    const auto done = call(name, parameters);
    EXPECT_TRUE(done) << name << ": " << (done ? "" : done.error().message);
    return done ? done->list(member) : Value::List();
  }

  std::unique_ptr<Description> description_;
  Handlers handlers_;
  int flushes_ = 0;
};

// Well-formed, of what is not there.
inline constexpr const char* no_balancer =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/0123456789abcdef";
inline constexpr const char* no_group =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/0123456789abcdef";
inline constexpr const char* no_listener =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/x/0123456789abcdef/0";
inline constexpr const char* no_rule =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/x/0123456789abcdef/0/0";
inline constexpr const char* no_store =
    "arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/x/0123456789abcdef";

class Elbv2 : public Elbv2Test {
 protected:
  void SetUp() override {
    Elbv2Test::SetUp();
    balancer_ = make_balancer().arn;
    group_ = make_group("g1");
    listener_ = make_listener(balancer_, group_);
  }
  Parameters rule(int priority, const std::string& path) const {
    return {{"ListenerArn", listener_},
            {"Priority", std::to_string(priority)},
            {"Conditions.member.1.Field", "path-pattern"},
            {"Conditions.member.1.Values.member.1", path},
            {"Actions.member.1.Type", "forward"},
            {"Actions.member.1.TargetGroupArn", group_}};
  }

  std::string balancer_;
  std::string group_;
  std::string listener_;
};

inline Parameters with(Parameters parameters, const Parameters& more) {
  for (const auto& [name, value] : more) {
    std::erase_if(parameters, [&](const auto& each) { return each.first == name; });
    parameters.emplace_back(name, value);
  }
  return parameters;
}

}  // namespace weir::aws
