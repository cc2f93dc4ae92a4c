// nlohmann's exceptions stop in this file.
#include "compute/protocol.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace weir::compute {
namespace {

using nlohmann::json;

// In the order of Operation.
constexpr std::array<std::string_view, 12> operation_names{
    "ensure_vpc", "set_node_addresses", "clashes", "launch", "metadata_socket", "stop",
    "terminate",  "set_firewall",       "running", "exec",   "sockets",         "release"};

Operation operation_from(const std::string& name) {
  for (std::size_t i = 0; i < operation_names.size(); ++i) {
    if (operation_names[i] == name) return static_cast<Operation>(i);
  }
  throw std::invalid_argument("unknown operation");
}

json to_json(const std::vector<FirewallRule>& rules) {
  json list = json::array();
  for (const FirewallRule& rule : rules) {
    list.push_back({{"protocol", rule.protocol},
                    {"from", rule.from_port},
                    {"to", rule.to_port},
                    {"peers", rule.peers}});
  }
  return list;
}

json to_json(const Firewall& firewall) {
  return {{"ingress", to_json(firewall.ingress)}, {"egress", to_json(firewall.egress)}};
}

std::vector<FirewallRule> rules_from(const json& list) {
  std::vector<FirewallRule> rules;
  for (const json& item : list) {
    FirewallRule rule;
    item.at("protocol").get_to(rule.protocol);
    item.at("from").get_to(rule.from_port);
    item.at("to").get_to(rule.to_port);
    item.at("peers").get_to(rule.peers);
    rules.push_back(std::move(rule));
  }
  return rules;
}

Firewall firewall_from(const json& value) {
  return {rules_from(value.at("ingress")), rules_from(value.at("egress"))};
}

// Without the user data, which need not be text.
json to_json(const InstanceSpec& spec) {
  return {{"id", spec.id},
          {"image", spec.image_id},
          {"hostname", spec.hostname},
          {"private_ip", spec.private_ip},
          {"subnet_prefix", spec.subnet_prefix},
          {"vpc_cidr", spec.vpc_cidr},
          {"gateway", spec.gateway},
          {"mac", spec.mac},
          {"vcpus", spec.vcpus},
          {"memory_mib", spec.memory_mib},
          {"ebs_bytes_per_second", spec.ebs_bytes_per_second},
          {"network_bits_per_second", spec.network_bits_per_second},
          {"is_first_boot", spec.is_first_boot},
          {"public_key", spec.public_key},
          {"firewall", to_json(spec.firewall)}};
}

InstanceSpec spec_from(const json& value) {
  InstanceSpec spec;
  value.at("id").get_to(spec.id);
  value.at("image").get_to(spec.image_id);
  value.at("hostname").get_to(spec.hostname);
  value.at("private_ip").get_to(spec.private_ip);
  value.at("subnet_prefix").get_to(spec.subnet_prefix);
  value.at("vpc_cidr").get_to(spec.vpc_cidr);
  value.at("gateway").get_to(spec.gateway);
  value.at("mac").get_to(spec.mac);
  value.at("vcpus").get_to(spec.vcpus);
  value.at("memory_mib").get_to(spec.memory_mib);
  value.at("ebs_bytes_per_second").get_to(spec.ebs_bytes_per_second);
  value.at("network_bits_per_second").get_to(spec.network_bits_per_second);
  value.at("is_first_boot").get_to(spec.is_first_boot);
  value.at("public_key").get_to(spec.public_key);
  spec.firewall = firewall_from(value.at("firewall"));
  return spec;
}

json to_json(const Capabilities& capabilities) {
  return {{"rootless", capabilities.rootless},
          {"limits_enforced", capabilities.limits_enforced},
          {"limits_reason", capabilities.limits_reason},
          {"has_uid_range", capabilities.has_uid_range},
          {"runtime_version", capabilities.runtime_version}};
}

Capabilities capabilities_from(const json& value) {
  Capabilities capabilities;
  value.at("rootless").get_to(capabilities.rootless);
  value.at("limits_enforced").get_to(capabilities.limits_enforced);
  value.at("limits_reason").get_to(capabilities.limits_reason);
  value.at("has_uid_range").get_to(capabilities.has_uid_range);
  value.at("runtime_version").get_to(capabilities.runtime_version);
  return capabilities;
}

// Bytes that are no UTF-8 (a runtime's error message may hold any) become U+FFFD.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::pair<std::string_view, std::string_view> split_blob(std::string_view bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return {bytes, {}};
  return {bytes.substr(0, end), bytes.substr(end + 1)};
}

std::unexpected<Error> malformed() {
  return fail("MalformedMessage", "a message between daemon and holder cannot be read",
              "daemon and holder may be of different versions: weir stop, then start again");
}

}  // namespace

std::string encode(const Request& request) {
  json value = {{"id", request.id},
                {"op", operation_names.at(static_cast<std::size_t>(request.operation))}};
  if (!request.instance.empty()) value["instance"] = request.instance;
  switch (request.operation) {
    case Operation::ensure_vpc:
      value["cidr"] = request.vpc.cidr;
      value["gateway"] = request.vpc.gateway;
      break;
    case Operation::clashes:
      value["cidr"] = request.cidr;
      break;
    case Operation::launch:
      value["spec"] = to_json(request.spec);
      return dump(value) + '\0' + request.spec.user_data;
    case Operation::set_firewall:
      value["firewall"] = to_json(request.firewall);
      break;
    case Operation::set_node_addresses:
      value["words"] = request.words;
      break;
    case Operation::exec:
      value["words"] = request.words;
      value["terminal"] = request.terminal;
      break;
    case Operation::stop:
    case Operation::sockets:
      value["number"] = request.number;
      break;
    case Operation::metadata_socket:
    case Operation::terminate:
    case Operation::running:
    case Operation::release:
      break;
  }
  return dump(value);
}

Result<Request> decode_request(std::string_view bytes) {
  const auto [text, blob] = split_blob(bytes);
  try {
    const json value = json::parse(text);
    Request request;
    value.at("id").get_to(request.id);
    request.operation = operation_from(value.at("op").get<std::string>());
    request.instance = value.value("instance", std::string());
    request.cidr = value.value("cidr", std::string());
    request.vpc = {request.cidr, value.value("gateway", std::string())};
    request.words = value.value("words", std::vector<std::string>());
    request.number = value.value("number", 0);
    request.terminal = value.value("terminal", false);
    if (request.operation == Operation::launch) {
      request.spec = spec_from(value.at("spec"));
      request.spec.user_data = blob;
    }
    if (request.operation == Operation::set_firewall) {
      request.firewall = firewall_from(value.at("firewall"));
    }
    return request;
  } catch (const std::exception&) {
    return malformed();
  }
}

std::string encode(const Response& response) {
  json value = {{"id", response.id}};
  if (response.error) {
    value["error"] = {{"code", response.error->code},
                      {"message", response.error->message},
                      {"hint", response.error->hint}};
  }
  if (response.flag) value["flag"] = true;
  if (response.number != 0) value["number"] = response.number;
  if (response.greeting) value["greeting"] = to_json(*response.greeting);
  if (!response.exited.empty()) {
    value["exited"] = response.exited;
    value["exit_status"] = response.exit_status;
  }
  for (const RunningInstance& instance : response.running) {
    value["running"].push_back(
        {{"id", instance.id}, {"pid", instance.pid}, {"state", instance.runtime_state}});
  }
  return dump(value);
}

Result<Response> decode_response(std::string_view bytes) {
  try {
    const json value = json::parse(bytes);
    Response response;
    value.at("id").get_to(response.id);
    if (value.contains("error")) {
      const json& error = value["error"];
      response.error =
          Error{error.at("code").get<std::string>(), error.at("message").get<std::string>(),
                error.at("hint").get<std::string>()};
    }
    response.flag = value.value("flag", false);
    response.number = value.value("number", 0);
    if (value.contains("greeting")) response.greeting = capabilities_from(value["greeting"]);
    response.exited = value.value("exited", std::string());
    response.exit_status = value.value("exit_status", -1);
    for (const json& item : value.value("running", json::array())) {
      response.running.push_back({item.at("id").get<std::string>(), item.at("pid").get<int>(),
                                  item.at("state").get<std::string>()});
    }
    return response;
  } catch (const std::exception&) {
    return malformed();
  }
}

}  // namespace weir::compute
