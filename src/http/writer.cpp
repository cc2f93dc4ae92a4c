// The load balancer's own responses, as ALB (an nginx in this respect) writes them.
#include "http/writer.hpp"

namespace weir::http {
namespace {

struct CivilDate {
  std::int64_t year;
  unsigned month;  // 1–12
  unsigned day;    // 1–31
};

// Days since 1970-01-01 to a Gregorian date, by eras of 400 years that begin on 1 March.
CivilDate civil_date(std::int64_t days) {
  constexpr std::int64_t era_days = 146097;
  days += 719468;  // from 0000-03-01
  const std::int64_t era = (days >= 0 ? days : days - era_days + 1) / era_days;
  const auto day_of_era = static_cast<unsigned>(days - era * era_days);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned month_from_march = (5 * day_of_year + 2) / 153;
  const unsigned day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

void put_two(char* at, unsigned number) {
  at[0] = static_cast<char>('0' + number / 10 % 10);
  at[1] = static_cast<char>('0' + number % 10);
}

// "503 Service Temporarily Unavailable", or the number alone.
std::string title_of(int status) {
  std::string title = std::to_string(status);
  const std::string_view phrase = reason_phrase(status);
  if (!phrase.empty()) title.append(" ").append(phrase);
  return title;
}

std::string page_of(int status) {
  const std::string title = title_of(status);
  return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
         "</h1></center>\r\n</body>\r\n</html>\r\n";
}

struct Response {
  int status;
  std::string_view content_type;
  std::string_view body;
  std::string_view location;
  std::int64_t unix_seconds;
  bool close;
  bool with_body;
};

std::string written(const Response& response) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(reason_phrase(response.status));
  out.append("\r\nServer: awselb/2.0\r\nDate: ").append(http_date(response.unix_seconds));
  out.append("\r\nContent-Type: ").append(response.content_type);
  out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  out.append(response.close ? "\r\nConnection: close\r\n" : "\r\nConnection: keep-alive\r\n");
  if (!response.location.empty()) {
    out.append("Location: ").append(response.location).append("\r\n");
  }
  out.append("\r\n");
  if (response.with_body) out.append(response.body);
  return out;
}

}  // namespace

std::string http_date(std::int64_t unix_seconds) {
  constexpr std::int64_t day_seconds = 86400;
  constexpr std::string_view day_names = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
  constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::int64_t days =
      (unix_seconds >= 0 ? unix_seconds : unix_seconds - day_seconds + 1) / day_seconds;
  const auto second = static_cast<unsigned>(unix_seconds - days * day_seconds);
  const CivilDate date = civil_date(days);
  std::string text = "Ddd, 00 Mmm 0000 00:00:00 GMT";
  text.replace(0, 3, day_names.substr(static_cast<std::size_t>((days % 7 + 7) % 7) * 3, 3));
  put_two(&text[5], date.day);
  text.replace(8, 3, month_names.substr((date.month - 1) * 3, 3));
  put_two(&text[12], static_cast<unsigned>(date.year / 100));
  put_two(&text[14], static_cast<unsigned>(date.year % 100));
  put_two(&text[17], second / 3600);
  put_two(&text[20], second / 60 % 60);
  put_two(&text[23], second % 60);
  return text;
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

std::string error_response(int status, std::int64_t unix_seconds, bool close, bool with_body) {
  return written({status, "text/html", page_of(status), {}, unix_seconds, close, with_body});
}

std::string redirect_response(int status, std::string_view location, std::int64_t unix_seconds,
                              bool close, bool with_body) {
  return written({status, "text/html", page_of(status), location, unix_seconds, close, with_body});
}

std::string fixed_response(int status, std::string_view content_type, std::string_view body,
                           std::int64_t unix_seconds, bool close, bool with_body) {
  if (content_type.empty() || content_type == "text/plain") {
    content_type = "text/plain; charset=utf-8";
  }
  return written({status, content_type, body, {}, unix_seconds, close, with_body});
}

}  // namespace weir::http
