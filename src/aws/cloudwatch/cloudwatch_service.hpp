// CloudWatch (2010-08-01) on the MetricStore: metrics read and put.
//
// Namespaces of AWS's own services are Weir's to write (AWS/ApplicationELB), all others are the
// callers'. Data are kept by the minute, whatever resolution is asked for.
#pragma once

#include <functional>
#include <memory>

#include "aws/service.hpp"
#include "metrics/metric_store.hpp"

namespace weir::aws {

struct CloudWatchParts {
  metrics::MetricStore& metrics;  // outlives the service
  metrics::MetricStore::Clock clock;
};

[[nodiscard]] std::unique_ptr<Service> make_cloudwatch_service(const CloudWatchParts& parts);

// By operation; what the service is made of.
[[nodiscard]] Handlers cloudwatch_handlers(const CloudWatchParts& parts);

}  // namespace weir::aws
