// Listeners, their attributes and certificates: reference §2, §8.2.
#include <fmt/format.h>

#include <charconv>

#include "aws/elbv2/handlers.hpp"
#include "aws/elbv2/rule_shapes.hpp"
#include "control/elb_checks.hpp"
#include "control/references.hpp"

namespace weir::aws::elbv2 {
namespace {

// ---------------------------------------------------------------- input
// What belongs to HTTPS listeners, or to those of network load balancers.
Status check_members(const Value& input, const std::string& protocol) {
  if (protocol != "HTTP" && protocol != "HTTPS" && !protocol.empty()) {
    return fail("UnsupportedProtocol",
                fmt::format("Listener protocol '{}' is not supported for load balancers with type "
                            "'application'; it must be one of 'HTTP, HTTPS'",
                            protocol));
  }
  if (!input.list("AlpnPolicy").empty()) {
    return fail("InvalidConfigurationRequest",
                "ALPN policies are for TLS listeners of load balancers with type 'network'");
  }
  return {};
}

Result<std::vector<std::string>> certificate_arns(const Value& input) {
  std::vector<std::string> out;
  for (const Value& each : input.list("Certificates")) {
    if (each.has("IsDefault")) {
      return refuse(
          "'IsDefault' cannot be specified: which certificate is the default one follows "
          "from the operation");
    }
    if (!each.has("CertificateArn")) return refuse("A certificate ARN must be specified");
    out.push_back(each.text("CertificateArn"));
  }
  return out;
}

model::MutualAuthentication mutual_of(const Value& input) {
  return {.mode = input.text("Mode", "off"),
          .trust_store_arn = input.text("TrustStoreArn"),
          .ignore_client_certificate_expiry =
              input.flag("IgnoreClientCertificateExpiry").value_or(false),
          .advertise_ca_names = input.text("AdvertiseTrustStoreCaNames") == "on"};
}

Result<control::ListenerSecurity> security_of(const Value& input) {
  control::ListenerSecurity out;
  out.ssl_policy = input.optional_text("SslPolicy");
  if (input.has("Certificates")) {
    auto arns = certificate_arns(input);
    if (!arns) return std::unexpected(arns.error());
    out.certificate_arns = std::move(*arns);
  }
  if (const Value* mutual = input.find("MutualAuthentication"))
    out.mutual_authentication = mutual_of(*mutual);
  return out;
}

// ---------------------------------------------------------------- output
Value mutual_value(const model::MutualAuthentication& source) {
  Value out{{"Mode", source.mode}};
  if (source.mode != "verify") return out;
  out.set("TrustStoreArn", source.trust_store_arn);
  out.set("TrustStoreAssociationStatus", "active");
  out.set("IgnoreClientCertificateExpiry", source.ignore_client_certificate_expiry);
  out.set("AdvertiseTrustStoreCaNames", source.advertise_ca_names ? "on" : "off");
  return out;
}

Value listener_value(const model::Listener& source) {
  Value out{{"ListenerArn", source.arn},
            {"LoadBalancerArn", source.load_balancer_arn},
            {"Port", static_cast<int>(source.port)},
            {"Protocol", source.protocol}};
  if (source.protocol == "HTTPS") {
    out.set("SslPolicy", source.ssl_policy);
    out.set("Certificates",
            Value(Value::List{Value{{"CertificateArn", source.certificate_arns.front()}}}));
    out.set("MutualAuthentication", mutual_value(source.mutual_authentication));
  }
  out.set("DefaultActions", action_list(source.default_actions));
  return out;
}

Value attributes_output(const model::Listener& source) {
  Value out;
  out.set("Attributes", attribute_list(source.attributes, model::listener_attributes()));
  return out;
}

Result<const model::Listener*> named_in(const control::State& state, const Value& input) {
  return control::find_listener(state, input.text("ListenerArn"));
}

// ---------------------------------------------------------------- operations
Result<Value> create(const Elbv2Parts& parts, const Value& input) {
  if (!input.has("Protocol")) return refuse("A listener protocol must be specified");
  if (auto valid = check_members(input, input.text("Protocol")); !valid) {
    return std::unexpected(valid.error());
  }
  auto actions = actions_of(input.list("DefaultActions"));
  if (!actions) return std::unexpected(actions.error());
  auto tags = tags_of(input);
  if (!tags) return std::unexpected(tags.error());
  control::CreateListenerInput wanted;
  wanted.load_balancer_arn = input.text("LoadBalancerArn");
  wanted.protocol = input.text("Protocol");
  wanted.port = int_of(input, "Port");
  wanted.default_actions = std::move(*actions);
  wanted.tags = std::move(*tags);
  auto security = security_of(input);
  if (!security) return std::unexpected(security.error());
  wanted.security = std::move(*security);
  const auto made = parts.elb.create_listener(wanted);
  if (!made) return std::unexpected(made.error());
  return list_of_one("Listeners", listener_value(*made));
}

Result<Value> modify(const Elbv2Parts& parts, const Value& input) {
  control::ModifyListenerInput wanted;
  wanted.listener_arn = input.text("ListenerArn");
  wanted.protocol = input.optional_text("Protocol");
  if (auto valid = check_members(input, wanted.protocol.value_or("")); !valid) {
    return std::unexpected(valid.error());
  }
  wanted.port = int_of(input, "Port");
  if (input.has("DefaultActions")) {
    auto actions = actions_of(input.list("DefaultActions"));
    if (!actions) return std::unexpected(actions.error());
    wanted.default_actions = std::move(*actions);
  }
  auto security = security_of(input);
  if (!security) return std::unexpected(security.error());
  wanted.security = std::move(*security);
  const auto changed = parts.elb.modify_listener(wanted);
  if (!changed) return std::unexpected(changed.error());
  return list_of_one("Listeners", listener_value(*changed));
}

Result<Value> describe_of(const control::State& state, const std::string& load_balancer_arn,
                          const Page& page) {
  if (auto found = control::find_load_balancer(state, load_balancer_arn); !found) {
    return std::unexpected(found.error());
  }
  const auto after = number_of(page);
  if (!after) return std::unexpected(after.error());
  const auto& numbered = state.index.listeners_of(load_balancer_arn);
  Value out;
  write_page(
      numbered.lower_bound({static_cast<int>(*after) + 1, ""}), numbered.end(), page, out,
      "Listeners", [](const auto& entry) { return std::to_string(entry.first); },
      [&](const auto& entry) { return listener_value(state.listeners.at(entry.second)); });
  return out;
}

Result<Value> describe(const control::State& state, const Value& input) {
  const auto arns = input.texts("ListenerArns");
  const auto load_balancer = input.optional_text("LoadBalancerArn");
  if (arns.empty() != load_balancer.has_value()) {
    return refuse("You must specify either listener ARNs or a load balancer ARN");
  }
  const auto page = page_of(input, !arns.empty());
  if (!page) return std::unexpected(page.error());
  if (load_balancer) return describe_of(state, *load_balancer, *page);
  Value::List items;
  for (const std::string& arn : arns) {
    const auto found = state.listeners.find(arn);
    if (found == state.listeners.end()) {
      return fail("ListenerNotFound", "One or more listeners not found");
    }
    items.push_back(listener_value(found->second));
  }
  Value out;
  out.set("Listeners", Value(std::move(items)));
  return out;
}

// ---------------------------------------------------------------- certificates
Value certificate_value(const std::string& arn, bool is_default) {
  return {{"CertificateArn", arn}, {"IsDefault", is_default}};
}

Result<Value> describe_certificates(const control::State& state, const Value& input) {
  const auto listener = named_in(state, input);
  if (!listener) return std::unexpected(listener.error());
  const auto page = page_of(input, false);
  if (!page) return std::unexpected(page.error());
  const auto& arns = (*listener)->certificate_arns;
  return page_of_table(std::span(arns), *page, "Certificates", [&](const std::string& arn) {
    return certificate_value(arn, arn == arns.front());
  });
}

// One a call, as AWS has it.
Result<std::vector<std::string>> one_certificate(const Value& input) {
  auto arns = certificate_arns(input);
  if (!arns) return arns;
  if (auto valid = check_count("certificate ARNs", arns->size(), 1); !valid) {
    return fail("TooManyCertificates", valid.error().message);
  }
  return arns;
}

Result<Value> add_certificates(const Elbv2Parts& parts, const Value& input) {
  const auto arns = one_certificate(input);
  if (!arns) return std::unexpected(arns.error());
  const auto done = parts.elb.add_listener_certificates(input.text("ListenerArn"), *arns);
  if (!done) return std::unexpected(done.error());
  Value::List items;
  for (const std::string& arn : *arns) items.push_back(certificate_value(arn, false));
  Value out;
  out.set("Certificates", Value(std::move(items)));
  return out;
}

Result<Value> remove_certificates(const Elbv2Parts& parts, const Value& input) {
  const auto arns = one_certificate(input);
  if (!arns) return std::unexpected(arns.error());
  const auto done = parts.elb.remove_listener_certificates(input.text("ListenerArn"), *arns);
  if (!done) return std::unexpected(done.error());
  return Value();
}

}  // namespace

void add_listeners(Handlers& handlers, const Elbv2Parts& parts) {
  handlers["CreateListener"] = changing(parts, create);
  handlers["ModifyListener"] = changing(parts, modify);
  handlers["DescribeListeners"] = reading(parts, describe);
  handlers["DeleteListener"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        auto done = with.elb.delete_listener(input.text("ListenerArn"));
        if (!done) return std::unexpected(done.error());
        return Value();
      });
  handlers["DescribeListenerAttributes"] =
      reading(parts, [](const control::State& state, const Value& input) -> Result<Value> {
        const auto found = named_in(state, input);
        if (!found) return std::unexpected(found.error());
        return attributes_output(**found);
      });
  handlers["ModifyListenerAttributes"] =
      changing(parts, [](const Elbv2Parts& with, const Value& input) -> Result<Value> {
        const auto wanted = attributes_of(input);
        if (!wanted) return std::unexpected(wanted.error());
        const auto changed =
            with.elb.modify_listener_attributes(input.text("ListenerArn"), *wanted);
        if (!changed) return std::unexpected(changed.error());
        return attributes_output(*changed);
      });
  handlers["DescribeListenerCertificates"] = reading(parts, describe_certificates);
  handlers["AddListenerCertificates"] = changing(parts, add_certificates);
  handlers["RemoveListenerCertificates"] = changing(parts, remove_certificates);
}

}  // namespace weir::aws::elbv2
