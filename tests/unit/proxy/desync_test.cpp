// Desync mitigation over the wire (reference §6): each reason and each published smuggling category
// in all three modes. Behind every request another one is sent ahead: whether it is answered tells
// whether the connection stayed open. The target reads strictly and records what it was sent, byte
// by byte, so that a request which it might read as two, or as another one, shows.
#include <condition_variable>

#include "data_plane_fixture.hpp"
#include "http/parser.hpp"
#include "telemetry/totals.hpp"

namespace weir::proxy {
namespace {

using http::DesyncClass;
using http::DesyncReason;
using http::ParseState;
using telemetry::OfBalancer;
using testing::ElementsAre;
using testing::IsEmpty;

// Reads one connection's requests; `rest` is what has come of the next one.
class StrictReader {
 public:
  // The complete requests that `bytes` bring.
  std::vector<std::string> take(std::string_view bytes) {
    held_ += bytes;
    std::vector<std::string> requests;
    for (std::size_t size = complete(); size > 0; size = complete()) {
      requests.push_back(held_.substr(0, size));
      held_.erase(0, size);
    }
    return requests;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::size_t complete() {
    http::RequestParser parser;
    http::RequestHead head;
    const ParseState state = parser.parse(held_, head);
    if (state == ParseState::refused) problem_ = std::string(parser.detail()) + ": " + held_;
    if (state != ParseState::done) return 0;
    const std::string_view body = std::string_view(held_).substr(head.head_bytes);
    if (head.framing == http::Framing::chunked) return complete_chunked(head.head_bytes, body);
    if (body.size() < head.content_length) return 0;
    return head.head_bytes + static_cast<std::size_t>(head.content_length);
  }
  std::size_t complete_chunked(std::size_t head_bytes, std::string_view body) {
    http::ChunkedDecoder decoder;
    std::size_t at = 0;
    while (at < body.size()) {
      const auto step = decoder.step(body.substr(at));
      at += step.consumed;
      if (step.state == ParseState::done) return head_bytes + at;
      if (step.state == ParseState::refused) {
        problem_ = std::string(decoder.detail()) + ": " + held_;
        return 0;
      }
    }
    return 0;
  }

  std::string held_;
  std::string problem_;
};

// Without the lines that the load balancer adds to every request.
std::string without_our_lines(std::string request) {
  for (const char* name :
       {"X-Forwarded-For: ", "X-Forwarded-Proto: ", "X-Forwarded-Port: ", "X-Amzn-Trace-Id: "}) {
    const auto at = request.find(name);
    if (at != std::string::npos) request.erase(at, request.find("\r\n", at) + 2 - at);
  }
  return request;
}

class Recorder {
 public:
  TestTarget::Handler handler() {
    return [this](Connection& connection) {
      StrictReader reader;
      for (std::string bytes = connection.read_some(); !bytes.empty();
           bytes = connection.read_some()) {
        const auto requests = reader.take(bytes);
        note(requests, reader.problem());
        for (std::size_t i = 0; i < requests.size(); ++i) connection.send(ok);
      }
      const std::lock_guard lock(mutex_);
      ++ended_;
      changed_.notify_all();
    };
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }
  std::string problem() {
    const std::lock_guard lock(mutex_);
    return problem_;
  }
  bool wait_for_ends(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return ended_ >= count; });
  }

 private:
  void note(const std::vector<std::string>& requests, const std::string& problem) {
    const std::lock_guard lock(mutex_);
    for (const std::string& request : requests) requests_.push_back(without_our_lines(request));
    if (!problem.empty()) problem_ = problem;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> requests_;
  std::string problem_;
  int ended_ = 0;
};

struct Case {
  std::string about;
  std::string request;
  DesyncReason reason = DesyncReason::none;
  std::string forwarded;  // what the target gets where it is let through
  int refused = 0;        // in every mode, with this status
  bool ends = false;      // the connection, in every mode (RFC 9112 §6.1)
};

std::string bytes(const char* text, std::size_t size) { return {text, size}; }

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
const std::string chunks = "5\r\nhello\r\n0\r\n\r\n";
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string five = "Content-Length: 5\r\n";
const std::string posted_chunks = post + chunked + "\r\n" + chunks;

Case refused(std::string about, std::string request, DesyncReason reason, int status = 400) {
  return {std::move(about), std::move(request), reason, "", status, true};
}

std::vector<Case> compliant() {
  return {
      {"GET", get + "\r\n", {}, get + "\r\n"},
      {"Content-Length", post + five + "\r\nhello", {}, post + five + "\r\nhello"},
      {"chunked", posted_chunks, {}, posted_chunks},
      {"chunk extensions go no further",
       post + chunked + "\r\n5;a=b\r\nhello\r\n0;c\r\n\r\n",
       {},
       posted_chunks},
      {"leading zeros of a chunk size go no further",
       post + chunked + "\r\n0005\r\nhello\r\n000\r\n\r\n",
       {},
       posted_chunks},
      {"CL.0: what follows an empty body is the next request",
       post + "Content-Length: 0\r\n\r\n",
       {},
       post + "Content-Length: 0\r\n\r\n"},
      {"Connection names Content-Length",
       post + "Connection: Content-Length\r\n" + five + "\r\nhello",
       {},
       post + five + "\r\nhello"},
      {"Connection names Transfer-Encoding",
       post + "Connection: Transfer-Encoding\r\n" + chunked + "\r\n" + chunks,
       {},
       posted_chunks},
      {"Connection names Host", get + "Connection: Host\r\n\r\n", {}, get + "\r\n"},
      {"h2c upgrade",
       get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
       {},
       get + "\r\n"},
      {"absolute form",
       "GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n",
       {},
       "GET /c HTTP/1.1\r\nHost: b\r\n\r\n"},
  };
}

std::vector<Case> acceptable() {
  using enum DesyncReason;
  return {
      {"GET of length 0", get + "Content-Length: 0\r\n\r\n", get_head_zero_content_length,
       get + "Content-Length: 0\r\n\r\n"},
      {"control character in a value", get + "X: a\x01z\r\n\r\n", non_compliant_header,
       get + "X: a\x01z\r\n\r\n"},
      {"space in a name", get + "X Y: z\r\n\r\n", non_compliant_header, get + "\r\n"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", non_compliant_version, get + "\r\n"},
      {"space in the URI", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", space_in_uri,
       "GET /a%20b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", non_crlf_line_termination, get + "\r\n"},
      {"bare LF within a head", get + "X: y\nZ: z\r\n\r\n", non_crlf_line_termination,
       get + "X: y\r\nZ: z\r\n\r\n"},
  };
}

std::vector<Case> look_alikes() {
  std::vector<Case> cases;
  for (const char* name : {"Transfer_Encoding", "TransferEncoding", "Transfer-Encoding-",
                           "Transfer Encoding", "\x0bTransfer-Encoding", "Transfer-Encoding\x0b",
                           "Tran\xc5\xbf"
                           "fer-Encoding",
                           "\"Transfer-Encoding\"", "Transfer.Encoding"}) {
    cases.push_back({std::string("TE.0, ") + name, post + name + ": chunked\r\n\r\n",
                     DesyncReason::suspicious_header, post + "\r\n"});
    cases.push_back({std::string("CL.TE, ") + name, post + five + name + ": chunked\r\n\r\nhello",
                     DesyncReason::suspicious_te_cl_present, post + five + "\r\nhello"});
  }
  for (const char* name : {"Content_Length", "ContentLength",
                           "\x0b"
                           "Content-Length"}) {
    cases.push_back({std::string("CL.0, ") + name, post + name + ": 5\r\n\r\n",
                     DesyncReason::suspicious_header, post + "\r\n"});
    cases.push_back({std::string("TE.CL, ") + name,
                     post + name + ": 5\r\n" + chunked + "\r\n" + chunks,
                     DesyncReason::suspicious_te_cl_present, posted_chunks});
  }
  return cases;
}

std::vector<Case> ambiguous() {
  using enum DesyncReason;
  return {
      {"tab in the URI", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", ambiguous_uri,
       "GET /a%09b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"CL.TE", post + five + chunked + "\r\n" + chunks, both_te_cl_present, posted_chunks, 0,
       true},
      {"TE.CL", post + chunked + five + "\r\n" + chunks, both_te_cl_present, posted_chunks, 0,
       true},
      {"CL.TE, letter case",
       post + "content-length: 5\r\ntRANSFER-eNCODING: Chunked\r\n\r\n" + chunks,
       both_te_cl_present, posted_chunks, 0, true},
      {"equal lengths", post + five + five + "\r\nhello", duplicate_content_length,
       post + five + "\r\nhello"},
      {"no name", get + ": x\r\n\r\n", empty_header, get + "\r\n"},
      {"line of spaces", get + "X: y\r\n  \r\n\r\n", empty_header, get + "X: y\r\n\r\n"},
      {"0.CL: body of a GET", get + five + "\r\nhello", undefined_content_length_semantics,
       get + five + "\r\nhello"},
      {"chunked GET", get + chunked + "\r\n" + chunks, undefined_transfer_encoding_semantics,
       get + chunked + "\r\n" + chunks},
      {"chunked HTTP/1.0",
       "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n" + chunked + "\r\n" + chunks,
       undefined_transfer_encoding_semantics, posted_chunks, 0, true},
      {"folded value", get + "X: y\r\n z\r\n\r\n", multiline_header, get + "X: y\r\nz: \r\n\r\n"},
      {"folded Transfer-Encoding behind another header",
       post + "X: y\r\n Transfer-Encoding: chunked\r\n\r\n", multiline_header,
       post + "X: y\r\n\r\n"},
      {"no colon", get + "Xy\r\n\r\n", missing_header_colon, get + "Xy: \r\n\r\n"},
      {"Transfer-Encoding without colon", post + "Transfer-Encoding\r\n\r\n", missing_header_colon,
       post + "\r\n"},
  };
}

std::vector<Case> severe() {
  using enum DesyncReason;
  std::vector<Case> cases = {
      {"method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", bad_method,
       "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"folded Transfer-Encoding beside Content-Length",
       post + five + "X: y\r\n Transfer-Encoding: chunked\r\n\r\nhello", suspicious_te_cl_present,
       post + five + "X: y\r\n\r\nhello"},
      refused("NUL in a value", get + bytes("X: a\0b\r\n\r\n", 10), bad_header),
      refused("CR in a value", get + "X: a\rY: b\r\n\r\n", bad_header),
      refused("CR in front of Transfer-Encoding",
              post + five + "X: a\rTransfer-Encoding: chunked\r\n\r\nhello", bad_header),
      refused("CR CR LF", get + "X: y\r\r\n\r\n", bad_header),
      refused("method with a tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", bad_method),
      refused("NUL in the URI", bytes("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), bad_uri),
      refused("CR in the URI", "GET /\rb HTTP/1.1\r\nHost: a\r\n\r\n", bad_uri),
      refused("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", bad_version, 505),
      refused("version that is none", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", bad_version),
      refused("two versions", "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", bad_version),
      refused("different lengths", post + five + "Content-Length: 6\r\n\r\nhello",
              multiple_content_length),
      refused("different lengths in a list", post + "Content-Length: 5, 6\r\n\r\nhello",
              multiple_content_length),
      refused("chunked twice", post + chunked + chunked + "\r\n" + chunks,
              multiple_transfer_encoding_chunked),
      refused("TE.TE, chunked twice in a list",
              post + "Transfer-Encoding: chunked, chunked\r\n\r\n" + chunks,
              multiple_transfer_encoding_chunked),
  };
  for (const char* value : {"x", "-5", "+5", "0x5", "5x", "5 5", "1e1", "5.0", "\"5\"", "",
                            "18446744073709551616", "\xd9\xa5"}) {
    cases.push_back(refused(std::string("Content-Length: ") + value,
                            post + "Content-Length: " + value + "\r\n\r\nhello",
                            bad_content_length));
  }
  for (const char* value : {"chunked, x", "\"chunked\"",
                            "\x0b"
                            "chunked",
                            "chunked\x0b"}) {
    cases.push_back(refused(std::string("TE.TE, ") + value,
                            post + five + "Transfer-Encoding: " + value + "\r\n\r\nhello",
                            bad_transfer_encoding));
  }
  // Well-formed codings that nobody knows: 501 (reference §5.9).
  for (const char* value : {"xchunked", "chunkedx", "cow", "x, chunked"}) {
    cases.push_back(refused(std::string("TE.TE, ") + value,
                            post + five + "Transfer-Encoding: " + value + "\r\n\r\nhello",
                            bad_transfer_encoding, 501));
  }
  return cases;
}

// Refused although the class alone would let them through: no two parsers agree on them.
std::vector<Case> refused_in_every_mode() {
  using enum DesyncReason;
  return {
      refused("space before the colon of Transfer-Encoding",
              post + five + "Transfer-Encoding : chunked\r\n\r\nhello", suspicious_header),
      refused("tab before the colon of Content-Length", post + "Content-Length\t: 5\r\n\r\nhello",
              suspicious_header),
      refused("space before the colon of Host", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
              non_compliant_header),
      refused("folded Transfer-Encoding", post + "Transfer-Encoding:\r\n chunked\r\n\r\n" + chunks,
              // Its first line has no value, the second is judged by itself.
              bad_transfer_encoding),
      refused("folded Content-Length", post + "Content-Length: 5\r\n 0\r\n\r\nhello",
              multiline_header),
      refused("0.CL: Content-Length hidden by a leading space",
              "POST / HTTP/1.1\r\n Content-Length: 5\r\nHost: a\r\n\r\nhello", multiline_header),
      refused("no URI", "GET HTTP/1.1\r\nHost: a\r\n\r\n", missing_uri),
      refused("two hosts", get + "Host: b\r\n\r\n", none),
      refused("a coding that is not undone", post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
              none, 501),
      refused("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", none, 405),
      refused("too long a request line", "GET /" + std::string(17000, 'a') + " HTTP/1.1\r\n\r\n",
              none, 414),
  };
}

// The head is forwarded; the body ends the request before it was a whole one.
std::vector<std::string> malformed_chunks() {
  return {"0x5\r\nhello\r\n0\r\n\r\n",
          "-5\r\nhello\r\n0\r\n\r\n",
          "+5\r\nhello\r\n0\r\n\r\n",
          " 5\r\nhello\r\n0\r\n\r\n",
          "5 \r\nhello\r\n0\r\n\r\n",
          "5\nhello\r\n0\r\n\r\n",
          "5\rhello\r\n0\r\n\r\n",
          "5\r\nhello0\r\n\r\n",
          "5\r\nhello\n0\r\n\r\n",
          "5\r\nhelloworld\r\n0\r\n\r\n",
          "\r\n5\r\nhello\r\n0\r\n\r\n",
          "00000000000000005\r\nhello\r\n0\r\n\r\n",
          "10000000000000000\r\nhello\r\n0\r\n\r\n",
          "5;a\nb\r\nhello\r\n0\r\n\r\n",
          bytes("5;\0\r\nhello\r\n0\r\n\r\n", 17),
          "5;" + std::string(300, 'a') + "\r\nhello\r\n0\r\n\r\n",
          "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
          "5\r\nhello\r\n0\r\nTransfer_Encoding: chunked\r\n\r\n",
          "5\r\nhello\r\n0\r\nHost: b\r\n\r\n",
          "5\r\nhello\r\n0\r\n X: y\r\n\r\n",
          "5\r\nhello\r\n0\r\n\n"};
}

enum class Mode { monitor, defensive, strictest };
const char* name_of(Mode mode) {
  return mode == Mode::monitor ? "monitor" : mode == Mode::defensive ? "defensive" : "strictest";
}

// Reference §6.1.
bool is_blocked(Mode mode, DesyncClass desync_class) {
  if (mode == Mode::monitor) return false;
  return mode == Mode::strictest ? desync_class != DesyncClass::compliant
                                 : desync_class == DesyncClass::severe;
}

const std::string next_request = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const std::string next_forwarded = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

std::vector<int> statuses(std::string_view answers) {
  std::vector<int> out;
  constexpr std::string_view start = "HTTP/1.1 ";
  for (auto at = answers.find(start); at != std::string_view::npos;
       at = answers.find(start, at + 1))
    out.push_back(std::atoi(std::string(answers.substr(at + start.size(), 3)).c_str()));
  return out;
}

class DesyncTest : public DataPlaneTest {
 protected:
  void use(Mode mode, const TestTarget& target) {
    set_attribute("routing.http.desync_mitigation_mode", name_of(mode));
    targets_.clear();
    serve(target);
  }
  // After the request under way: taking a snapshot waits for the worker's turn.
  std::uint64_t count(OfBalancer which) {
    apply();
    return ledger().totals().balancer("lb").counts[which];
  }
  void check(const Case& each, Mode mode, Recorder& recorder) {
    SCOPED_TRACE(std::string(name_of(mode)) + ": " + each.about);
    const DesyncClass desync_class = http::desync_class_of(each.reason);
    const bool is_let_through = each.refused == 0 && !is_blocked(mode, desync_class);
    const bool stays_open = is_let_through && !each.ends &&
                            !(mode == Mode::defensive && desync_class == DesyncClass::ambiguous);
    const auto counted = count(OfBalancer::desync_non_compliant);
    const auto own_errors = count(OfBalancer::elb_4xx) + count(OfBalancer::elb_5xx);
    auto client = connect();
    client.send(each.request + next_request);
    std::vector<int> expected{is_let_through ? 200 : each.refused != 0 ? each.refused : 400};
    if (stays_open) expected.push_back(200);
    EXPECT_EQ(statuses(client.read_to_end()), expected);
    std::vector<std::string> forwarded;
    if (is_let_through) forwarded.push_back(each.forwarded);
    if (stays_open) forwarded.push_back(next_forwarded);
    EXPECT_EQ(recorder.take(), forwarded);
    EXPECT_EQ(count(OfBalancer::desync_non_compliant) - counted,
              desync_class == DesyncClass::compliant ? 0U : 1U);
    EXPECT_EQ(count(OfBalancer::elb_4xx) + count(OfBalancer::elb_5xx) - own_errors,
              is_let_through ? 0U : 1U);
  }
  void check_all(const std::vector<Case>& cases) {
    Recorder recorder;
    TestTarget target(recorder.handler());
    for (const Mode mode : {Mode::monitor, Mode::defensive, Mode::strictest}) {
      use(mode, target);
      for (const Case& each : cases) check(each, mode, recorder);
    }
    EXPECT_EQ(recorder.problem(), "");
  }
};

TEST_P(DesyncTest, Compliant) { check_all(compliant()); }
TEST_P(DesyncTest, Acceptable) { check_all(acceptable()); }
TEST_P(DesyncTest, Ambiguous) { check_all(ambiguous()); }
TEST_P(DesyncTest, LookAlikes) { check_all(look_alikes()); }
TEST_P(DesyncTest, Severe) { check_all(severe()); }
TEST_P(DesyncTest, RefusedInEveryMode) { check_all(refused_in_every_mode()); }

TEST_P(DesyncTest, MalformedChunksAreNeverAWholeRequest) {
  Recorder recorder;
  TestTarget target(recorder.handler());
  use(Mode::monitor, target);
  int ends = 0;
  for (const std::string& body : malformed_chunks()) {
    SCOPED_TRACE(body);
    auto client = connect();
    client.send(post + chunked + "\r\n" + body + next_request);
    EXPECT_THAT(statuses(client.read_to_end()), ElementsAre(400));
    // The target takes connections in order: with this answer the first one has been taken.
    EXPECT_THAT(statuses(ask(next_request)), ElementsAre(200));
    ends += 1;
    EXPECT_TRUE(recorder.wait_for_ends(ends));
    EXPECT_THAT(recorder.take(), ElementsAre(next_forwarded));
    // The kept connection ends, so that the next round is on a new one.
    targets_.clear();
    apply();
    ends += 1;
    EXPECT_TRUE(recorder.wait_for_ends(ends));
    serve(target);
  }
  EXPECT_EQ(recorder.problem(), "");
}

TEST_P(DesyncTest, Http09IsItsLineAndNothingElse) {
  Recorder recorder;
  TestTarget target(recorder.handler());
  use(Mode::defensive, target);
  EXPECT_EQ(ask("GET /a\r\nHost: b\r\n" + next_request), "ok");
  EXPECT_THAT(recorder.take(),
              ElementsAre("GET /a HTTP/1.1\r\nHost: web-1.us-east-1.elb.localhost\r\n\r\n"));
  use(Mode::strictest, target);
  ask("GET /a\r\n" + next_request);
  EXPECT_THAT(recorder.take(), IsEmpty());
}

TEST_P(DesyncTest, ATargetsConnectionEndsWithAnAmbiguousRequest) {
  Recorder recorder;
  TestTarget target(recorder.handler());
  use(Mode::defensive, target);
  ask(get + five + "\r\nhello");
  EXPECT_TRUE(recorder.wait_for_ends(1));
  ask(get + "\r\n");
  EXPECT_EQ(target.connections(), 2);
}

INSTANTIATE_TEST_SUITE_P(, DesyncTest, testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace weir::proxy
