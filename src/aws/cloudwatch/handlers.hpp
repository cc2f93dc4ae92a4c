// The handlers of CloudWatch by subject, and what they share.
#pragma once

#include "aws/cloudwatch/cloudwatch_service.hpp"

namespace weir::aws::cloudwatch {

void add_reading(Handlers& handlers, const CloudWatchParts& parts);
void add_putting(Handlers& handlers, const CloudWatchParts& parts);

// Of a value with MetricName and Dimensions. "InvalidParameterValue" where a dimension occurs
// twice.
[[nodiscard]] Result<metrics::MetricId> metric_of(const std::string& name_space,
                                                  const Value& value);
[[nodiscard]] Value metric_value(const metrics::MetricId& metric);

}  // namespace weir::aws::cloudwatch
