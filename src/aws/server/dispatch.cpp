#include "aws/server/dispatch.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/protocol/complaints.hpp"
#include "aws/protocol/error_status.hpp"
#include "aws/protocol/form.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "aws/service_impl.hpp"
#include "aws/sigv4/authorization.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"

namespace weir::aws {
namespace {

constexpr std::string_view classic_version = "2012-06-01";

std::string make_uuid() {
  auto digits = random_hex(32);
  digits[12] = '4';
  digits[16] = "89ab"[digits[16] & 3];
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4),
                     digits.substr(12, 4), digits.substr(16, 4), digits.substr(20));
}

std::string value_of(const Parameters& parameters, std::string_view name) {
  const auto found = std::ranges::find(parameters, name, &Parameters::value_type::first);
  return found == parameters.end() ? std::string() : found->second;
}

// One request on its way. Each step gives what the next one needs or the error to answer.
class Call {
 public:
  Call(const std::vector<std::unique_ptr<Service>>& services, const Access& access,
       const HttpRequest& request)
      : services_(services), access_(access), request_(request) {}

  HttpResponse answer() {
    auto body = run();
    return body ? respond(200, std::move(*body)) : refuse(body.error());
  }

  HttpResponse refuse(const Error& error) {
    const int status = error_status(description_, error.code);
    return respond(status,
                   encode_xml_error(description_, protocol_, error, status >= 500, request_id_));
  }

  void guess_service() {
    const auto* host = request_.header("host");
    if (host == nullptr) return;
    const auto label = std::string_view(*host).substr(0, host->find('.'));
    choose([&](const Description& each) { return each.host == label; });
  }

 private:
  Result<std::string> run();
  Status read_parameters();
  Status identify();
  Status choose_service();
  Result<const Operation*> choose_operation();
  Result<std::string> handle(const Operation& operation);

  template <typename Predicate>
  bool choose(const Predicate& is_it) {
    for (const auto& service : services_) {
      const auto& each = service->impl().description();
      if (!is_it(each)) continue;
      service_ = &service->impl();
      description_ = &each;
      protocol_ = each.speaks(Protocol::ec2) ? Protocol::ec2 : Protocol::query;
      return true;
    }
    return false;
  }

  HttpResponse respond(int status, std::string body) {
    const bool is_ec2 = protocol_ == Protocol::ec2;
    return {status,
            {{"Content-Type", is_ec2 ? "text/xml;charset=UTF-8" : "text/xml"},
             {"x-amzn-RequestId", request_id_}},
            std::move(body)};
  }

  const std::vector<std::unique_ptr<Service>>& services_;
  const Access& access_;
  const HttpRequest& request_;
  std::string request_id_ = make_uuid();
  const Service::Impl* service_ = nullptr;
  const Description* description_ = nullptr;
  Protocol protocol_ = Protocol::query;
  Parameters query_;       // of the URL
  Parameters parameters_;  // of the URL and the body
  Authorization authorization_;
  Caller caller_;
};

Status Call::read_parameters() {
  auto query = parse_form(request_.query);
  if (!query) return std::unexpected(query.error());
  query_ = std::move(*query);
  parameters_ = query_;
  if (request_.method != "POST") return {};
  auto form = parse_form(request_.body);
  if (!form) return std::unexpected(form.error());
  parameters_.insert(parameters_.end(), std::make_move_iterator(form->begin()),
                     std::make_move_iterator(form->end()));
  return {};
}

Status Call::choose_service() {
  const auto& name = authorization_.service;
  if (choose([&](const Description& each) { return each.signing_name == name; })) return {};
  std::vector<std::string_view> known;
  for (const auto& service : services_) known.push_back(service->impl().description().signing_name);
  return fail("InvalidAction",
              fmt::format("There is no service '{}' here, only: {}", name, fmt::join(known, ", ")));
}

Status Call::identify() {
  auto authorization = read_authorization(request_, query_);
  if (!authorization) return std::unexpected(access_refused(protocol_, authorization.error()));
  authorization_ = std::move(*authorization);
  if (auto chosen = choose_service(); !chosen) return chosen;
  auto caller = access_.admit(request_, query_, authorization_);
  if (!caller) return std::unexpected(access_refused(protocol_, caller.error()));
  caller_ = std::move(*caller);
  caller_.request_id = request_id_;
  return {};
}

Result<const Operation*> Call::choose_operation() {
  const auto action = value_of(parameters_, "Action");
  const auto version = value_of(parameters_, "Version");
  if (action.empty())
    return fail("MissingAction", "The request is missing an action or a required parameter.");
  if (version == classic_version && description_->signing_name == "elasticloadbalancing") {
    return fail("InvalidAction",
                fmt::format("Could not find operation {} for version {}: Classic Load Balancers "
                            "are not supported; use version {} (aws elbv2)",
                            action.substr(0, 128), version, description_->version));
  }
  const auto found = description_->operations.find(action);
  if (found == description_->operations.end())
    return std::unexpected(unknown_operation(*description_, protocol_, action));
  if (version.empty() || (protocol_ != Protocol::ec2 && version != description_->version)) {
    return fail(version.empty() ? "MissingParameter" : "NoSuchVersion",
                version.empty()
                    ? "The request must contain the parameter Version"
                    : fmt::format("The requested version ( {} ) of service {} does not exist",
                                  version.substr(0, 64), description_->name));
  }
  return &found->second;
}

Result<std::string> Call::handle(const Operation& operation) {
  auto input = decode_query(protocol_, operation.input, parameters_);
  if (!input) return std::unexpected(input.error());
  if (operation.input != nullptr) {
    if (auto valid = validate(protocol_, *operation.input, *input); !valid)
      return std::unexpected(valid.error());
  }
  const auto handler = service_->handlers.find(operation.name);
  auto output = handler->second(caller_, *input);
  if (!output) return std::unexpected(output.error());
  return encode_xml(*description_, protocol_, operation, *output, request_id_);
}

Result<std::string> Call::run() {
  guess_service();
  if (request_.method != "POST" && request_.method != "GET")
    return fail("InvalidAction", "The method is GET or POST");
  if (auto read = read_parameters(); !read) return std::unexpected(read.error());
  if (auto identified = identify(); !identified) return std::unexpected(identified.error());
  const auto operation = choose_operation();
  if (!operation) return std::unexpected(operation.error());
  auto body = handle(**operation);
  if (!body && body.error().code == "BadOutput") {
    log::error("an answer of {} could not be written: {}", description_->name,
               body.error().message);
    return fail(protocol_ == Protocol::ec2 ? "InternalError" : "InternalFailure",
                "The request processing has failed because of an unknown error.");
  }
  return body;
}

}  // namespace

Dispatcher::Dispatcher(std::vector<std::unique_ptr<Service>> services,
                       std::shared_ptr<const Access> access)
    : services_(std::move(services)), access_(std::move(access)) {}

Dispatcher::~Dispatcher() = default;

HttpResponse Dispatcher::answer(const HttpRequest& request) const {
  return Call(services_, *access_, request).answer();
}

HttpResponse Dispatcher::too_large(const HttpRequest& request) const {
  Call call(services_, *access_, request);
  call.guess_service();
  return call.refuse({"RequestEntityTooLarge",
                      fmt::format("The request's body is larger than {} bytes", body_bytes_max),
                      {}});
}

}  // namespace weir::aws
