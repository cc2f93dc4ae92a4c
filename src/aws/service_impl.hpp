// The inside of a Service, for those who carry calls to it.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "aws/description/description.hpp"
#include "aws/service.hpp"

namespace weir::aws {

struct Service::Impl {
  // Read at the first call: a daemon that nobody calls spends nothing on it.
  [[nodiscard]] const Description& description() const;

  std::string_view text;
  Handlers handlers;
  mutable std::once_flag once;
  mutable std::unique_ptr<Description> read;
};

}  // namespace weir::aws
