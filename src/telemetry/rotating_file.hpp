// A log file that is set aside when it has grown: access.log, access.log.1 (newest) … access.log.N.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace weir::telemetry {

class RotatingFile {
 public:
  // Made, with its folders, at the first write. `keep`: files set aside, the oldest goes.
  RotatingFile(std::string path, std::uint64_t bytes_max, int keep)
      : path_(std::move(path)), bytes_max_(bytes_max), keep_(keep) {}

  // Whole lines. The file may pass its size by the last of them.
  Status write(std::string_view lines);

 private:
  Status open();
  void rotate();

  std::string path_;
  std::uint64_t bytes_max_;
  int keep_;
  Fd file_;
  std::uint64_t bytes_ = 0;
};

}  // namespace weir::telemetry
