#include "outcome.hpp"

#include <algorithm>
#include <memory>
#include <numeric>

namespace weir::http::test {
namespace {

const char* yes_no(bool value) { return value ? "yes" : "no"; }

std::string text_of(std::string_view text) { return std::string(text); }

const char* framing_name(Framing framing) {
  switch (framing) {
    case Framing::none:
      return "none";
    case Framing::content_length:
      return "content_length";
    case Framing::chunked:
      return "chunked";
    case Framing::until_close:
      return "until_close";
  }
  return "?";
}

const char* version_name(Version version) {
  switch (version) {
    case Version::http_0_9:
      return "0.9";
    case Version::http_1_0:
      return "1.0";
    case Version::http_1_1:
      return "1.1";
  }
  return "?";
}

// Bytes in memory of exactly their size.
class Exact {
 public:
  explicit Exact(std::string_view bytes)
      : size_(bytes.size()), bytes_(std::make_unique_for_overwrite<char[]>(bytes.size())) {
    std::ranges::copy(bytes, bytes_.get());
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

void add_headers(const std::vector<Header>& headers, Facts& facts) {
  facts.push_back("headers " + std::to_string(headers.size()));
  for (const Header& header : headers) {
    std::string line = header.is_forwardable ? "header " : "dropped ";
    line.append(header.name);
    if (header.is_forwardable) {
      line.append(":");
      if (!header.value.empty()) line.append(" ").append(header.value);
    } else if (header.name.empty()) {
      line.pop_back();
    }
    facts.push_back(line);
  }
}

void add_request(const RequestHead& head, std::size_t bytes, Facts& facts) {
  std::string outcome = "done " + text_of(to_string(head.desync_class));
  if (head.desync_reason != DesyncReason::none) {
    outcome += " " + text_of(to_string(head.desync_reason));
  }
  facts.push_back(outcome);
  facts.push_back("method " + text_of(head.method_text));
  facts.push_back("target " + text_of(head.target));
  facts.push_back("path " + text_of(head.path));
  if (head.has_query) {
    facts.push_back(head.query.empty() ? "query" : "query " + text_of(head.query));
  }
  facts.push_back("authority " + text_of(head.authority));
  facts.push_back(std::string("version ") + version_name(head.version));
  facts.push_back(std::string("framing ") + framing_name(head.framing));
  if (head.framing == Framing::content_length) {
    facts.push_back("length " + std::to_string(head.content_length));
  }
  facts.push_back(std::string("keep_alive ") + yes_no(head.keep_alive));
  facts.push_back(std::string("continue ") + yes_no(head.expects_continue));
  facts.push_back(std::string("websocket ") + yes_no(head.is_websocket_upgrade));
  facts.push_back(std::string("encode ") + yes_no(head.target_needs_encoding));
  facts.push_back("addresses " + std::to_string(head.forwarded_for_addresses));
  facts.push_back("left " + std::to_string(bytes - head.head_bytes));
  add_headers(head.headers, facts);
}

void add_response(const ResponseHead& head, std::size_t bytes, Facts& facts) {
  facts.push_back("done");
  facts.push_back("status " + std::to_string(head.status));
  facts.push_back(head.reason.empty() ? "reason" : "reason " + text_of(head.reason));
  facts.push_back(std::string("version ") + version_name(head.version));
  facts.push_back(std::string("framing ") + framing_name(head.framing));
  facts.push_back("length " + std::to_string(head.content_length));
  facts.push_back(std::string("keep_alive ") + yes_no(head.keep_alive));
  facts.push_back("left " + std::to_string(bytes - head.head_bytes));
  add_headers(head.headers, facts);
}

}  // namespace

Facts request_facts(std::string_view bytes, const Feed& feed) {
  RequestParser parser;
  RequestHead head;
  Facts facts;
  for (const std::size_t size : feed) {
    const Exact part(bytes.substr(0, size));
    switch (parser.parse(part.view(), head)) {
      case ParseState::need_more:
        continue;
      case ParseState::refused: {
        std::string outcome = "refused " + std::to_string(parser.status());
        if (parser.desync_reason() != DesyncReason::none) {
          outcome += " " + text_of(to_string(parser.desync_reason()));
        }
        return {outcome};
      }
      case ParseState::done:
        add_request(head, bytes.size(), facts);
        return facts;
    }
  }
  return {"need_more"};
}

Facts response_facts(std::string_view bytes, Method method, const Feed& feed) {
  ResponseParser parser;
  ResponseHead head;
  Facts facts;
  for (const std::size_t size : feed) {
    const Exact part(bytes.substr(0, size));
    switch (parser.parse(part.view(), method, head)) {
      case ParseState::need_more:
        continue;
      case ParseState::refused:
        return {"refused"};
      case ParseState::done:
        add_response(head, bytes.size(), facts);
        return facts;
    }
  }
  return {"need_more"};
}

Facts chunked_facts(std::string_view bytes, const Feed& feed) {
  ChunkedDecoder decoder;
  std::string content;
  std::size_t consumed = 0;
  for (const std::size_t size : feed) {
    const Exact part(bytes.substr(consumed, size - consumed));
    std::string_view rest = part.view();
    while (true) {
      const ChunkedDecoder::Step step = decoder.step(rest);
      content.append(step.content);
      consumed += step.consumed;
      rest.remove_prefix(step.consumed);
      if (step.state == ParseState::refused) return {"refused"};
      if (step.state == ParseState::done) {
        return {"done", content.empty() ? "content" : "content " + content,
                "trailers " + text_of(decoder.trailers()),
                "left " + std::to_string(bytes.size() - consumed)};
      }
      if (rest.empty()) break;
    }
  }
  return {"need_more", "content " + content};
}

std::string joined(const Facts& facts) {
  return std::accumulate(facts.begin(), facts.end(), std::string(),
                         [](const std::string& a, const std::string& b) { return a + b + "\n"; });
}

Feed feed_whole(std::size_t size) { return {size}; }

Feed feed_split(std::size_t size, std::size_t at) { return {at, size}; }

Feed feed_bytes(std::size_t size) {
  Feed feed(size);
  std::iota(feed.begin(), feed.end(), 1);
  return feed;
}

}  // namespace weir::http::test
