// Bytes on their way from one socket to another through a kernel pipe (splice(2)): the pages change
// hands, nothing is copied and nothing of it is our memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/fd.hpp"

namespace weir::net {

struct Pipe {
  Fd in, out;  // what goes into `in` comes out of `out`
};

// Pipes of one loop; empty ones are used again.
class PipePool {
 public:
  static constexpr std::size_t idle_max = 32;
  static constexpr std::size_t pipes_max = 1024;

  // Invalid descriptors where no pipe can be had.
  [[nodiscard]] Pipe take();
  // `is_empty` false: bytes are left in it, it is closed.
  void give_back(Pipe pipe, bool is_empty);

 private:
  std::vector<Pipe> idle_;
  std::size_t taken_ = 0;
};

class Piping {
 public:
  enum class Step : std::uint8_t {
    moved,
    source_empty,
    sink_full,
    source_ended,
    source_failed,
    sink_failed
  };
  struct Outcome {
    Step step;
    std::size_t moved = 0;
    int error = 0;
  };

  Piping(PipePool& pool, Pipe pipe, std::uint64_t bytes)
      : pool_(pool), pipe_(std::move(pipe)), left_(bytes) {}
  ~Piping() { pool_.give_back(std::move(pipe_), held_ == 0); }
  Piping(const Piping&) = delete;
  Piping& operator=(const Piping&) = delete;

  // Fills the pipe from the source if it is empty, then drains it into the sink. Sockets that do
  // not block.
  [[nodiscard]] Outcome step(int source, int sink);

  // Bytes that the sink has not got yet.
  [[nodiscard]] std::uint64_t left() const { return left_; }
  // So many have reached the sink by another way (before the first step).
  void went_by(std::size_t bytes) { left_ -= bytes; }

 private:
  PipePool& pool_;
  Pipe pipe_;
  std::uint64_t left_;
  std::size_t held_ = 0;
};

// Steps in a turn, so that one large body does not hold up the others.
inline constexpr int pipe_steps_a_turn_max = 16;

}  // namespace weir::net
