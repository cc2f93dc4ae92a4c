// Calls of ELBv2 by hostile callers, one a line ("CreateRule&Priority=1&…"), on a load balancer
// with a listener, a rule, a target group and a target: whatever is accepted can be answered, and
// the index stays what the records say.
//
// $LB, $TG, $LI, $RU and $DR in a line stand for the ARNs of those, and of the default rule.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aws/description/description.hpp"
#include "aws/elbv2/elbv2_service.hpp"
#include "aws/protocol/form.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "control/arn.hpp"
#include "control/trust_stores.hpp"
#include "fakes.hpp"

namespace weir::aws {
namespace {

constexpr std::size_t lines_max = 16;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

const Description& description() {
  static const auto read = parse_description(embedded_description("elbv2"));
  require(read.has_value(), "the description is one");
  return **read;
}

model::Subnet subnet(std::string id, std::string zone, std::string cidr) {
  return {std::move(id), "vpc-1", std::move(zone), "use1-az1", std::move(cidr), true, {}};
}

class World {
 public:
  World()
      : registry_(control::open_registry(std::make_shared<control::Disk>())),
        elb_(*registry_, data_plane_),
        handlers_(elbv2_handlers(
            {*registry_, elb_,
             std::make_shared<control::TrustStores>(
                 *registry_, control::LocalObjects("/nonexistent"), control::raised_limits()),
             [] {}})) {
    const auto made = registry_->update([](control::Draft& draft) -> Status {
      draft.put(model::Vpc{"vpc-1", "172.31.0.0/16", true, {}});
      draft.put(subnet("subnet-a", "us-east-1a", "172.31.0.0/20"));
      draft.put(subnet("subnet-b", "us-east-1b", "172.31.16.0/20"));
      model::SecurityGroup group;
      group.id = "sg-1";
      group.name = "default";
      group.vpc_id = "vpc-1";
      draft.put(std::move(group));
      return {};
    });
    require(made.has_value(), "the network is there");
    group_ = made_arn("CreateTargetGroup&Name=g&Protocol=HTTP&Port=80&VpcId=vpc-1&TargetType=ip",
                      "TargetGroups", "TargetGroupArn");
    balancer_ =
        made_arn("CreateLoadBalancer&Name=web&Subnets.member.1=subnet-a&Subnets.member.2=subnet-b",
                 "LoadBalancers", "LoadBalancerArn");
    listener_ = made_arn(
        "CreateListener&LoadBalancerArn=$LB&Protocol=HTTP&Port=80&DefaultActions.member.1.Type="
        "forward&DefaultActions.member.1.TargetGroupArn=$TG",
        "Listeners", "ListenerArn");
    rule_ = made_arn(
        "CreateRule&ListenerArn=$LI&Priority=1&Conditions.member.1.Field=path-pattern&"
        "Conditions.member.1.Values.member.1=/a&Actions.member.1.Type=forward&"
        "Actions.member.1.TargetGroupArn=$TG",
        "Rules", "RuleArn");
  }

  void call(std::string_view line) { answer(line); }

  void check_index() const {
    registry_->read([](const control::State& state) {
      control::Index fresh;
      const auto add_all = [&](const auto& records) {
        for (const auto& [key, record] : records) fresh.add(record);
      };
      add_all(state.load_balancers);
      add_all(state.listeners);
      add_all(state.rules);
      add_all(state.target_groups);
      add_all(state.targets);
      add_all(state.trust_stores);
      require(fresh == state.index, "the index is what the records say");
    });
  }

 private:
  std::string made_arn(std::string_view line, std::string_view list, std::string_view member) {
    const Value output = answer(line);
    require(output.list(list).size() == 1, "what the test needs is made");
    return output.list(list)[0].text(member);
  }

  Value answer(std::string_view line) {
    const std::size_t end = std::min(line.find('&'), line.size());
    const auto& operations = description().operations;
    const auto operation = operations.find(line.substr(0, end));
    if (operation == operations.end()) return {};
    const auto parameters = parse_form(with_arns(line.substr(std::min(end + 1, line.size()))));
    if (!parameters) return {};
    const auto input = decode_query(Protocol::query, operation->second.input, *parameters);
    if (!input || !validate(Protocol::query, *operation->second.input, *input)) return {};
    const auto output = handlers_.at(operation->first)(Caller(), *input);
    if (!output) return {};
    require(
        encode_xml(description(), Protocol::query, operation->second, *output, "id").has_value(),
        "what was accepted can be answered");
    return *output;
  }

  [[nodiscard]] std::string with_arns(std::string_view text) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view name = text.substr(at, 3);
      const std::string* arn = name == "$LB"   ? &balancer_
                               : name == "$TG" ? &group_
                               : name == "$LI" ? &listener_
                               : name == "$RU" ? &rule_
                                               : nullptr;
      if (name == "$DR") {
        out += control::default_rule_arn(listener_);
      } else if (arn != nullptr) {
        out += *arn;
      } else {
        out.push_back(text[at++]);
        continue;
      }
      at += name.size();
    }
    return out;
  }

  std::unique_ptr<control::Registry> registry_;
  control::FakeDataPlane data_plane_;
  control::Elb elb_;
  Handlers handlers_;
  std::string balancer_;
  std::string group_;
  std::string listener_;
  std::string rule_;
};

}  // namespace
}  // namespace weir::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  weir::aws::World world;
  for (std::size_t line = 0; line < weir::aws::lines_max && !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    world.call(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  world.check_index();
  return 0;
}
