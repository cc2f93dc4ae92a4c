// Tags of all that ELBv2 has: reference §8.4.
#include <fmt/format.h>

#include "control/arn.hpp"
#include "control/elb.hpp"
#include "control/elb_checks.hpp"
#include "model/validate.hpp"

namespace weir::control {
namespace {

std::unexpected<Error> not_an_arn(const std::string& arn) {
  return fail("ValidationError", fmt::format("'{}' is not a valid resource ARN", arn));
}

// Changes the tags of one record by `change` and puts it back.
template <typename Record, typename Change>
Status put_changed(Draft& draft, Record record, model::Tags Record::*tags, Change change) {
  change(record.*tags);
  if (auto valid = model::validate_tags(record.*tags); !valid) return valid;
  draft.put(std::move(record));
  return {};
}

template <typename Change>
Status change_tags(Draft& draft, const std::string& arn, Change change) {
  const State& state = draft.state();
  switch (kind_of_arn(arn)) {
    case ArnKind::load_balancer: {
      const auto found = find_load_balancer(state, arn);
      if (!found) return std::unexpected(found.error());
      return put_changed(draft, **found, &model::LoadBalancer::tags, change);
    }
    case ArnKind::target_group: {
      const auto found = find_target_group(state, arn);
      if (!found) return std::unexpected(found.error());
      return put_changed(draft, **found, &model::TargetGroup::tags, change);
    }
    case ArnKind::listener: {
      const auto found = find_listener(state, arn);
      if (!found) return std::unexpected(found.error());
      return put_changed(draft, **found, &model::Listener::tags, change);
    }
    case ArnKind::rule: {
      if (const model::Listener* listener = listener_of_default_rule(state, arn)) {
        return put_changed(draft, *listener, &model::Listener::default_rule_tags, change);
      }
      const auto found = find_rule(state, arn);
      if (!found) return std::unexpected(found.error());
      return put_changed(draft, **found, &model::Rule::tags, change);
    }
    case ArnKind::trust_store: {
      const auto found = find_trust_store(state, arn);
      if (!found) return std::unexpected(found.error());
      return put_changed(draft, **found, &model::TrustStore::tags, change);
    }
    case ArnKind::other:
      break;
  }
  return not_an_arn(arn);
}

template <typename Record>
Result<model::Tags> tags_in(const Result<const Record*>& found) {
  if (!found) return std::unexpected(found.error());
  return (*found)->tags;
}

}  // namespace

Status Elb::add_tags(const std::vector<std::string>& arns, const model::Tags& tags) {
  if (auto valid = model::validate_tags(tags); !valid) return valid;
  return registry_.update([&](Draft& draft) -> Status {
    for (const std::string& arn : arns) {
      const auto done = change_tags(draft, arn, [&](model::Tags& now) {
        for (const auto& [key, value] : tags) now[key] = value;
      });
      if (!done) return done;
    }
    return {};
  });
}

Status Elb::remove_tags(const std::vector<std::string>& arns,
                        const std::vector<std::string>& keys) {
  return registry_.update([&](Draft& draft) -> Status {
    for (const std::string& arn : arns) {
      const auto done = change_tags(draft, arn, [&](model::Tags& now) {
        for (const std::string& key : keys) now.erase(key);
      });
      if (!done) return done;
    }
    return {};
  });
}

Result<model::Tags> tags_of(const State& state, const std::string& arn) {
  switch (kind_of_arn(arn)) {
    case ArnKind::load_balancer:
      return tags_in(find_load_balancer(state, arn));
    case ArnKind::target_group:
      return tags_in(find_target_group(state, arn));
    case ArnKind::listener:
      return tags_in(find_listener(state, arn));
    case ArnKind::rule:
      if (const model::Listener* listener = listener_of_default_rule(state, arn)) {
        return listener->default_rule_tags;
      }
      return tags_in(find_rule(state, arn));
    case ArnKind::trust_store:
      return tags_in(find_trust_store(state, arn));
    case ArnKind::other:
      break;
  }
  return not_an_arn(arn);
}

}  // namespace weir::control
