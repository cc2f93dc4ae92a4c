// What tests of the engine stand on: the real Registry, Elb and Ec2, with a stand-in for the
// machine.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../control/fakes.hpp"
#include "stacks/builtin.hpp"
#include "stacks/engine.hpp"

namespace weir::stacks {

using control::copy_of;
using control::FakeCompute;
using control::FakeDataPlane;
using control::State;

inline constexpr std::string_view web_template = R"(
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: web}
  Http:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Group, IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}
  Web:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: ami-08c40ec9ead489470
      InstanceType: m4.large
      AvailabilityZone: us-east-1b
      SecurityGroupIds: [!GetAtt Group.GroupId]
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 80, Targets: [{Id: !Ref Web}]}
  Named:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Name: taken, Port: 80, HealthCheckPath: !Sub "/${Web.PrivateIp}"}
Outputs:
  Address: {Value: !GetAtt Web.PrivateIp, Description: where it is}
  TargetGroup: {Value: !GetAtt Targets.TargetGroupFullName}
)";

class EngineTest : public testing::Test {
 protected:
  void SetUp() override { start(); }

  // A daemon's start on the same store and compute.
  void start() {
    engine_.reset();
    elb_.reset();
    ec2_.reset();
    registry_ = control::open_registry(disk_);
    ASSERT_NE(registry_, nullptr);
    ec2_ = std::make_unique<control::Ec2>(*registry_, compute_);
    const auto made = ec2_->ensure_default_vpc("172.31.0.0/16");
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(ec2_->adopt());
    elb_ = std::make_unique<control::Elb>(*registry_, data_plane_);
    engine_ = std::make_unique<Engine>(*registry_, *elb_, *ec2_);
  }

  static CreateInput input(std::string_view body = web_template) {
    CreateInput out;
    out.name = "shop";
    out.template_body = std::string(body);
    out.file_name = "shop.yaml";
    return out;
  }
  static CreateInput two_clusters() {
    CreateInput out = input(builtin_template());
    out.file_name = "two-clusters.yaml";
    return out;
  }
  EventHandler handler() {
    return [this](const Event& event) { events_.push_back(event.logical_id + " " + event.status); };
  }
  Result<std::string> create(const CreateInput& in) { return engine_->create(in, handler()); }
  // Makes the name that web_template wants for its last target group somebody else's.
  bool take_name() {
    control::CreateTargetGroupInput in;
    in.name = "taken";
    in.port = 81;
    return elb_->create_target_group(in).has_value();
  }
  State state() { return copy_of(*registry_); }
  std::size_t living_instances() {
    std::size_t count = 0;
    for (const auto& [id, instance] : state().instances) {
      if (instance.state != model::InstanceState::terminated) ++count;
    }
    return count;
  }
  // Of everything that a stack can hold nothing is there but what the default VPC has.
  void expect_nothing_left() {
    const State now = state();
    EXPECT_THAT(now.stacks, testing::IsEmpty());
    EXPECT_THAT(now.security_groups, testing::SizeIs(1));
    EXPECT_THAT(now.target_groups, testing::IsEmpty());
    EXPECT_THAT(now.targets, testing::IsEmpty());
    EXPECT_THAT(now.load_balancers, testing::IsEmpty());
    EXPECT_THAT(now.listeners, testing::IsEmpty());
    EXPECT_THAT(now.rules, testing::IsEmpty());
    EXPECT_EQ(living_instances(), 0U);
    EXPECT_THAT(compute_.look([](auto& compute) { return compute.running_; }), testing::IsEmpty());
  }
  std::size_t index_of(const std::string& event) {
    return static_cast<std::size_t>(std::ranges::find(events_, event) - events_.begin());
  }

  std::shared_ptr<control::Disk> disk_ = std::make_shared<control::Disk>();
  FakeCompute compute_;
  FakeDataPlane data_plane_;
  std::unique_ptr<control::Registry> registry_;
  std::unique_ptr<control::Ec2> ec2_;
  std::unique_ptr<control::Elb> elb_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::string> events_;
};

// What was on the disk, and which instances ran, after each commit.
struct Moment {
  control::Disk disk;
  std::set<std::string> running;
};

class RecordingStore final : public store::Store {
 public:
  RecordingStore(std::shared_ptr<control::Disk> disk, FakeCompute& compute,
                 std::vector<Moment>& moments)
      : disk_(disk), inner_(std::move(disk)), compute_(compute), moments_(moments) {}
  Result<std::vector<store::Record>> load() override { return inner_.load(); }
  Result<std::uint64_t> commit(std::span<const store::Change> changes) override {
    auto revision = inner_.commit(changes);
    moments_.push_back({*disk_, compute_.look([](auto& compute) { return compute.running_; })});
    return revision;
  }
  std::uint64_t revision() const override { return inner_.revision(); }
  void watch(Watcher) override {}

 private:
  std::shared_ptr<control::Disk> disk_;
  control::MemoryStore inner_;
  FakeCompute& compute_;
  std::vector<Moment>& moments_;
};

// Records the moments of what the engine does.
class RecordedTest : public EngineTest {
 protected:
  // Ends what works in the background.
  void end() {
    engine_.reset();
    elb_.reset();
    ec2_.reset();
  }
  void record() {
    end();
    auto opened =
        control::Registry::open(std::make_unique<RecordingStore>(disk_, compute_, moments_));
    ASSERT_TRUE(opened);
    registry_ = std::move(*opened);
    ec2_ = std::make_unique<control::Ec2>(*registry_, compute_);
    ASSERT_TRUE(ec2_->ensure_default_vpc("172.31.0.0/16"));
    elb_ = std::make_unique<control::Elb>(*registry_, data_plane_);
    engine_ = std::make_unique<Engine>(*registry_, *elb_, *ec2_);
    moments_.clear();
  }

  std::vector<Moment> moments_;
};

}  // namespace weir::stacks
