// Records from one worker to the log's thread: a bounded ring of bytes with one producer and one
// consumer. A full ring refuses, so a worker never waits for a disk.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weir::telemetry {

class LogRing {
 public:
  static constexpr std::size_t bytes_default = 1U << 20U;

  // A power of two. The memory is taken at the first push: without a log there is none.
  explicit LogRing(std::size_t bytes = bytes_default) : capacity_(bytes) {}

  // The producer's thread. False: no room.
  [[nodiscard]] bool push(std::string_view record);
  // The consumer's thread. False: empty.
  [[nodiscard]] bool pop(std::string& record);

 private:
  void write(std::uint64_t at, std::string_view bytes);
  void read(std::uint64_t at, char* out, std::size_t bytes) const;

  std::size_t capacity_;
  std::unique_ptr<char[]> bytes_;
  // Positions only grow; each has a cache line of its own.
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> taken_{0};
};

}  // namespace weir::telemetry
