#include "aws/server/dispatch.hpp"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/protocol/cbor.hpp"
#include "aws/protocol/complaints.hpp"
#include "aws/protocol/form.hpp"
#include "aws/protocol/json.hpp"
#include "aws/protocol/query_decoder.hpp"
#include "aws/protocol/validate.hpp"
#include "aws/protocol/xml.hpp"
#include "aws/server/answer.hpp"
#include "aws/server/content_encoding.hpp"
#include "aws/server/target.hpp"
#include "aws/server/web_pages.hpp"
#include "aws/service_impl.hpp"
#include "aws/sigv4/authorization.hpp"
#include "aws/sigv4/digest.hpp"
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

// The client token that the input holds; empty: none.
std::string token_of(const Operation& operation, const Value& input) {
  if (operation.input == nullptr) return {};
  const auto& members = operation.input->members;
  const auto found = std::ranges::find_if(members, &Member::is_token);
  return found == members.end() ? std::string() : input.text(found->name);
}

// One request on its way. Each step gives what the next one needs or the error to answer.
class Call {
 public:
  Call(const std::vector<std::unique_ptr<Service>>& services, const Access& access,
       Idempotency& idempotency, const HttpRequest& request)
      : services_(services),
        access_(access),
        idempotency_(idempotency),
        request_(request),
        target_(read_target(request)) {
    form_.protocol = target_.protocol;
    guess_service();
  }

  HttpResponse answer() {
    auto body = run();
    return body ? success(form_, std::move(*body), request_id_) : refuse(body.error());
  }
  HttpResponse refuse(const Error& error) const { return failure(form_, error, request_id_); }
  [[nodiscard]] Error broken() const {
    return {form_.protocol == Protocol::ec2 ? "InternalError" : "InternalFailure",
            "The request processing has failed because of an unknown error.",
            {}};
  }

 private:
  [[nodiscard]] const std::string& body() const { return unpacked_ ? *unpacked_ : request_.body; }
  [[nodiscard]] bool is_query() const { return target_.protocol == Protocol::query; }

  void guess_service();
  Result<std::string> run();
  Status identify();
  Status unpack_body();
  Status choose_service();
  Status read_action();
  Result<const Operation*> choose_operation();
  Status check_version() const;
  Result<Value> decode(const Operation& operation) const;
  Result<Value> handle(const Operation& operation, const Value& input) const;
  Result<std::string> encode(const Operation& operation, const Value& output) const;

  template <typename Predicate>
  bool choose(const Predicate& is_it) {
    for (const auto& service : services_) {
      const auto& each = service->impl().description();
      if (!is_it(each)) continue;
      service_ = &service->impl();
      form_.description = &each;
      if (is_query() && each.speaks(Protocol::ec2)) form_.protocol = Protocol::ec2;
      return true;
    }
    return false;
  }

  const std::vector<std::unique_ptr<Service>>& services_;
  const Access& access_;
  Idempotency& idempotency_;
  const HttpRequest& request_;
  const CallTarget target_;
  const std::string request_id_ = make_uuid();
  const Service::Impl* service_ = nullptr;
  AnswerForm form_;
  Parameters query_;       // of the URL
  Parameters parameters_;  // of the URL and the body
  std::string authorized_service_, action_, version_;
  std::optional<std::string> unpacked_;  // the body, where it came compressed
  Caller caller_;
};

// Before the credential is read: by host name, else by what JSON and CBOR say.
void Call::guess_service() {
  if (const auto* type = request_.header("content-type")) form_.json_type = *type;
  if (!form_.json_type.starts_with("application/x-amz-json-1."))
    form_.json_type = "application/x-amz-json-1.0";
  if (!is_query()) {
    choose([&](const Description& each) {
      return !each.target_prefix.empty() && each.target_prefix == target_.prefix;
    });
  } else if (const auto* host = request_.header("host")) {
    const auto label = std::string_view(*host).substr(0, host->find('.'));
    choose([&](const Description& each) { return each.host == label; });
  }
}

Status Call::choose_service() {
  if (!is_query()) {
    if (form_.description != nullptr && form_.description->speaks(target_.protocol) &&
        form_.description->signing_name == authorized_service_) {
      return {};
    }
    return fail("UnknownOperationException",
                "There is no service here for this target, protocol and credential scope");
  }
  const auto is_it = [&](const Description& each) {
    return each.signing_name == authorized_service_;
  };
  if (choose(is_it)) return {};
  std::vector<std::string_view> known;
  for (const auto& service : services_) known.push_back(service->impl().description().signing_name);
  return fail("InvalidAction", fmt::format("There is no service '{}' here, only: {}",
                                           authorized_service_, fmt::join(known, ", ")));
}

Status Call::identify() {
  const auto authorization = read_authorization(request_, query_);
  if (!authorization) return std::unexpected(access_refused(form_.protocol, authorization.error()));
  authorized_service_ = authorization->service;
  if (auto chosen = choose_service(); !chosen) return chosen;
  auto caller = access_.admit(request_, query_, *authorization);
  if (!caller) return std::unexpected(access_refused(form_.protocol, caller.error()));
  caller_ = std::move(*caller);
  caller_.request_id = request_id_;
  return {};
}

Status Call::unpack_body() {
  const auto* encoding = request_.header("content-encoding");
  if (encoding == nullptr || *encoding == "identity") return {};
  if (*encoding == "gzip") unpacked_ = gunzip(request_.body, body_bytes_max);
  if (unpacked_) return {};
  return fail(is_query() ? "MalformedInput" : "SerializationException",
              fmt::format("The body is not gzip of at most {} bytes", body_bytes_max));
}

// The Query protocols: parameters of the URL and of the body are one list.
Status Call::read_action() {
  if (!is_query()) {
    action_ = target_.operation;
    return {};
  }
  parameters_ = query_;
  if (request_.method == "POST") {
    auto form = parse_form(body());
    if (!form) return std::unexpected(form.error());
    parameters_.insert(parameters_.end(), std::make_move_iterator(form->begin()),
                       std::make_move_iterator(form->end()));
  }
  action_ = value_of(parameters_, "Action");
  version_ = value_of(parameters_, "Version");
  if (action_.empty())
    return fail("MissingAction", "The request is missing an action or a required parameter.");
  return {};
}

Status Call::check_version() const {
  const auto& description = *form_.description;
  if (version_.empty())
    return fail("MissingParameter", "The request must contain the parameter Version");
  if (form_.protocol == Protocol::ec2 || version_ == description.version) return {};
  return fail("NoSuchVersion", fmt::format("The requested version ( {} ) of service {} does not "
                                           "exist",
                                           version_.substr(0, 64), description.name));
}

Result<const Operation*> Call::choose_operation() {
  const auto& description = *form_.description;
  if (version_ == classic_version && description.signing_name == "elasticloadbalancing") {
    return fail("InvalidAction",
                fmt::format("Could not find operation {} for version {}: Classic Load Balancers "
                            "are not supported; use version {} (aws elbv2)",
                            action_.substr(0, 128), version_, description.version));
  }
  const auto found = description.operations.find(action_);
  if (const auto refused = description.refused.find(action_);
      refused != description.refused.end()) {
    return fail("UnsupportedOperation",
                fmt::format("Weir does not support {}: {}", action_, refused->second));
  }
  if (found == description.operations.end())
    return std::unexpected(unknown_operation(description, form_.protocol, action_));
  if (is_query()) {
    if (auto checked = check_version(); !checked) return std::unexpected(checked.error());
  }
  return &found->second;
}

Result<Value> Call::decode(const Operation& operation) const {
  Result<Value> input;
  if (is_query()) {
    input = decode_query(form_.protocol, operation.input, parameters_);
  } else {
    const auto tree = target_.protocol == Protocol::json ? parse_json(body()) : parse_cbor(body());
    if (!tree) return std::unexpected(tree.error());
    input = decode_tree(operation.input, *tree);
  }
  if (!input || operation.input == nullptr) return input;
  if (auto valid = validate(form_.protocol, *operation.input, *input); !valid)
    return std::unexpected(valid.error());
  return input;
}

Result<Value> Call::handle(const Operation& operation, const Value& input) const {
  if (form_.protocol == Protocol::ec2 && input.flag("DryRun").value_or(false))
    return fail("DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
  const auto& handler = service_->handlers.find(operation.name)->second;
  const auto token = token_of(operation, input);
  if (token.empty()) return handler(caller_, input);
  const auto key = fmt::format("{} {} {}", form_.description->name, operation.name, token);
  // As JSON the input is one text, whatever protocol it came in.
  const auto text = encode_json(Operation{.output = operation.input}, input);
  return idempotency_.run(key, sha256_hex(text.value_or("")), access_.now_ms(),
                          [&] { return handler(caller_, input); });
}

Result<std::string> Call::encode(const Operation& operation, const Value& output) const {
  switch (form_.protocol) {
    case Protocol::json:
      return encode_json(operation, output);
    case Protocol::cbor:
      return encode_cbor(operation, output);
    default:
      return encode_xml(*form_.description, form_.protocol, operation, output, request_id_);
  }
}

Result<std::string> Call::run() {
  if (request_.method != "POST" && (request_.method != "GET" || !is_query()))
    return fail("InvalidAction", "The method is POST, or GET in the Query protocols");
  if (!access_.verifies()) {
    if (auto own = refuse_web_pages(request_); !own) return std::unexpected(own.error());
  }
  auto query = parse_form(request_.query);
  if (!query) return std::unexpected(query.error());
  query_ = std::move(*query);
  for (const auto step : {&Call::identify, &Call::unpack_body, &Call::read_action}) {
    if (auto done = (this->*step)(); !done) return std::unexpected(done.error());
  }
  const auto operation = choose_operation();
  if (!operation) return std::unexpected(operation.error());
  const auto input = decode(**operation);
  if (!input) return std::unexpected(input.error());
  const auto output = handle(**operation, *input);
  if (!output) return std::unexpected(output.error());
  auto body = encode(**operation, *output);
  if (body) return body;
  log::error("an answer of {} could not be written: {}", form_.description->name,
             body.error().message);
  return std::unexpected(broken());
}

}  // namespace

Dispatcher::Dispatcher(std::vector<std::unique_ptr<Service>> services,
                       std::shared_ptr<const Access> access)
    : services_(std::move(services)), access_(std::move(access)) {}

Dispatcher::~Dispatcher() = default;

HttpResponse Dispatcher::answer(const HttpRequest& request) const {
  Call call(services_, *access_, idempotency_, request);
  try {
    return call.answer();
  } catch (const std::exception& wrong) {  // of a library, below a handler
    log::error("a call of the AWS APIs failed: {}", wrong.what());
    return call.refuse(call.broken());
  }
}

HttpResponse Dispatcher::too_large(const HttpRequest& request) const {
  return Call(services_, *access_, idempotency_, request)
      .refuse({"RequestEntityTooLarge",
               fmt::format("The request's body is larger than {} bytes", body_bytes_max),
               {}});
}

}  // namespace weir::aws
