// What a head costs to parse and to write again. Figures to hold: the common request (GET, 5–15
// headers, 200–700 bytes) well under 500 ns, without allocation once warm.
//
//   ninja bench_http_parser && tests/bench/bench_http_parser
#include <benchmark/benchmark.h>

#include <string>

#include "http/parser.hpp"
#include "http/writer.hpp"

namespace weir::http {
namespace {

const std::string wrk_request =
    "GET /cluster1 HTTP/1.1\r\nHost: lb-1234567890.us-east-1.elb.localhost\r\n\r\n";

const std::string curl_request =
    "GET /cluster1?instance=2 HTTP/1.1\r\nHost: lb-1234567890.us-east-1.elb.localhost\r\n"
    "User-Agent: curl/7.88.1\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Connection: keep-alive\r\n\r\n";

const std::string browser_request =
    "GET /cluster2/items?page=3&sort=price HTTP/1.1\r\n"
    "Host: lb-1234567890.us-east-1.elb.localhost\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: none\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Cookie: session=2f1e0d9c8b7a69584736251403f2e1d0; theme=dark\r\n\r\n";

const std::string post_request =
    "POST /cluster1/orders HTTP/1.1\r\nHost: lb-1234567890.us-east-1.elb.localhost\r\n"
    "User-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"
    "Connection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: 120\r\n\r\n";

const std::string app_response =
    "HTTP/1.1 200 OK\r\nServer: Werkzeug/3.0.1 Python/3.11.2\r\n"
    "Date: Mon, 24 Nov 2025 10:00:00 GMT\r\nContent-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 52\r\n\r\n";

void parse_request(benchmark::State& state, const std::string& bytes) {
  RequestParser parser;
  RequestHead head;
  for (auto _ : state) {
    parser.restart();
    benchmark::DoNotOptimize(parser.parse(bytes, head));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes.size()));
}

void parse_response(benchmark::State& state) {
  ResponseParser parser;
  ResponseHead head;
  for (auto _ : state) {
    parser.restart();
    benchmark::DoNotOptimize(parser.parse(app_response, Method::get, head));
    benchmark::ClobberMemory();
  }
}

// Byte by byte: the worst case of the incremental scan.
void parse_request_by_bytes(benchmark::State& state) {
  RequestParser parser;
  RequestHead head;
  const std::string_view bytes = browser_request;
  for (auto _ : state) {
    parser.restart();
    for (std::size_t size = 1; size <= bytes.size(); ++size) {
      benchmark::DoNotOptimize(parser.parse(bytes.substr(0, size), head));
    }
  }
}

void write_headers(benchmark::State& state) {
  RequestParser parser;
  RequestHead head;
  parser.parse(browser_request, head);
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_headers(out, std::span<const Header>(head.headers), is_end_to_end);
    benchmark::DoNotOptimize(out.data());
  }
}

void decode_chunks(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 16; ++i) body += "1000\r\n" + std::string(4096, 'x') + "\r\n";
  body += "0\r\n\r\n";
  ChunkedDecoder decoder;
  for (auto _ : state) {
    decoder.restart();
    std::string_view rest = body;
    while (true) {
      const ChunkedDecoder::Step step = decoder.step(rest);
      benchmark::DoNotOptimize(step.content.data());
      rest.remove_prefix(step.consumed);
      if (step.state != ParseState::need_more) break;
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}

BENCHMARK_CAPTURE(parse_request, wrk, wrk_request);
BENCHMARK_CAPTURE(parse_request, curl, curl_request);
BENCHMARK_CAPTURE(parse_request, browser, browser_request);
BENCHMARK_CAPTURE(parse_request, post, post_request);
BENCHMARK(parse_response);
BENCHMARK(parse_request_by_bytes);
BENCHMARK(write_headers);
BENCHMARK(decode_chunks);

}  // namespace
}  // namespace weir::http

BENCHMARK_MAIN();
