// What a call of ELBv2 costs as the number of rules, targets and target groups grows: it must not.
//
// The calls go through the API's description and handlers to control's verbs; the store is one in
// memory (a commit to disk costs the same for any number), and no data plane listens. A row is the
// median of the calls made while that many are there.
//
//   ninja bench_elbv2 && tests/bench/bench_elbv2
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "aws/description/description.hpp"
#include "aws/elbv2/elbv2_service.hpp"
#include "aws/protocol/form.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "control/elb.hpp"
#include "control/trust_stores.hpp"

namespace weir {
namespace {

class ForgetfulStore final : public store::Store {
 public:
  Result<std::vector<store::Record>> load() override { return std::vector<store::Record>(); }
  Result<std::uint64_t> commit(std::span<const store::Change>) override { return ++revision_; }
  std::uint64_t revision() const override { return revision_; }
  void watch(Watcher) override {}

 private:
  std::uint64_t revision_ = 0;
};

class NoDataPlane final : public control::DataPlane {
 public:
  control::TargetHealth health(const control::TargetKey&) const override { return {}; }
  Result<std::uint16_t> open_port(std::uint16_t port) override { return port; }
};

template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}: {}\n", result.error().code, result.error().message);
  std::exit(1);
}

model::Subnet subnet(std::string id, std::string zone, std::string cidr) {
  return {std::move(id), "vpc-1", std::move(zone), "use1-az1", std::move(cidr), true, {}};
}

class Bench {
 public:
  Bench()
      : registry_(must(control::Registry::open(std::make_unique<ForgetfulStore>()))),
        elb_(*registry_, data_plane_),
        handlers_(aws::elbv2_handlers(
            {*registry_, elb_,
             std::make_shared<control::TrustStores>(
                 *registry_, control::LocalObjects("/nonexistent"), control::raised_limits()),
             [] {}})),
        description_(must(aws::parse_description(aws::embedded_description("elbv2")))) {
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
    if (!made) std::exit(1);
  }

  // Microseconds that the call took, decoding and encoding included.
  double call(const std::string& name, const std::string& form, aws::Value* answer = nullptr) {
    const auto begin = std::chrono::steady_clock::now();
    const aws::Operation& operation = description_->operations.at(name);
    const auto parameters = must(aws::parse_form(form));
    const auto input = must(aws::decode_query(aws::Protocol::query, operation.input, parameters));
    if (!aws::validate(aws::Protocol::query, *operation.input, input)) std::exit(1);
    aws::Value output = must(handlers_.at(name)(aws::Caller(), input));
    const auto xml =
        must(aws::encode_xml(*description_, aws::Protocol::query, operation, output, "id"));
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    if (answer != nullptr) *answer = std::move(output);
    return took.count();
  }
  // The member of the first item of the list that a call gives.
  std::string text_of(const std::string& name, const std::string& form, const std::string& list,
                      const std::string& member) {
    aws::Value answer;
    call(name, form, &answer);
    return answer.list(list).at(0).text(member);
  }

 private:
  std::unique_ptr<control::Registry> registry_;
  NoDataPlane data_plane_;
  control::Elb elb_;
  aws::Handlers handlers_;
  std::unique_ptr<aws::Description> description_;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Makes things one by one until there are `total`, and beside every tenth makes the other calls; a
// row for each power of ten.
class Growth {
 public:
  using Call = std::function<double(int number)>;
  Growth(std::string what, Call make) : what_(std::move(what)), make_(std::move(make)) {}
  void beside(std::string name, Call call) {
    others_.push_back({std::move(name), std::move(call)});
  }

  void run(int total) {
    fmt::print("{:<16} {:>12}", what_, "create, us");
    for (const auto& [name, call] : others_) fmt::print(" {:>24}", name + ", us");
    fmt::print("\n");
    for (int from = 0, to = 100; to <= total; from = to, to *= 10) row(from, to);
  }

 private:
  void row(int from, int to) {
    std::vector<double> made;
    std::vector<std::vector<double>> other(others_.size());
    for (int number = from; number < to; ++number) {
      const double took = make_(number);
      if (number < to - to / 10) continue;  // the last tenth is measured
      made.push_back(took);
      for (std::size_t i = 0; i < others_.size(); ++i) {
        other[i].push_back(others_[i].second(number));
      }
    }
    fmt::print("{:<16} {:>12.1f}", to, median(made));
    for (const auto& values : other) fmt::print(" {:>24.1f}", median(values));
    fmt::print("\n");
  }

  std::string what_;
  Call make_;
  std::vector<std::pair<std::string, Call>> others_;
};

std::string rule_form(const std::string& listener, const std::string& group, int number) {
  return fmt::format(
      "ListenerArn={}&Priority={}&Conditions.member.1.Field=path-pattern&"
      "Conditions.member.1.Values.member.1=/path/{}&Actions.member.1.Type=forward&"
      "Actions.member.1.TargetGroupArn={}",
      listener, number + 1, number, group);
}

std::string group_form(int number) {
  return fmt::format("Name=g{}&Protocol=HTTP&Port=80&VpcId=vpc-1&TargetType=ip", number);
}

int run() {
  Bench bench;
  const auto group_arn = [&](int number) {
    return bench.text_of("CreateTargetGroup", group_form(number), "TargetGroups", "TargetGroupArn");
  };
  const std::string balancer = bench.text_of(
      "CreateLoadBalancer", "Name=web&Subnets.member.1=subnet-a&Subnets.member.2=subnet-b",
      "LoadBalancers", "LoadBalancerArn");
  const std::string group = group_arn(0);
  const std::string listener = bench.text_of(
      "CreateListener",
      fmt::format("LoadBalancerArn={}&Protocol=HTTP&Port=80&DefaultActions.member.1.Type=forward&"
                  "DefaultActions.member.1.TargetGroupArn={}",
                  balancer, group),
      "Listeners", "ListenerArn");

  std::string last_rule;
  Growth rules("rules", [&](int number) {
    aws::Value answer;
    const double took = bench.call("CreateRule", rule_form(listener, group, number), &answer);
    last_rule = answer.list("Rules").at(0).text("RuleArn");
    return took;
  });
  rules.beside("DescribeRules of one",
               [&](int) { return bench.call("DescribeRules", "RuleArns.member.1=" + last_rule); });
  rules.beside("ModifyRule", [&](int number) {
    return bench.call("ModifyRule", fmt::format("RuleArn={}&Conditions.member.1.Field=path-pattern&"
                                                "Conditions.member.1.Values.member.1=/other/{}",
                                                last_rule, number));
  });
  rules.beside("DescribeTargetGroups", [&](int) {
    return bench.call("DescribeTargetGroups", "TargetGroupArns.member.1=" + group);
  });
  rules.run(10'000);

  const auto target = [&](int number) {
    return fmt::format(
        "TargetGroupArn={}&Targets.member.1.Id=10.{}.{}.{}&"
        "Targets.member.1.AvailabilityZone=all",
        group, number / 62'500, number / 250 % 250, number % 250 + 1);
  };
  Growth targets("targets",
                 [&](int number) { return bench.call("RegisterTargets", target(number)); });
  targets.beside("DescribeTargetHealth",
                 [&](int number) { return bench.call("DescribeTargetHealth", target(number)); });
  targets.beside("AddTags", [&](int number) {
    return bench.call("AddTags", fmt::format("ResourceArns.member.1={}&Tags.member.1.Key=a&"
                                             "Tags.member.1.Value={}",
                                             last_rule, number));
  });
  targets.run(10'000);

  Growth groups("target groups", [&](int number) {
    return bench.call("CreateTargetGroup", group_form(number + 1));
  });
  groups.beside("DescribeTargetGroups", [&](int number) {
    return bench.call("DescribeTargetGroups", fmt::format("Names.member.1=g{}", number));
  });
  groups.run(10'000);
  return 0;
}

}  // namespace
}  // namespace weir

int main() { return weir::run(); }
