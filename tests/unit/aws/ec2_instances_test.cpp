// Instances over EC2's API: launch, describe, filters and pages, states, attributes.
#include "ec2_fixture.hpp"

namespace weir::aws {
namespace {

using model::InstanceState;

class Ec2Instances : public Ec2ApiTest {
 protected:
  using Texts = std::vector<std::string>;
  static Parameters launch(const std::string& count = "1") {
    return {{"ImageId", "ami-08c40ec9ead489470"},
            {"InstanceType", "m4.large"},
            {"MinCount", count},
            {"MaxCount", count}};
  }
  Texts run(const Parameters& parameters) {
    Texts ids;
    for (const Value& item : list("RunInstances", parameters, "Instances")) {
      ids.push_back(item.text("InstanceId"));
    }
    return ids;
  }
  std::string run_to_running() {
    const Texts ids = run(launch());
    EXPECT_TRUE(ec2_->wait_for(ids.at(0), InstanceState::running, std::chrono::seconds(10)));
    return ids.at(0);
  }
};

TEST_F(Ec2Instances, ALaunchIsToldAsTheInstanceIs) {
  auto parameters = launch();
  parameters.insert(parameters.end(), {{"TagSpecification.1.ResourceType", "instance"},
                                       {"TagSpecification.1.Tag.1.Key", "Name"},
                                       {"TagSpecification.1.Tag.1.Value", "web"},
                                       {"TagSpecification.2.ResourceType", "volume"},
                                       {"TagSpecification.2.Tag.1.Key", "disk"},
                                       {"TagSpecification.2.Tag.1.Value", "root"}});
  const std::string id = run(parameters).at(0);
  const auto reservations = list("DescribeInstances", {{"InstanceId.1", id}}, "Reservations");
  ASSERT_EQ(reservations.size(), 1U);
  const Value& instance = reservations[0].list("Instances").at(0);
  EXPECT_EQ(instance.text("InstanceType"), "m4.large");
  EXPECT_EQ(instance.list("Tags").at(0).text("Value"), "web");
  const std::string volume =
      instance.list("BlockDeviceMappings").at(0).find("Ebs")->text("VolumeId");
  const auto volumes = list("DescribeVolumes", {{"VolumeId.1", volume}}, "Volumes");
  EXPECT_EQ(volumes.at(0).list("Tags").at(0).text("Key"), "disk");
  const std::string interface = instance.list("NetworkInterfaces").at(0).text("NetworkInterfaceId");
  EXPECT_EQ(
      list("DescribeNetworkInterfaces", {{"NetworkInterfaceId.1", interface}}, "NetworkInterfaces")
          .size(),
      1U);
}

TEST_F(Ec2Instances, BadLaunchesAreRefused) {
  const auto with = [](const std::string& name, const std::string& value) {
    auto parameters = launch();
    std::erase_if(parameters, [&](const auto& each) { return each.first == name; });
    parameters.emplace_back(name, value);
    return parameters;
  };
  EXPECT_EQ(code("RunInstances", with("ImageId", "ami-0123456789abcdef0")),
            "InvalidAMIID.NotFound");
  EXPECT_EQ(code("RunInstances", with("ImageId", "x")), "InvalidAMIID.Malformed");
  EXPECT_EQ(code("RunInstances", with("InstanceType", "x9.huge")), "InvalidParameterValue");
  EXPECT_EQ(code("RunInstances", with("MinCount", "2")), "InvalidParameterValue");
  EXPECT_EQ(code("RunInstances", with("UserData", "%%%")), "InvalidUserData.Malformed");
  EXPECT_EQ(code("RunInstances", with("SecurityGroup.1", "none")), "InvalidGroup.NotFound");
  EXPECT_EQ(code("RunInstances", with("KernelId", "aki-1")), "UnsupportedOperation");
  EXPECT_EQ(code("RunInstances", with("CreditSpecification.CpuCredits", "unlimited")),
            "InvalidParameterCombination");
  EXPECT_TRUE(list("DescribeInstances", {}, "Reservations").empty());
}

TEST_F(Ec2Instances, AClientTokenLaunchesOnceAlsoOverARestart) {
  auto parameters = launch("2");
  parameters.emplace_back("ClientToken", "once");
  const Texts first = run(parameters);
  start();
  EXPECT_EQ(run(parameters), first);
  parameters[1].second = "t2.large";
  EXPECT_EQ(code("RunInstances", parameters), "IdempotentParameterMismatch");
}

TEST_F(Ec2Instances, FiltersAndPages) {
  run(launch("3"));
  EXPECT_EQ(list("DescribeInstances",
                 {{"Filter.1.Name", "instance-type"}, {"Filter.1.Value.1", "t2.*"}}, "Reservations")
                .size(),
            0U);
  EXPECT_EQ(code("DescribeInstances", {{"Filter.1.Name", "no-such"}, {"Filter.1.Value.1", "x"}}),
            "InvalidParameterValue");
  std::size_t seen = 0;
  Parameters parameters{{"MaxResults", "2"}};
  const auto first = call("DescribeInstances", parameters);
  ASSERT_TRUE(first);
  seen += first->list("Reservations").at(0).list("Instances").size();
  parameters.emplace_back("NextToken", first->text("NextToken"));
  const auto second = call("DescribeInstances", parameters);
  ASSERT_TRUE(second);
  seen += second->list("Reservations").at(0).list("Instances").size();
  EXPECT_FALSE(second->has("NextToken"));
  EXPECT_EQ(seen, 3U);
  EXPECT_EQ(code("DescribeInstances", {{"InstanceId.1", "i-0123456789abcdef0"}}),
            "InvalidInstanceID.NotFound");
}

TEST_F(Ec2Instances, StatesChangeAndProtectionHolds) {
  const std::string id = run_to_running();
  const auto status = list("DescribeInstanceStatus", {}, "InstanceStatuses");
  EXPECT_EQ(status.at(0).find("InstanceStatus")->text("Status"), "ok");
  EXPECT_EQ(code("ModifyInstanceAttribute",
                 {{"InstanceId", id}, {"DisableApiTermination.Value", "true"}}),
            "ok");
  EXPECT_EQ(code("TerminateInstances", {{"InstanceId.1", id}}), "OperationNotPermitted");
  EXPECT_EQ(
      code("ModifyInstanceAttribute", {{"InstanceId", id}, {"InstanceType.Value", "t2.large"}}),
      "IncorrectInstanceState");
  const auto stopping = list("StopInstances", {{"InstanceId.1", id}}, "StoppingInstances");
  EXPECT_EQ(stopping.at(0).find("PreviousState")->text("Name"), "running");
  ASSERT_TRUE(ec2_->wait_for(id, InstanceState::stopped, std::chrono::seconds(10)));
  EXPECT_EQ(
      code("ModifyInstanceAttribute", {{"InstanceId", id}, {"InstanceType.Value", "t2.large"}}),
      "ok");
  const auto type =
      call("DescribeInstanceAttribute", {{"InstanceId", id}, {"Attribute", "instanceType"}});
  ASSERT_TRUE(type);
  EXPECT_EQ(type->find("InstanceType")->text("Value"), "t2.large");
  const auto credits = list("DescribeInstanceCreditSpecifications", {{"InstanceId.1", id}},
                            "InstanceCreditSpecifications");
  EXPECT_EQ(credits.at(0).text("CpuCredits"), "standard");
  EXPECT_EQ(code("ModifyInstanceAttribute",
                 {{"InstanceId", id}, {"Attribute", "disableApiTermination"}, {"Value", "false"}}),
            "ok");
  EXPECT_EQ(code("TerminateInstances", {{"InstanceId.1", id}}), "ok");
}

TEST_F(Ec2Instances, TypesOfferingsAndImages) {
  const auto types =
      list("DescribeInstanceTypes", {{"InstanceType.1", "m4.large"}}, "InstanceTypes");
  EXPECT_EQ(types.at(0).find("VCpuInfo")->integer("DefaultVCpus"), 2);
  EXPECT_EQ(code("DescribeInstanceTypes", {{"InstanceType.1", "x9.huge"}}), "InvalidInstanceType");
  EXPECT_FALSE(list("DescribeInstanceTypeOfferings", {{"LocationType", "availability-zone"}},
                    "InstanceTypeOfferings")
                   .empty());
  EXPECT_EQ(list("DescribeImages", {{"ImageId.1", "ami-08c40ec9ead489470"}}, "Images").size(), 1U);
  EXPECT_TRUE(list("DescribeImages", {{"Owner.1", "self"}}, "Images").empty());
  EXPECT_TRUE(list("DescribeAddresses", {}, "Addresses").empty());
}

}  // namespace
}  // namespace weir::aws
