// Calls of EC2 as a client sends them, without HTTP: parameters are decoded and validated by the
// description, the handler answers, and the answer must be what the description says.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../control/fakes.hpp"
#include "aws/description/description.hpp"
#include "aws/ec2/ec2_service.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "control/ec2.hpp"

namespace weir::aws {

class Ec2ApiTest : public testing::Test {
 protected:
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  void SetUp() override {
    auto read = parse_description(embedded_description("ec2"));
    ASSERT_TRUE(read) << read.error().message;
    description_ = std::move(*read);
    start();
  }
  // A daemon's start on the same store and compute.
  void start() {
    ec2_.reset();
    registry_ = control::open_registry(disk_);
    ec2_ = std::make_unique<control::Ec2>(*registry_, compute_);
    ASSERT_TRUE(ec2_->ensure_default_vpc({}));
    handlers_ = ec2_handlers(
        {*registry_, *ec2_, [] { return std::vector<std::string>{"ami-08c40ec9ead489470"}; }});
  }

  Result<Value> call(const std::string& name, const Parameters& parameters = {}) {
    const Operation& operation = description_->operations.at(name);
    auto input = decode_query(Protocol::ec2, operation.input, parameters);
    if (!input) return std::unexpected(input.error());
    if (auto valid = validate(Protocol::ec2, *operation.input, *input); !valid) {
      return std::unexpected(valid.error());
    }
    auto output = handlers_.at(name)(Caller(), *input);
    if (!output) return output;
    const auto xml = encode_xml(*description_, Protocol::ec2, operation, *output, "id");
    EXPECT_TRUE(xml) << name << ": " << xml.error().message;
    return output;
  }
  // "ok" or the error's code.
  std::string code(const std::string& name, const Parameters& parameters = {}) {
    const auto done = call(name, parameters);
    return done ? "ok" : done.error().code;
  }
  std::string message(const std::string& name, const Parameters& parameters = {}) {
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
  std::shared_ptr<control::Disk> disk_ = std::make_shared<control::Disk>();
  control::FakeCompute compute_;
  std::unique_ptr<control::Registry> registry_;
  std::unique_ptr<control::Ec2> ec2_;
  Handlers handlers_;
};

}  // namespace weir::aws
