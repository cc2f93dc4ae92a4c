// The certificates of a listener beside the default one: reference §2.4.
#include <fmt/format.h>

#include <algorithm>

#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "control/listener_security.hpp"

namespace weir::control {
namespace {

Result<const model::Listener*> find_https(const State& state, const std::string& arn) {
  const auto found = find_listener(state, arn);
  if (found && (*found)->protocol != "HTTPS") {
    return fail("OperationNotPermitted", "Only HTTPS listeners have certificates");
  }
  return found;
}

}  // namespace

Status Elb::add_listener_certificates(const std::string& listener_arn,
                                      const std::vector<std::string>& certificate_arns) {
  return registry_.update([&](Draft& draft) -> Status {
    const auto old = find_https(draft.state(), listener_arn);
    if (!old) return std::unexpected(old.error());
    model::Listener listener = **old;
    for (const std::string& arn : certificate_arns) {
      if (auto valid = check_certificate(draft.state(), arn); !valid) return valid;
      auto& arns = listener.certificate_arns;
      if (std::ranges::find(arns, arn) == arns.end()) arns.push_back(arn);
    }
    if (auto valid = check_certificate_count(listener, draft.state(), limits_); !valid) {
      return valid;
    }
    draft.put(std::move(listener));
    return {};
  });
}

Status Elb::remove_listener_certificates(const std::string& listener_arn,
                                         const std::vector<std::string>& certificate_arns) {
  return registry_.update([&](Draft& draft) -> Status {
    const auto old = find_https(draft.state(), listener_arn);
    if (!old) return std::unexpected(old.error());
    model::Listener listener = **old;
    for (const std::string& arn : certificate_arns) {
      if (arn == listener.certificate_arns.front()) {
        return fail("OperationNotPermitted",
                    fmt::format("Certificate '{}' is the default one and cannot be removed", arn),
                    "ModifyListener gives the listener another default certificate.");
      }
      std::erase(listener.certificate_arns, arn);
    }
    draft.put(std::move(listener));
    return {};
  });
}

}  // namespace weir::control
