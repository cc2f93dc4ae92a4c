#include "aws/service.hpp"

#include "aws/service_impl.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"

namespace weir::aws {

Service::Service(std::string_view description, Handlers handlers)
    : impl_(std::make_unique<Impl>()) {
  impl_->text = description;
  impl_->handlers = std::move(handlers);
}

Service::~Service() = default;

const Description& Service::Impl::description() const {
  std::call_once(once, [this] {
    auto parsed = parse_description(text);
    if (!parsed) log::error("a service's description is wrong: {}", parsed.error().message);
    WEIR_ASSERT(parsed.has_value());
    read = std::move(*parsed);
    for (const auto& [name, operation] : read->operations) WEIR_ASSERT(handlers.contains(name));
    for (const auto& [name, handler] : handlers) WEIR_ASSERT(read->operations.contains(name));
  });
  return *read;
}

}  // namespace weir::aws
