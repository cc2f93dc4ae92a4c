// The floor: copies bytes between each client and a connection of its own to the back end, parses
// nothing. What a proxy costs above it is what its work costs.
//
// The cheapest loop that io_uring gives: one thread, single issuer with deferred task running, one
// submit a turn, multishot accept and receive, provided buffers that are sent on without a copy,
// direct descriptors alone (client in slot n, its target in slot n + pairs).
//
// A send is tried with MSG_DONTWAIT | MSG_WAITALL and tells nothing when it took everything: it has
// then ended within the submit, and its buffers are free. Otherwise a completion says how much went
// out; that direction then waits for the socket, and what arrives meanwhile queues behind. A
// direction has at most one such send a turn, made of all that the turn brought, so none can
// overtake another. Refusals are looked at first in each turn, before anything new is queued.
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "support.hpp"

namespace weir::bench {
namespace {

constexpr std::size_t pairs_max = 9'000;
constexpr unsigned submission_entries = 4096;
constexpr unsigned completion_entries = 32'768;
constexpr unsigned pieces_a_send = 16;
// A direction with so much queued stops receiving; it goes on when all of it has gone out.
constexpr unsigned pieces_queued_max = 32;
constexpr std::uint16_t no_piece = 0xffff;

// In the kernel since 6.7, not in liburing 2.3: setsockopt on a direct descriptor.
constexpr std::uint32_t socket_op_setsockopt = 3;

enum class Op : std::uint8_t {
  accept,
  make_target,
  set_option,
  connect,
  receive,
  send_now,
  send_later,
  other
};

constexpr std::uint64_t tag(Op op, std::size_t pair = 0, unsigned side = 0) {
  return std::uint64_t{static_cast<std::uint8_t>(op)} | std::uint64_t{side} << 8 |
         static_cast<std::uint64_t>(pair) << 16;
}
constexpr unsigned client_side = 0;
constexpr unsigned target_side = 1;

// The bytes from one side to the other: a list of provided buffers.
struct Direction {
  std::uint16_t first = no_piece;
  std::uint16_t last = no_piece;
  std::uint16_t queued = 0;   // pieces
  std::uint16_t sending = 0;  // of them, in the send that is under way
  bool is_marked = false;     // is in `to_flush_`
  bool is_receiving = false;
  bool is_stopping = false;       // its receive is being cancelled
  bool waits_for_socket = false;  // a send_later is under way
  bool has_ended = false;         // the sender closed
  msghdr message{};
  std::array<iovec, pieces_a_send> pieces{};
};

struct Pair {
  std::array<Direction, 2> from;  // from[client_side]: client to target
  bool is_ending = false;         // waits for the kernel to let go of it
  bool is_open = false;
};

struct Piece {
  std::uint16_t next = no_piece;
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

class Relay {
 public:
  Relay(std::uint16_t port, std::uint16_t target_port, unsigned buffers, std::size_t buffer_bytes)
      : pair_count_(std::min(pairs_max, (raise_descriptor_limit() - 64) / 2)),
        buffers_(buffers),
        buffer_bytes_(buffer_bytes),
        pieces_(buffers),
        pairs_(pair_count_) {
    target_.sin_family = AF_INET;
    target_.sin_port = htons(target_port);
    target_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = listen_on_loopback(port, false);
    set_up_ring();
    set_up_buffers();
    arm_accept();
    announce(port_of(listener_.get()));
  }

  [[noreturn]] void run() {
    for (;;) {
      const int result = io_uring_submit_and_wait(&ring_, is_unfinished_ ? 0 : 1);
      is_unfinished_ = false;
      if (result < 0 && result != -EINTR && result != -EBUSY) {
        errno = -result;
        die("io_uring_submit_and_wait");
      }
      take_refusals();
      settle_sends();
      take_completions();
      flush();
    }
  }

 private:
  // ------------------------------------------------------------ set-up
  void check(int result, const char* what) {
    if (result >= 0) return;
    errno = -result;
    die(what);
  }

  void set_up_ring() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = completion_entries;
    check(io_uring_queue_init_params(submission_entries, &ring_, &params), "io_uring");
    check(io_uring_register_ring_fd(&ring_), "registering the ring");
    const auto slots = static_cast<unsigned>(2 * pair_count_);
    check(io_uring_register_files_sparse(&ring_, slots), "the table of direct descriptors");
    check(io_uring_register_file_alloc_range(&ring_, 0, slots / 2), "the range of accepted slots");
  }

  void set_up_buffers() {
    const std::size_t ring_bytes = buffers_ * sizeof(io_uring_buf);
    memory_ = static_cast<char*>(map(buffers_ * buffer_bytes_));
    buffer_ring_ = static_cast<io_uring_buf_ring*>(map(ring_bytes));
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_);
    reg.ring_entries = buffers_;
    check(io_uring_register_buf_ring(&ring_, &reg, 0), "the ring of buffers");
    io_uring_buf_ring_init(buffer_ring_);
    for (unsigned i = 0; i < buffers_; ++i) give_back(static_cast<std::uint16_t>(i));
    publish_buffers();
  }

  static void* map(std::size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    return memory;
  }

  // ------------------------------------------------------------ submissions
  io_uring_sqe* submission() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) {
      check(io_uring_submit(&ring_), "io_uring_submit");
      sqe = io_uring_get_sqe(&ring_);
    }
    return sqe;
  }

  static void finish(io_uring_sqe* sqe, std::uint64_t data, unsigned flags) {
    io_uring_sqe_set_data64(sqe, data);
    sqe->flags = static_cast<std::uint8_t>(sqe->flags | flags);
  }

  [[nodiscard]] int slot(std::size_t pair, unsigned side) const {
    return static_cast<int>(side == client_side ? pair : pair + pair_count_);
  }

  void arm_accept() {
    io_uring_sqe* sqe = submission();
    io_uring_prep_multishot_accept_direct(sqe, listener_.get(), nullptr, nullptr, 0);
    finish(sqe, tag(Op::accept), 0);
  }

  // socket → setsockopt → connect, one chain. The hard link lets a kernel without the option go on.
  void connect_target(std::size_t pair) {
    const int target = slot(pair, target_side);
    reserve(3);
    io_uring_sqe* sqe = submission();
    io_uring_prep_socket_direct(sqe, AF_INET, SOCK_STREAM, 0, static_cast<unsigned>(target), 0);
    finish(sqe, tag(Op::make_target, pair), IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
    sqe = submission();
    io_uring_prep_nop(sqe);
    sqe->opcode = IORING_OP_URING_CMD;
    sqe->fd = target;
    sqe->cmd_op = socket_op_setsockopt;
    sqe->addr = std::uint64_t{IPPROTO_TCP} | std::uint64_t{TCP_NODELAY} << 32;  // level, option
    sqe->splice_fd_in = sizeof on_;                                             // optlen
    sqe->addr3 = reinterpret_cast<std::uintptr_t>(&on_);                        // optval
    finish(sqe, tag(Op::set_option, pair),
           IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS);
    sqe = submission();
    io_uring_prep_connect(sqe, target, reinterpret_cast<sockaddr*>(&target_), sizeof target_);
    finish(sqe, tag(Op::connect, pair), IOSQE_FIXED_FILE);
  }

  // A chain must not be torn by a submit in its middle.
  void reserve(unsigned count) {
    if (io_uring_sq_space_left(&ring_) < count) check(io_uring_submit(&ring_), "io_uring_submit");
  }

  void receive(std::size_t pair, unsigned side) {
    io_uring_sqe* sqe = submission();
    io_uring_prep_recv_multishot(sqe, slot(pair, side), nullptr, 0, 0);
    sqe->buf_group = 0;
    finish(sqe, tag(Op::receive, pair, side), IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT);
    pairs_[pair].from[side].is_receiving = true;
    pairs_[pair].from[side].is_stopping = false;
  }

  void stop_receiving(std::size_t pair, unsigned side) {
    cancel(tag(Op::receive, pair, side));
    pairs_[pair].from[side].is_stopping = true;
  }

  void cancel(std::uint64_t data) {
    io_uring_sqe* sqe = submission();
    io_uring_prep_cancel64(sqe, data, 0);
    finish(sqe, tag(Op::other), IOSQE_CQE_SKIP_SUCCESS);
  }

  // Sends what is queued from `side` to the other one, as far as one send holds it.
  void send(std::size_t pair, unsigned side, Op op, int flags) {
    Direction& direction = pairs_[pair].from[side];
    const int to = slot(pair, 1 - side);
    io_uring_sqe* sqe = submission();
    unsigned count = 0;
    for (std::uint16_t i = direction.first; i != no_piece && count < pieces_a_send;
         i = pieces_[i].next) {
      direction.pieces[count++] = {address(i) + pieces_[i].offset, pieces_[i].bytes};
    }
    direction.sending = static_cast<std::uint16_t>(count);
    const unsigned all_flags = static_cast<unsigned>(flags | MSG_WAITALL | MSG_NOSIGNAL);
    if (count == 1) {
      io_uring_prep_send(sqe, to, direction.pieces[0].iov_base, direction.pieces[0].iov_len,
                         static_cast<int>(all_flags));
    } else {
      direction.message = {};
      direction.message.msg_iov = direction.pieces.data();
      direction.message.msg_iovlen = count;
      io_uring_prep_sendmsg(sqe, to, &direction.message, all_flags);
    }
    const unsigned skip = op == Op::send_now ? IOSQE_CQE_SKIP_SUCCESS : 0U;
    finish(sqe, tag(op, pair, side), IOSQE_FIXED_FILE | skip);
  }

  // ------------------------------------------------------------ buffers
  [[nodiscard]] char* address(std::uint16_t piece) const { return memory_ + piece * buffer_bytes_; }

  void give_back(std::uint16_t piece) {
    io_uring_buf_ring_add(buffer_ring_, address(piece), static_cast<unsigned>(buffer_bytes_), piece,
                          io_uring_buf_ring_mask(buffers_), static_cast<int>(unpublished_++));
  }

  void publish_buffers() {
    if (unpublished_ == 0) return;
    io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(unpublished_));
    free_buffers_ += unpublished_;
    unpublished_ = 0;
  }

  void queue(Direction& direction, std::uint16_t piece, std::uint32_t bytes) {
    pieces_[piece] = {no_piece, 0, bytes};
    if (direction.first == no_piece) {
      direction.first = piece;
    } else {
      pieces_[direction.last].next = piece;
    }
    direction.last = piece;
    ++direction.queued;
  }

  // `bytes` have gone out: frees the pieces that they fill.
  void sent(Direction& direction, std::uint64_t bytes) {
    direction.sending = 0;
    while (direction.first != no_piece && bytes > 0) {
      Piece& piece = pieces_[direction.first];
      if (bytes < piece.bytes) {
        piece.offset += static_cast<std::uint32_t>(bytes);
        piece.bytes -= static_cast<std::uint32_t>(bytes);
        return;
      }
      bytes -= piece.bytes;
      drop_first(direction);
    }
  }

  void drop_first(Direction& direction) {
    const std::uint16_t piece = direction.first;
    direction.first = pieces_[piece].next;
    --direction.queued;
    give_back(piece);
  }

  // ------------------------------------------------------------ the turn
  struct Mark {
    std::uint32_t pair;
    std::uint8_t side;
  };

  void mark(std::size_t pair, unsigned side) {
    Direction& direction = pairs_[pair].from[side];
    if (direction.is_marked) return;
    direction.is_marked = true;
    to_flush_.push_back({static_cast<std::uint32_t>(pair), static_cast<std::uint8_t>(side)});
  }

  template <typename Function>
  unsigned each_completion(Function function) {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      function(*cqe);
      ++count;
    }
    return count;
  }

  void take_refusals() {
    visible_ = each_completion([this](const io_uring_cqe& cqe) {
      if (static_cast<Op>(cqe.user_data & 0xff) != Op::send_now) return;
      const std::size_t pair = cqe.user_data >> 16;
      const auto side = static_cast<unsigned>(cqe.user_data >> 8 & 1);
      Direction& direction = pairs_[pair].from[side];
      if (cqe.res < 0 && cqe.res != -EAGAIN) end(pair);
      sent(direction, cqe.res > 0 ? static_cast<std::uint64_t>(cqe.res) : 0);
      if (pairs_[pair].is_ending) return;
      direction.waits_for_socket = true;
      send(pair, side, Op::send_later, 0);
    });
  }

  // Sends that said nothing took everything.
  void settle_sends() {
    for (const Mark& mark : sent_now_) {
      Direction& direction = pairs_[mark.pair].from[mark.side];
      if (direction.waits_for_socket) continue;
      for (; direction.sending > 0; --direction.sending) drop_first(direction);
      if (direction.first != no_piece || direction.has_ended || pairs_[mark.pair].is_ending) {
        this->mark(mark.pair, mark.side);
      }
    }
    sent_now_.clear();
    publish_buffers();
  }

  void take_completions() {
    // Those alone that take_refusals has looked at.
    unsigned left = visible_;
    while (left-- > 0) {
      io_uring_cqe* cqe = nullptr;
      if (io_uring_peek_cqe(&ring_, &cqe) != 0) break;
      const io_uring_cqe completion = *cqe;
      io_uring_cqe_seen(&ring_, cqe);
      take(completion);
    }
  }

  void take(const io_uring_cqe& cqe) {
    const std::size_t pair = cqe.user_data >> 16;
    const auto side = static_cast<unsigned>(cqe.user_data >> 8 & 1);
    switch (static_cast<Op>(cqe.user_data & 0xff)) {
      case Op::accept:
        accepted(cqe);
        break;
      case Op::make_target:
      case Op::connect:
        connected(pair, cqe.res);
        break;
      case Op::receive:
        received(pair, side, cqe);
        break;
      case Op::send_later:
        sent_later(pair, side, cqe.res);
        break;
      case Op::send_now:
      case Op::set_option:
      case Op::other:
        break;
    }
  }

  void accepted(const io_uring_cqe& cqe) {
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) arm_accept();
    if (cqe.res < 0) return;
    const auto pair = static_cast<std::size_t>(cqe.res);
    pairs_[pair] = {};
    pairs_[pair].is_open = true;
    connect_target(pair);
  }

  void connected(std::size_t pair, int result) {
    if (result < 0) {
      if (pairs_[pair].is_open) end(pair);
      return;
    }
    receive(pair, client_side);
    receive(pair, target_side);
  }

  void received(std::size_t pair, unsigned side, const io_uring_cqe& cqe) {
    Direction& direction = pairs_[pair].from[side];
    const bool has_buffer = (cqe.flags & IORING_CQE_F_BUFFER) != 0;
    if (has_buffer) --free_buffers_;
    const auto piece = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) direction.is_receiving = false;
    if (cqe.res > 0 && !pairs_[pair].is_ending) {
      queue(direction, piece, static_cast<std::uint32_t>(cqe.res));
    } else if (has_buffer) {
      give_back(piece);
    }
    if (cqe.res == 0) direction.has_ended = true;
    if (cqe.res < 0 && cqe.res != -ENOBUFS && cqe.res != -ECANCELED) end(pair);
    mark(pair, side);
  }

  void sent_later(std::size_t pair, unsigned side, int result) {
    Direction& direction = pairs_[pair].from[side];
    direction.waits_for_socket = false;
    if (result < 0) end(pair);
    sent(direction, result > 0 ? static_cast<std::uint64_t>(result) : 0);
    mark(pair, side);
  }

  void flush() {
    flushing_.swap(to_flush_);
    for (const Mark& mark : flushing_) {
      pairs_[mark.pair].from[mark.side].is_marked = false;
      flush(mark.pair, mark.side);
    }
    flushing_.clear();
    publish_buffers();
  }

  void flush(std::size_t index, unsigned side) {
    Pair& pair = pairs_[index];
    Direction& direction = pair.from[side];
    if (pair.is_ending) {
      close_when_quiet(index);
      return;
    }
    if (!pair.is_open || direction.waits_for_socket) {
      if (pair.is_open) limit(index, side);
      return;
    }
    if (direction.first != no_piece) {
      send(index, side, Op::send_now, MSG_DONTWAIT);
      sent_now_.push_back({static_cast<std::uint32_t>(index), static_cast<std::uint8_t>(side)});
      // What follows a send that tells nothing must not wait for something else to happen.
      if (direction.queued > direction.sending || direction.has_ended) is_unfinished_ = true;
    } else if (direction.has_ended) {
      end(index);
      close_when_quiet(index);
      return;
    }
    limit(index, side);
  }

  // Keeps what a direction holds bounded, and its receive going otherwise.
  void limit(std::size_t index, unsigned side) {
    Direction& direction = pairs_[index].from[side];
    if (direction.has_ended) return;
    if (direction.is_receiving) {
      if (direction.queued > pieces_queued_max && !direction.is_stopping) {
        stop_receiving(index, side);
      }
    } else if (direction.waits_for_socket && direction.queued > 0) {
      return;  // sent_later marks the direction again
    } else if (free_buffers_ > 0) {
      receive(index, side);
    } else {
      mark(index, side);
      if (!sent_now_.empty()) is_unfinished_ = true;  // whose buffers come back
    }
  }

  // ------------------------------------------------------------ ends
  // The end of one connection is that of both, once what came before it has been passed on: there
  // is no half-close, since IORING_OP_SHUTDOWN goes to a worker thread, which would find the slot
  // taken by the next connection.
  void end(std::size_t index) {
    Pair& pair = pairs_[index];
    if (pair.is_ending) return;
    pair.is_ending = true;
    for (const unsigned side : {client_side, target_side}) {
      const Direction& direction = pair.from[side];
      if (direction.is_receiving && !direction.is_stopping) stop_receiving(index, side);
      if (direction.waits_for_socket) cancel(tag(Op::send_later, index, side));
    }
    mark(index, client_side);
  }

  void close_when_quiet(std::size_t index) {
    Pair& pair = pairs_[index];
    if (!pair.is_open) return;
    for (Direction& direction : pair.from) {
      // A send that tells nothing may hold its buffers until the next turn.
      if (direction.sending > 0 && !direction.waits_for_socket) is_unfinished_ = true;
      if (direction.is_receiving || direction.waits_for_socket || direction.sending > 0) return;
    }
    for (Direction& direction : pair.from) {
      while (direction.first != no_piece) drop_first(direction);
    }
    close(index);
  }

  // The target's slot first: the client's may be taken again as soon as it is empty.
  void close(std::size_t index) {
    pairs_[index].is_open = false;
    for (const unsigned side : {target_side, client_side}) {
      io_uring_sqe* sqe = submission();
      io_uring_prep_close_direct(sqe, static_cast<unsigned>(slot(index, side)));
      finish(sqe, tag(Op::other), IOSQE_CQE_SKIP_SUCCESS);
    }
  }

  io_uring ring_{};
  Fd listener_;
  sockaddr_in target_{};
  int on_ = 1;
  std::size_t pair_count_;
  unsigned buffers_;
  std::size_t buffer_bytes_;
  char* memory_ = nullptr;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  unsigned unpublished_ = 0;        // given back, not yet shown to the kernel
  std::uint64_t free_buffers_ = 0;  // the kernel has to fill
  std::vector<Piece> pieces_;
  std::vector<Pair> pairs_;
  std::vector<Mark> to_flush_;
  std::vector<Mark> flushing_;
  std::vector<Mark> sent_now_;
  unsigned visible_ = 0;        // completions that take_refusals has seen
  bool is_unfinished_ = false;  // the next turn has work without a completion
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using weir::bench::usage_error;
  const weir::bench::Options options(argc, argv,
                                     {"port", "target-port", "buffers", "buffer-bytes"});
  const std::uint64_t buffers = options.number("buffers", 512);
  if (buffers == 0 || buffers > 32'768 || (buffers & (buffers - 1)) != 0) {
    usage_error("--buffers is a power of two up to 32768");
  }
  weir::bench::Relay(static_cast<std::uint16_t>(options.number("port", 0)),
                     static_cast<std::uint16_t>(options.number("target-port", 0)),
                     static_cast<unsigned>(buffers), options.number("buffer-bytes", 131'072))
      .run();
}
