// weir.mirror.*: a copy of a request to a target of another group; nobody waits for its answer.
//
// The copy gets the bytes that the target gets, as they are sent, on a connection of its own that
// ends with it. It never holds the request back: what its target does not take waits in its queue,
// and where that is over queued_bytes_high, or where too many copies are under way, there is no
// copy, or no whole one. Of the answer only the end is looked for.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/parser.hpp"
#include "net/loop.hpp"
#include "proxy/byte_window.hpp"
#include "proxy/serving.hpp"

namespace weir::proxy {

class Worker;

class MirrorCopy final : public net::StreamEvents {
 public:
  // `holder` is the place where the exchange keeps this copy; it is emptied when the copy ends
  // first.
  MirrorCopy(Worker& worker, http::Method method, MirrorCopy*& holder);

  void open(Fd socket, const net::Address& to);
  void send(std::string_view bytes);
  // The exchange is over and lets go; a copy of a request that did not come to its end is cut.
  void let_go(bool is_whole);

  std::size_t slot = 0;

 private:
  enum class Answer : std::uint8_t { head, length, chunked, until_close };

  void on_received(net::Buffer data) override;
  void on_end() override { close(); }
  void on_error(int) override { close(); }
  // The answer's head, where it is whole. False: the copy is over.
  [[nodiscard]] bool take_head();
  // Whether more of the answer's body is to come.
  [[nodiscard]] bool skip_body(std::string_view bytes);
  void close();

  Worker& worker_;
  MirrorCopy** holder_;
  net::Stream* stream_ = nullptr;
  net::Timer timer_;
  ByteWindow window_;
  http::ResponseParser parser_;
  http::ChunkedDecoder decoder_;
  std::uint64_t left_ = 0;
  http::Method method_;
  Answer answer_ = Answer::head;
};

// Whose copy it is: what Exchange knows of its request.
struct MirrorFacts {
  const routing::LoadBalancer& load_balancer;
  std::uint64_t client_number = 0;
  http::Method method = http::Method::get;
};

// Begins a copy where it is this request's turn by the group's percentage, and keeps it in
// `holder`. False: there is none.
[[nodiscard]] bool mirror(Worker& worker, Serving& serving, std::uint32_t group,
                          const MirrorFacts& facts, std::string_view head, MirrorCopy*& holder);

}  // namespace weir::proxy
