// Bodies that were compressed on their way: the SDKs do so with large ones (CloudWatch's
// PutMetricData from 10 KiB). The signature covers the compressed bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weir::aws {

// nullopt: it is no gzip, is cut short, or would be longer than `bytes_max`.
[[nodiscard]] std::optional<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace weir::aws
