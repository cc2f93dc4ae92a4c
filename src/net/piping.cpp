#include "net/piping.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weir::net {
namespace {

// Room for more pages than the 16 of a new pipe: fewer calls for the same bytes. Where the user's
// share of pipe memory is used up a pipe keeps the size it has.
constexpr int pipe_bytes = 1'048'576;
// One call takes no more than the pipe holds anyway.
constexpr std::uint64_t fill_bytes_max = pipe_bytes;

ssize_t splice_once(int from, int to, std::size_t bytes) {
  while (true) {
    const ssize_t moved =
        ::splice(from, nullptr, to, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved >= 0 || errno != EINTR) return moved;
  }
}

}  // namespace

Pipe PipePool::take() {
  if (taken_ == pipes_max) return {};
  Pipe pipe;
  if (idle_.empty()) {
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return {};
    pipe = {Fd(ends[1]), Fd(ends[0])};
    ::fcntl(ends[1], F_SETPIPE_SZ, pipe_bytes);
  } else {
    pipe = std::move(idle_.back());
    idle_.pop_back();
  }
  ++taken_;
  return pipe;
}

void PipePool::give_back(Pipe pipe, bool is_empty) {
  --taken_;
  if (is_empty && idle_.size() < idle_max) idle_.push_back(std::move(pipe));
}

Piping::Outcome Piping::step(int source, int sink) {
  if (held_ == 0) {
    const auto wanted = static_cast<std::size_t>(std::min(left_, fill_bytes_max));
    const ssize_t filled = splice_once(source, pipe_.in.get(), wanted);
    if (filled == 0) return {Step::source_ended};
    if (filled < 0) return {errno == EAGAIN ? Step::source_empty : Step::source_failed, 0, errno};
    held_ = static_cast<std::size_t>(filled);
  }
  const ssize_t drained = splice_once(pipe_.out.get(), sink, held_);
  if (drained < 0) return {errno == EAGAIN ? Step::sink_full : Step::sink_failed, 0, errno};
  held_ -= static_cast<std::size_t>(drained);
  left_ -= static_cast<std::uint64_t>(drained);
  return {Step::moved, static_cast<std::size_t>(drained)};
}

}  // namespace weir::net
