// What the service is like: its limits and the security policies (reference §2.3, §8.6).
#include <fmt/format.h>

#include <algorithm>

#include "aws/elbv2/handlers.hpp"
#include "model/ssl_policies.hpp"

namespace weir::aws::elbv2 {
namespace {

Result<Value> account_limits(const control::Limits& limits, const Value& input) {
  const auto page = page_of(input, false);
  if (!page) return std::unexpected(page.error());
  return page_of_table(control::limit_names(), *page, "Limits",
                       [&](const control::LimitName& each) -> Value {
                         return {{"Name", each.name}, {"Max", std::to_string(each.value(limits))}};
                       });
}

Value policy_value(const model::SslPolicy& policy) {
  Value::List ciphers;
  for (const std::string_view cipher : policy.ciphers) {
    ciphers.push_back({{"Name", cipher}, {"Priority", static_cast<int>(ciphers.size()) + 1}});
  }
  Value out;
  out.set("SslProtocols", Value::list_of(policy.protocols));
  out.set("Ciphers", Value(std::move(ciphers)));
  out.set("Name", policy.name);
  out.set("SupportedLoadBalancerTypes",
          Value::list_of(std::vector<std::string>{"application", "network"}));
  return out;
}

Result<Value> ssl_policies(const Value& input) {
  const auto names = input.texts("Names");
  const auto page = page_of(input, !names.empty());
  if (!page) return std::unexpected(page.error());
  if (names.empty()) {
    const bool has_any = input.text("LoadBalancerType", "application") != "gateway";
    return page_of_table(has_any ? model::ssl_policies() : std::span<const model::SslPolicy>(),
                         *page, "SslPolicies", policy_value);
  }
  Value::List items;
  for (const std::string& name : names) {
    const model::SslPolicy* policy = model::find_ssl_policy(name);
    if (policy == nullptr) {
      return fail("SSLPolicyNotFound", fmt::format("SSL policy '{}' not found", name));
    }
    items.push_back(policy_value(*policy));
  }
  Value out;
  out.set("SslPolicies", Value(std::move(items)));
  return out;
}

}  // namespace

void add_limits(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["DescribeAccountLimits"] = [parts](const Caller&, const Value& input) {
    return account_limits(parts.elb.limits(), input);
  };
  handlers["DescribeSSLPolicies"] = [](const Caller&, const Value& input) {
    return ssl_policies(input);
  };
}

}  // namespace weir::aws::elbv2
