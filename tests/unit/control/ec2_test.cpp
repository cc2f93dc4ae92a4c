#include "control/ec2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/elb.hpp"
#include "fakes.hpp"

namespace weir::control {
namespace {

using model::InstanceState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

constexpr std::chrono::seconds patience{10};

class Ec2Test : public testing::Test {
 protected:
  void SetUp() override { start(); }

  // A daemon's start on the same store and compute.
  void start(const std::string& vpc_cidr = {}) {
    ec2_.reset();
    registry_ = open_registry(disk_);
    ASSERT_NE(registry_, nullptr);
    ec2_ = std::make_unique<Ec2>(*registry_, compute_);
    const auto made = ec2_->ensure_default_vpc(vpc_cidr);
    ASSERT_TRUE(made) << made.error().message;
  }

  static RunInstancesInput input(int count = 1) {
    RunInstancesInput out;
    out.image_id = "ami-08c40ec9ead489470";
    out.type = "m4.large";
    out.count = count;
    out.user_data = "#!/bin/sh\n";
    return out;
  }
  std::vector<std::string> run(int count = 1) {
    const auto made = ec2_->run_instances(input(count));
    EXPECT_TRUE(made) << made.error().message;
    std::vector<std::string> ids;
    if (made) {
      for (const model::Instance& instance : *made) ids.push_back(instance.id);
    }
    return ids;
  }
  std::string run_to_running() {
    const std::string id = run().at(0);
    EXPECT_TRUE(ec2_->wait_for(id, InstanceState::running, patience));
    return id;
  }
  model::Instance instance(const std::string& id) { return copy_of(*registry_).instances.at(id); }
  void put(const model::Instance& value) {
    ASSERT_TRUE(registry_->update([&](Draft& draft) -> Status {
      draft.put(value);
      return {};
    }));
  }
  std::string subnet_in(const std::string& zone) {
    for (const auto& [id, subnet] : copy_of(*registry_).subnets) {
      if (subnet.zone == zone) return id;
    }
    return {};
  }
  std::string make_group(std::string name, std::vector<model::SecurityGroupRule> ingress = {}) {
    CreateSecurityGroupInput in;
    in.name = std::move(name);
    in.description = "test";
    in.ingress = std::move(ingress);
    const auto made = ec2_->create_security_group(in);
    EXPECT_TRUE(made) << made.error().message;
    return made ? made->id : "";
  }

  std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
  FakeCompute compute_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Ec2> ec2_;
};

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : result.error().code;
}

// ---------------------------------------------------------------- the default VPC
TEST_F(Ec2Test, TheDefaultVpcHasASubnetInEachZone) {
  const State state = copy_of(*registry_);
  ASSERT_EQ(state.vpcs.size(), 1U);
  EXPECT_EQ(state.vpcs.begin()->second.cidr, "172.31.0.0/16");
  std::map<std::string, std::string> cidrs;
  for (const auto& [id, subnet] : state.subnets) cidrs[subnet.zone] = subnet.cidr;
  EXPECT_EQ(cidrs.size(), 6U);
  EXPECT_EQ(cidrs.at("us-east-1a"), "172.31.0.0/20");
  EXPECT_EQ(cidrs.at("us-east-1b"), "172.31.16.0/20");
  EXPECT_EQ(cidrs.at("us-east-1f"), "172.31.80.0/20");
  ASSERT_EQ(state.security_groups.size(), 1U);
  const model::SecurityGroup& group = state.security_groups.begin()->second;
  EXPECT_EQ(group.name, "default");
  EXPECT_EQ(group.ingress.at(0).group_id, group.id);
  EXPECT_EQ(compute_.vpc_.cidr, "172.31.0.0/16");
  EXPECT_EQ(compute_.vpc_.gateway, "172.31.0.1");
}

TEST_F(Ec2Test, ARestartKeepsTheVpc) {
  const State before = copy_of(*registry_);
  start();
  const State after = copy_of(*registry_);
  EXPECT_EQ(before.vpcs.begin()->first, after.vpcs.begin()->first);
  EXPECT_EQ(after.subnets.size(), 6U);
  start("172.31.0.0/16");
  EXPECT_EQ(code_of(ec2_->ensure_default_vpc("10.99.0.0/16")), "InvalidVpc.Range");
}

TEST_F(Ec2Test, AStoredRangeThatClashesIsAnErrorThatNamesIt) {
  compute_.take_range("172.31.0.0/16");
  const auto refused = ec2_->ensure_default_vpc("");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "VpcClash");
  EXPECT_THAT(refused.error().message, HasSubstr("172.31.0.0/16"));
}

TEST(Ec2Vpc, TakesTheNextRangeWhereTheFirstClashes) {
  FakeCompute compute;
  compute.take_range("172.31.0.0/16");
  compute.take_range("10.77.0.0/16");
  const auto registry = open_registry(std::make_shared<Disk>());
  Ec2 ec2(*registry, compute);
  ASSERT_TRUE(ec2.ensure_default_vpc(""));
  EXPECT_EQ(copy_of(*registry).vpcs.begin()->second.cidr, "10.78.0.0/16");
}

TEST(Ec2Vpc, AnAskedForRangeIsTakenOrRefused) {
  FakeCompute compute;
  compute.take_range("10.1.0.0/16");
  const auto registry = open_registry(std::make_shared<Disk>());
  Ec2 ec2(*registry, compute);
  EXPECT_EQ(code_of(ec2.ensure_default_vpc("10.1.0.0/16")), "VpcClash");
  EXPECT_EQ(code_of(ec2.ensure_default_vpc("10.2.0.1/16")), "InvalidVpc.Range");
  EXPECT_EQ(code_of(ec2.ensure_default_vpc("10.0.0.0/8")), "InvalidVpc.Range");
  EXPECT_EQ(code_of(ec2.ensure_default_vpc("10.0.0.0/26")), "InvalidVpc.Range");
  EXPECT_FALSE(ec2.ensure_default_vpc("ten"));
  EXPECT_TRUE(copy_of(*registry).vpcs.empty());
  ASSERT_TRUE(ec2.ensure_default_vpc("192.168.7.0/24"));
  std::map<std::string, std::string> cidrs;
  const State state = copy_of(*registry);
  for (const auto& [id, subnet] : state.subnets) cidrs[subnet.zone] = subnet.cidr;
  EXPECT_EQ(cidrs.at("us-east-1a"), "192.168.7.0/27");
  EXPECT_EQ(cidrs.at("us-east-1f"), "192.168.7.160/27");
}

// ---------------------------------------------------------------- launches
TEST_F(Ec2Test, InstancesArePendingAtOnceAndRunLater) {
  compute_.hold();
  const auto made = ec2_->run_instances(input(3));
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_EQ(made->size(), 3U);
  const model::Instance& first = made->at(0);
  EXPECT_THAT(first.id, MatchesRegex("i-[0-9a-f]+"));
  EXPECT_EQ(first.id.size(), 19U);
  EXPECT_EQ(first.state, InstanceState::pending);
  EXPECT_EQ(first.private_ip, "172.31.0.4");
  EXPECT_EQ(first.mac, "02:42:ac:1f:00:04");
  EXPECT_EQ(first.private_dns_name, "ip-172-31-0-4.ec2.internal");
  EXPECT_EQ(first.zone, "us-east-1a");
  EXPECT_EQ(made->at(1).zone, "us-east-1b");
  EXPECT_EQ(made->at(1).private_ip, "172.31.16.4");
  EXPECT_EQ(made->at(2).private_ip, "172.31.0.5");
  EXPECT_EQ(made->at(2).launch_index, 2);
  EXPECT_EQ(made->at(0).reservation_id, made->at(2).reservation_id);
  EXPECT_EQ(instance(first.id).state, InstanceState::pending);
  compute_.release();
  for (const model::Instance& one : *made) {
    EXPECT_TRUE(ec2_->wait_for(one.id, InstanceState::running, patience));
    EXPECT_TRUE(instance(one.id).user_data_done);
  }
  const auto spec = compute_.look([&](FakeCompute& c) {
    return *std::ranges::find(c.launched_, first.id, &compute::InstanceSpec::id);
  });
  EXPECT_EQ(spec.vcpus, 2);
  EXPECT_EQ(spec.memory_mib, 8192U);
  EXPECT_EQ(spec.ebs_bytes_per_second, 56'250'000U);
  EXPECT_EQ(spec.subnet_prefix, 20);
  EXPECT_EQ(spec.gateway, "172.31.0.1");
  EXPECT_EQ(spec.hostname, first.private_dns_name);
  EXPECT_EQ(spec.user_data, "#!/bin/sh\n");
  EXPECT_TRUE(spec.is_first_boot);
}

TEST_F(Ec2Test, BadLaunches) {
  const auto code = [&](auto change) {
    RunInstancesInput in = input();
    change(in);
    return code_of(ec2_->run_instances(in));
  };
  EXPECT_EQ(code([](auto& i) { i.image_id = ""; }), "MissingParameter");
  EXPECT_EQ(code([](auto& i) { i.image_id = "ubuntu"; }), "InvalidAMIID.Malformed");
  EXPECT_EQ(code([](auto& i) { i.type = "m4.huge"; }), "InvalidParameterValue");
  EXPECT_EQ(code([](auto& i) { i.count = 0; }), "InvalidParameterValue");
  EXPECT_EQ(code([](auto& i) { i.count = 1001; }), "InvalidParameterValue");
  EXPECT_EQ(code([](auto& i) { i.subnet_id = "subnet-x"; }), "InvalidSubnetID.NotFound");
  EXPECT_EQ(code([](auto& i) { i.security_group_ids = {"sg-x"}; }), "InvalidGroup.NotFound");
  EXPECT_EQ(code([](auto& i) { i.key_name = "key"; }), "InvalidKeyPair.NotFound");
  EXPECT_EQ(code([](auto& i) { i.user_data = std::string(16'385, 'x'); }), "InvalidParameterValue");
  EXPECT_EQ(code([](auto& i) { i.tags = {{"aws:x", ""}}; }), "ValidationError");
  EXPECT_TRUE(copy_of(*registry_).instances.empty());
}

TEST_F(Ec2Test, AFailedLaunchEndsInTerminatedWithItsReason) {
  compute_.fail_launches(Error{"RuntimeFailed", "runc says no", ""});
  const std::string id = run().at(0);
  const auto waited = ec2_->wait_for(id, InstanceState::running, patience);
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, "InstanceFailed");
  EXPECT_THAT(waited.error().message, HasSubstr("runc says no"));
  EXPECT_EQ(instance(id).state, InstanceState::terminated);
  EXPECT_EQ(instance(id).state_reason.code, "Server.InternalError");
  EXPECT_GT(instance(id).terminated_at_ms, 0);
  compute_.fail_launches(
      Error{"InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist", ""});
  const std::string second = run().at(0);
  EXPECT_FALSE(ec2_->wait_for(second, InstanceState::running, patience));
  EXPECT_EQ(instance(second).state_reason.code, "Client.InvalidAMIID.NotFound");
}

TEST_F(Ec2Test, TerminatingWhileLaunchingEndsInTerminated) {
  compute_.hold();
  const std::string id = run().at(0);
  ASSERT_TRUE(compute_.wait_until([](FakeCompute& c) { return c.launched_.size() == 1; }));
  ASSERT_TRUE(ec2_->terminate_instances({id}));
  EXPECT_EQ(instance(id).state, InstanceState::shutting_down);
  compute_.release();
  EXPECT_TRUE(ec2_->wait_for(id, InstanceState::terminated, patience));
  EXPECT_TRUE(compute_.look([](FakeCompute& c) { return c.running_.empty(); }));
  EXPECT_TRUE(ec2_->terminate_instances({id}));
  EXPECT_TRUE(instance(id).user_data.empty());
}

// ---------------------------------------------------------------- states
TEST_F(Ec2Test, StopAndStartRunTheUserDataOnce) {
  const std::string id = run_to_running();
  ASSERT_TRUE(ec2_->stop_instances({id}));
  ASSERT_TRUE(ec2_->wait_for(id, InstanceState::stopped, patience));
  EXPECT_EQ(instance(id).state_reason.code, "Client.UserInitiatedShutdown");
  EXPECT_TRUE(ec2_->stop_instances({id}));
  ASSERT_TRUE(ec2_->start_instances({id}));
  ASSERT_TRUE(ec2_->wait_for(id, InstanceState::running, patience));
  EXPECT_EQ(instance(id).state_reason.code, "");
  EXPECT_EQ(instance(id).private_ip, "172.31.0.4");
  compute_.look([&](FakeCompute& c) {
    EXPECT_EQ(c.launched_.size(), 2U);
    EXPECT_TRUE(c.launched_[0].is_first_boot);
    EXPECT_FALSE(c.launched_[1].is_first_boot);
  });
}

TEST_F(Ec2Test, AStartThatFailsLeavesItStopped) {
  const std::string id = run_to_running();
  ASSERT_TRUE(ec2_->stop_instances({id}));
  ASSERT_TRUE(ec2_->wait_for(id, InstanceState::stopped, patience));
  compute_.fail_launches(Error{"RuntimeFailed", "no memory", ""});
  ASSERT_TRUE(ec2_->start_instances({id}));
  EXPECT_EQ(code_of(ec2_->wait_for(id, InstanceState::running, patience)), "InstanceFailed");
  EXPECT_EQ(instance(id).state, InstanceState::stopped);
}

TEST_F(Ec2Test, RebootKeepsItRunning) {
  const std::string id = run_to_running();
  ASSERT_TRUE(ec2_->reboot_instances({id}));
  ASSERT_TRUE(compute_.wait_until([](FakeCompute& c) { return c.launched_.size() == 2; }));
  EXPECT_EQ(instance(id).state, InstanceState::running);
  compute_.look([&](FakeCompute& c) {
    EXPECT_THAT(c.calls_, ElementsAre("stop " + id));
    EXPECT_FALSE(c.launched_[1].is_first_boot);
  });
}

TEST_F(Ec2Test, WrongStatesAndIds) {
  compute_.hold();
  const std::string id = run().at(0);
  EXPECT_EQ(code_of(ec2_->stop_instances({id})), "IncorrectInstanceState");
  EXPECT_EQ(code_of(ec2_->reboot_instances({id})), "IncorrectInstanceState");
  const auto refused = ec2_->start_instances({id});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "The instance '" + id + "' is not in a state from which it can be started.");
  EXPECT_EQ(code_of(ec2_->terminate_instances({"i-zzz"})), "InvalidInstanceID.Malformed");
  EXPECT_EQ(code_of(ec2_->terminate_instances({})), "MissingParameter");
  const std::string missing = "i-00000000000000001";
  const auto one_bad = ec2_->terminate_instances({id, missing});
  ASSERT_FALSE(one_bad);
  EXPECT_EQ(one_bad.error().message, "The instance ID '" + missing + "' does not exist");
  EXPECT_EQ(
      ec2_->terminate_instances({"i-00000000000000001", "i-00000000000000002"}).error().message,
      "The instance IDs 'i-00000000000000001, i-00000000000000002' do not exist");
  EXPECT_EQ(instance(id).state, InstanceState::pending);  // one bad id fails the whole call
  EXPECT_EQ(code_of(ec2_->wait_for(id, InstanceState::running, std::chrono::milliseconds(1))),
            "Timeout");
  EXPECT_EQ(code_of(ec2_->wait_for(missing, InstanceState::running, patience)),
            "InvalidInstanceID.NotFound");
  EXPECT_TRUE(ec2_->wait_for(missing, InstanceState::terminated, patience));
  compute_.release();
}

TEST_F(Ec2Test, AnInstanceThatWillNotStopRunsOn) {
  const std::string id = run_to_running();
  compute_.fail_stops(Error{"RuntimeFailed", "hangs in the kernel", ""});
  ASSERT_TRUE(ec2_->stop_instances({id}));
  const auto stopped = ec2_->wait_for(id, InstanceState::stopped, patience);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, "InstanceFailed");
  EXPECT_THAT(stopped.error().message, HasSubstr("running: hangs in the kernel"));
  EXPECT_EQ(instance(id).state, InstanceState::running);
  ASSERT_TRUE(ec2_->terminate_instances({id}));
  EXPECT_EQ(code_of(ec2_->wait_for(id, InstanceState::terminated, patience)), "InstanceFailed");
  // Asked for again, it is tried again.
  compute_.fail_stops(std::nullopt);
  ASSERT_TRUE(ec2_->terminate_instances({id}));
  EXPECT_TRUE(ec2_->wait_for(id, InstanceState::terminated, patience));
}

TEST_F(Ec2Test, AnInstanceThatDiesIsStoppedWithTheReason) {
  const std::string by_itself = run_to_running();
  const std::string killed = run_to_running();
  compute_.die(by_itself, 0);
  compute_.die(killed, 137);
  ASSERT_TRUE(ec2_->wait_for(by_itself, InstanceState::stopped, patience));
  ASSERT_TRUE(ec2_->wait_for(killed, InstanceState::stopped, patience));
  EXPECT_EQ(instance(by_itself).state_reason.code, "Client.InstanceInitiatedShutdown");
  EXPECT_EQ(instance(killed).state_reason.code, "Server.InternalError");
  EXPECT_THAT(instance(killed).state_reason.message, HasSubstr("137"));
}

TEST_F(Ec2Test, ALateExitEventDoesNotStopAnInstanceThatRunsAgain) {
  const std::string id = run_to_running();
  compute_.report_exit(id, 1);  // of a process before; the instance runs
  // The job behind it shows that the event has been dealt with.
  ASSERT_TRUE(ec2_->reboot_instances({id}));
  ASSERT_TRUE(compute_.wait_until([](FakeCompute& c) { return c.launched_.size() == 2; }));
  EXPECT_EQ(instance(id).state, InstanceState::running);
}

TEST_F(Ec2Test, TheLossOfTheHolderStopsWhatIsGone) {
  const std::string id = run_to_running();
  compute_.look([&](FakeCompute& c) { c.running_.clear(); });
  compute_.report_exit("", -1);
  EXPECT_TRUE(ec2_->wait_for(id, InstanceState::stopped, patience));
}

// ---------------------------------------------------------------- adoption
TEST_F(Ec2Test, ARestartAdoptsWhatRunsAndCarriesOnWhatWasUnderWay) {
  const std::string alive = run_to_running();
  const std::string dead = run_to_running();
  const std::string stopping = run_to_running();
  const std::string ending = run_to_running();
  const std::string launched = run_to_running();
  const std::string half_launched = run_to_running();
  const auto set = [&](const std::string& id, InstanceState state, bool user_data_done) {
    model::Instance changed = instance(id);
    changed.state = state;
    changed.user_data_done = user_data_done;
    put(changed);
  };
  ec2_.reset();  // from here on as a daemon that was killed left it
  set(stopping, InstanceState::stopping, true);
  set(ending, InstanceState::shutting_down, true);
  set(launched, InstanceState::pending, false);
  set(half_launched, InstanceState::pending, false);
  compute_.look([&](FakeCompute& c) {
    c.running_.erase(dead);
    c.running_.erase(half_launched);
    c.calls_.clear();
    c.launched_.clear();
  });
  compute_.add_running("i-0000000000000dead");
  start();
  ASSERT_TRUE(ec2_->adopt());

  EXPECT_EQ(instance(alive).state, InstanceState::running);
  EXPECT_EQ(instance(dead).state, InstanceState::stopped);
  EXPECT_THAT(instance(dead).state_reason.message, HasSubstr("while the daemon was not running"));
  EXPECT_TRUE(ec2_->wait_for(stopping, InstanceState::stopped, patience));
  EXPECT_TRUE(ec2_->wait_for(ending, InstanceState::terminated, patience));
  EXPECT_EQ(instance(launched).state, InstanceState::running);
  EXPECT_TRUE(instance(launched).user_data_done);
  EXPECT_TRUE(ec2_->wait_for(half_launched, InstanceState::running, patience));
  compute_.look([&](FakeCompute& c) {
    EXPECT_TRUE(c.metadata_asked_.contains(alive));
    EXPECT_TRUE(c.metadata_asked_.contains(launched));
    EXPECT_FALSE(c.running_.contains("i-0000000000000dead"));
    ASSERT_EQ(c.launched_.size(), 1U);
    EXPECT_EQ(c.launched_[0].id, half_launched);
    EXPECT_TRUE(c.launched_[0].is_first_boot);
    EXPECT_THAT(c.calls_, testing::Contains("terminate " + half_launched));
  });
}

TEST_F(Ec2Test, AnInterruptedRebootIsCarriedOn) {
  const std::string id = run_to_running();
  const std::string not_begun = run_to_running();
  ec2_.reset();
  for (const std::string& one : {id, not_begun}) {
    model::Instance changed = instance(one);
    changed.state_reason.code = "Client.UserInitiatedReboot";
    put(changed);
  }
  compute_.look([&](FakeCompute& c) {
    c.running_.erase(id);
    c.launched_.clear();
  });
  start();
  ASSERT_TRUE(ec2_->adopt());
  ASSERT_TRUE(compute_.wait_until([](FakeCompute& c) { return c.running_.size() == 2; }));
  ASSERT_TRUE(compute_.wait_until([](FakeCompute& c) { return c.launched_.size() == 2; }));
  ec2_.reset();  // waits for the jobs
  EXPECT_EQ(instance(id).state, InstanceState::running);
  EXPECT_EQ(instance(id).state_reason.code, "");
  EXPECT_EQ(instance(not_begun).state_reason.code, "");
  EXPECT_FALSE(compute_.look([](FakeCompute& c) { return c.launched_[0].is_first_boot; }));
}

TEST_F(Ec2Test, AdoptedInstancesGetTheirFirewallAgain) {
  const std::string id = run_to_running();
  ec2_.reset();
  compute_.look([](FakeCompute& c) { c.firewalls_.clear(); });
  start();
  ASSERT_TRUE(ec2_->adopt());
  EXPECT_TRUE(compute_.wait_until([&](FakeCompute& c) { return c.firewalls_.contains(id); }));
}

// ---------------------------------------------------------------- security groups
model::SecurityGroupRule tcp(int port, std::string cidr, std::string group = {}) {
  return {"tcp", port, port, std::move(cidr), {}, std::move(group), {}};
}

TEST_F(Ec2Test, SecurityGroupsAreUniqueByNameAndOpenOutwards) {
  const std::string id = make_group("web", {tcp(80, "0.0.0.0/0")});
  const State state = copy_of(*registry_);
  const model::SecurityGroup& group = state.security_groups.at(id);
  ASSERT_EQ(group.egress.size(), 1U);
  EXPECT_EQ(group.egress[0].protocol, "-1");
  CreateSecurityGroupInput in;
  in.name = "WEB";
  in.description = "x";
  EXPECT_EQ(code_of(ec2_->create_security_group(in)), "InvalidGroup.Duplicate");
  in.name = "other";
  in.vpc_id = "vpc-x";
  EXPECT_EQ(code_of(ec2_->create_security_group(in)), "InvalidVpcID.NotFound");
  in.vpc_id = "";
  in.ingress = {tcp(80, "", "sg-x")};
  EXPECT_EQ(code_of(ec2_->create_security_group(in)), "InvalidGroup.NotFound");
  in.ingress = {tcp(80, "1.2.3.4/8"), tcp(80, "1.0.0.0/8")};
  EXPECT_EQ(code_of(ec2_->create_security_group(in)), "InvalidPermission.Duplicate");
}

TEST_F(Ec2Test, RulesAreKeptCanonicalAndOnce) {
  const std::string id = make_group("web");
  ASSERT_TRUE(ec2_->authorize_ingress(id, tcp(80, "100.68.0.18/18")));
  EXPECT_EQ(copy_of(*registry_).security_groups.at(id).ingress.at(0).cidr, "100.68.0.0/18");
  const auto again = ec2_->authorize_ingress(id, tcp(80, "100.68.0.0/18"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, "InvalidPermission.Duplicate");
  EXPECT_EQ(again.error().message,
            "the specified rule \"peer: 100.68.0.0/18, TCP, from port: 80, to port: 80, ALLOW\" "
            "already exists");
  EXPECT_TRUE(ec2_->authorize_egress(id, tcp(80, "100.68.0.0/18")));
  EXPECT_EQ(code_of(ec2_->authorize_ingress("sg-x", tcp(80, "0.0.0.0/0"))),
            "InvalidGroup.NotFound");
}

TEST_F(Ec2Test, GroupsInUseCannotBeDeleted) {
  const std::string used = make_group("used");
  const std::string peer = make_group("peer");
  const std::string refers = make_group("refers", {tcp(80, "", peer)});
  RunInstancesInput in = input();
  in.security_group_ids = {used, used};
  const std::string id = ec2_->run_instances(in)->at(0).id;
  ASSERT_TRUE(ec2_->wait_for(id, InstanceState::running, patience));
  EXPECT_EQ(instance(id).security_group_ids, std::vector<std::string>{used});
  EXPECT_EQ(code_of(ec2_->delete_security_group(used)), "DependencyViolation");
  EXPECT_EQ(code_of(ec2_->delete_security_group(peer)), "DependencyViolation");
  ASSERT_TRUE(ec2_->terminate_instances({id}));
  ASSERT_TRUE(ec2_->wait_for(id, InstanceState::terminated, patience));
  EXPECT_TRUE(ec2_->delete_security_group(used));
  EXPECT_TRUE(ec2_->delete_security_group(refers));
  EXPECT_TRUE(ec2_->delete_security_group(peer));
  EXPECT_EQ(code_of(ec2_->delete_security_group(peer)), "InvalidGroup.NotFound");
  for (const auto& [group, value] : copy_of(*registry_).security_groups) {
    EXPECT_EQ(code_of(ec2_->delete_security_group(group)), "CannotDelete");
  }
}

TEST_F(Ec2Test, AGroupAsPeerFollowsItsMembers) {
  const std::string clients = make_group("clients");
  const std::string web = make_group("web", {tcp(80, "", clients), tcp(22, "10.0.0.0/8")});
  RunInstancesInput in = input();
  in.security_group_ids = {web};
  const std::string server = ec2_->run_instances(in)->at(0).id;
  ASSERT_TRUE(ec2_->wait_for(server, InstanceState::running, patience));
  const auto ingress = [&](FakeCompute& c) { return c.firewalls_[server].ingress; };
  // No member yet: that rule opens nothing.
  ASSERT_EQ(compute_.look(ingress).size(), 1U);
  EXPECT_EQ(compute_.look(ingress)[0].from_port, 22);

  in.security_group_ids = {clients};
  const model::Instance client = ec2_->run_instances(in)->at(0);
  ASSERT_TRUE(compute_.wait_until([&](FakeCompute& c) { return ingress(c).size() == 2; }));
  EXPECT_THAT(compute_.look(ingress)[0].peers, ElementsAre(client.private_ip));

  FakeDataPlane data_plane;
  Elb elb(*registry_, data_plane);
  CreateLoadBalancerInput balancer;
  balancer.name = "web";
  balancer.subnet_ids = {subnet_in("us-east-1a"), subnet_in("us-east-1b")};
  balancer.security_group_ids = {clients};
  const auto made = elb.create_load_balancer(balancer);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(compute_.wait_until(
      [&](FakeCompute& c) { return ingress(c).size() == 2 && ingress(c)[0].peers.size() == 3; }));

  ASSERT_TRUE(ec2_->wait_for(client.id, InstanceState::running, patience));
  ASSERT_TRUE(ec2_->terminate_instances({client.id}));
  ASSERT_TRUE(compute_.wait_until(
      [&](FakeCompute& c) { return ingress(c).size() == 2 && ingress(c)[0].peers.size() == 2; }));
}

TEST_F(Ec2Test, AnOpenedPortReachesRunningInstances) {
  const std::string web = make_group("web");
  RunInstancesInput in = input();
  in.security_group_ids = {web};
  const std::string id = ec2_->run_instances(in)->at(0).id;
  ASSERT_TRUE(ec2_->wait_for(id, InstanceState::running, patience));
  ASSERT_TRUE(ec2_->authorize_ingress(web, tcp(8080, "0.0.0.0/0")));
  EXPECT_TRUE(compute_.wait_until([&](FakeCompute& c) {
    const auto& ingress = c.firewalls_[id].ingress;
    return ingress.size() == 1 && ingress[0].from_port == 8080;
  }));
  EXPECT_EQ(compute_.look([](FakeCompute& c) { return c.firewalls_set_; }), 1);
}

TEST_F(Ec2Test, AGroupChangedDuringALaunchIsAppliedAfterIt) {
  const std::string web = make_group("web");
  compute_.hold();
  RunInstancesInput in = input();
  in.security_group_ids = {web};
  const std::string id = ec2_->run_instances(in)->at(0).id;
  ASSERT_TRUE(compute_.wait_until([](FakeCompute& c) { return c.launched_.size() == 1; }));
  ASSERT_TRUE(ec2_->authorize_ingress(web, tcp(8080, "0.0.0.0/0")));
  compute_.release();
  EXPECT_TRUE(
      compute_.wait_until([&](FakeCompute& c) { return c.firewalls_[id].ingress.size() == 1; }));
}

// ---------------------------------------------------------------- load balancers' nodes
class Nodes : public Ec2Test {
 protected:
  std::string make_balancer() {
    CreateLoadBalancerInput balancer;
    balancer.name = "web";
    balancer.subnet_ids = {subnet_in("us-east-1a"), subnet_in("us-east-1b")};
    const auto made = Elb(*registry_, data_plane_).create_load_balancer(balancer);
    EXPECT_TRUE(made);
    return made ? made->arn : "";
  }
  // Waits on commits, which is how the state becomes known.
  model::LoadBalancer settled(const std::string& arn) {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_settled = false;
    const auto look = [&](const State& state) {
      const std::lock_guard lock(mutex);
      is_settled = state.load_balancers.at(arn).state != model::LoadBalancerState::provisioning;
      changed.notify_all();
    };
    auto shared = std::make_shared<std::function<void(const State&)>>(look);
    registry_->subscribe([shared](const State& state, const Changed&) {
      if (*shared) (*shared)(state);
    });
    registry_->read(look);
    {
      std::unique_lock lock(mutex);
      EXPECT_TRUE(changed.wait_for(lock, patience, [&] { return is_settled; }));
    }
    registry_->read([&](const State&) { *shared = nullptr; });
    return copy_of(*registry_).load_balancers.at(arn);
  }

  FakeDataPlane data_plane_;
};

TEST_F(Nodes, ALoadBalancerIsActiveOnceItsAddressesAreThere) {
  const std::string arn = make_balancer();
  EXPECT_EQ(settled(arn).state, model::LoadBalancerState::active);
  compute_.look(
      [](FakeCompute& c) { EXPECT_THAT(c.nodes_, ElementsAre("172.31.0.4", "172.31.16.4")); });
  ASSERT_TRUE(Elb(*registry_, data_plane_).delete_load_balancer(arn));
  EXPECT_TRUE(compute_.wait_until([](FakeCompute& c) { return c.nodes_.empty(); }));
}

TEST_F(Nodes, AFailureIsKeptAsItsReason) {
  compute_.fail_nodes(Error{"NetworkFailed", "no bridge", ""});
  const model::LoadBalancer failed = settled(make_balancer());
  EXPECT_EQ(failed.state, model::LoadBalancerState::failed);
  EXPECT_EQ(failed.state_reason, "no bridge");
}

}  // namespace
}  // namespace weir::control
