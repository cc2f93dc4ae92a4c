// The lines of one log on their way into a bucket: a part on disk for each node of the load
// balancer, appended to as lines come, and sealed at the end of its interval or at its size.
// Nothing is held back in memory, so a crash costs at most what the rings held.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "telemetry/deliverer.hpp"
#include "telemetry/object_names.hpp"

namespace weir::telemetry {

// Renames a part below `folder`; the name that it has then. None where it is empty (it is removed)
// or cannot be renamed.
[[nodiscard]] std::optional<std::string> seal_part(const std::string& folder,
                                                   const std::string& part, std::int64_t end_us);

class PartFiles {
 public:
  static constexpr std::uint64_t bytes_max_default = 64U << 20U;

  // `deliverer` outlives this. Parts lie below `folder`; one of `bytes_max` does not wait for the
  // end of its interval.
  PartFiles(std::string folder, ObjectNames names, Deliverer& deliverer,
            std::uint64_t bytes_max = bytes_max_default)
      : folder_(std::move(folder)),
        names_(std::move(names)),
        deliverer_(deliverer),
        bytes_max_(bytes_max) {}
  ~PartFiles() { seal_all(); }
  PartFiles(const PartFiles&) = delete;
  PartFiles& operator=(const PartFiles&) = delete;

  // Kept until write().
  void add(std::string_view node_ip, std::string_view line);
  [[nodiscard]] std::size_t bytes_kept() const { return bytes_kept_; }
  // Seals what is due and writes the lines; those that cannot be written are lost.
  Status write(std::int64_t wall_us);
  void seal_all();

 private:
  struct Part {
    std::string name;
    std::string lines;
    Fd file;
    std::uint64_t bytes = 0;
    std::int64_t end_us = 0;  // of its interval
  };

  void seal(Part& part);
  Status append(Part& part, std::int64_t wall_us);

  const std::string folder_;
  const ObjectNames names_;
  Deliverer& deliverer_;
  const std::uint64_t bytes_max_;
  std::map<std::string, Part, std::less<>> parts_;  // by node
  std::size_t bytes_kept_ = 0;
};

}  // namespace weir::telemetry
