#include "proxy/serving.hpp"

#include <algorithm>

namespace weir::proxy {

Serving::Group* Serving::find_group(std::string_view arn) const {
  const auto arn_of = [](const LocalRef<Group>& group) -> std::string_view {
    return group->target_group.arn;
  };
  const auto found = std::ranges::lower_bound(groups, arn, {}, arn_of);
  return found != groups.end() && arn_of(*found) == arn ? found->get() : nullptr;
}

}  // namespace weir::proxy
