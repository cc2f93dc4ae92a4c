// The load balancer's own responses, as ALB (an nginx in this respect) writes them.
#include "http/own_response.hpp"

#include <array>
#include <charconv>

#include "http/writer.hpp"

namespace weir::http {
namespace {

// The title of a page, "503 Service Temporarily Unavailable", or the number alone.
class Title {
 public:
  explicit Title(int status) : phrase_(reason_phrase(status)) {
    number_end_ = std::to_chars(number_.data(), number_.data() + number_.size(), status).ptr;
  }
  [[nodiscard]] std::size_t size() const {
    return number().size() + (phrase_.empty() ? 0 : 1 + phrase_.size());
  }
  void append_to(std::string& out) const {
    out.append(number());
    if (!phrase_.empty()) out.append(" ").append(phrase_);
  }

 private:
  [[nodiscard]] std::string_view number() const { return {number_.data(), number_end_}; }

  std::string_view phrase_;
  std::array<char, 11> number_{};
  char* number_end_;
};

constexpr std::string_view page_start = "<html>\r\n<head><title>";
constexpr std::string_view page_middle = "</title></head>\r\n<body>\r\n<center><h1>";
constexpr std::string_view page_end = "</h1></center>\r\n</body>\r\n</html>\r\n";

std::size_t page_bytes(int status) {
  return page_start.size() + page_middle.size() + page_end.size() + 2 * Title(status).size();
}

void append_page(std::string& out, int status) {
  const Title title(status);
  out.append(page_start);
  title.append_to(out);
  out.append(page_middle);
  title.append_to(out);
  out.append(page_end);
}

void append_head(std::string& out, const OwnResponse& response, std::string_view date) {
  out.append("HTTP/1.1 ");
  append_decimal(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  if (response.has_server) out.append("Server: awselb/2.0\r\n");
  out.append("Date: ").append(date);
  out.append("\r\nContent-Type: ").append(response.content_type).append("\r\nContent-Length: ");
  append_decimal(out, response.body ? response.body->size() : page_bytes(response.status));
  out.append(response.close ? "\r\nConnection: close\r\n" : "\r\nConnection: keep-alive\r\n");
  out.append(response.more_headers);
  if (response.retry_after_seconds > 0) {
    out.append("Retry-After: ");
    append_decimal(out, static_cast<std::uint64_t>(response.retry_after_seconds));
    out.append("\r\n");
  }
  if (!response.location.empty()) {
    out.append("Location: ").append(response.location).append("\r\n");
  }
  out.append("\r\n");
}

}  // namespace

void append_own_response(std::string& out, const OwnResponse& response, std::string_view date) {
  if (response.with_head) append_head(out, response, date);
  if (!response.with_body) return;
  if (response.body) {
    out.append(*response.body);
  } else {
    append_page(out, response.status);
  }
}

std::string_view fixed_content_type(std::string_view configured) {
  return configured.empty() || configured == "text/plain" ? "text/plain; charset=utf-8"
                                                          : configured;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 400:
      return "Bad Request";
    case 401:
      return "Authorization Required";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Time-out";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request-URI Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Requested Range Not Satisfiable";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Temporarily Unavailable";
    case 504:
      return "Gateway Time-out";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return {};
  }
}

}  // namespace weir::http
