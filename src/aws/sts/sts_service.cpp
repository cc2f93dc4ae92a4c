#include "aws/sts/sts_service.hpp"

#include "aws/description/description.hpp"

namespace weir::aws {
namespace {

Result<Value> get_access_key_info(const Caller& caller, const Value&) {
  return Value{{"Account", caller.account}};
}

Result<Value> get_caller_identity(const Caller& caller, const Value&) {
  return Value{{"UserId", caller.user_id}, {"Account", caller.account}, {"Arn", caller.arn}};
}

}  // namespace

std::unique_ptr<Service> make_sts_service() {
  return std::make_unique<Service>(embedded_description("sts"),
                                   Handlers{{"GetAccessKeyInfo", get_access_key_info},
                                            {"GetCallerIdentity", get_caller_identity}});
}

}  // namespace weir::aws
