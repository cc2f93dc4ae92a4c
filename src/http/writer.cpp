// The dates of responses.
#include "http/writer.hpp"

#include <algorithm>

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

}  // namespace

HttpDate make_http_date(std::int64_t unix_seconds) {
  constexpr std::int64_t day_seconds = 86400;
  constexpr std::string_view day_names = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
  constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::int64_t days =
      (unix_seconds >= 0 ? unix_seconds : unix_seconds - day_seconds + 1) / day_seconds;
  const auto second = static_cast<unsigned>(unix_seconds - days * day_seconds);
  const CivilDate date = civil_date(days);
  constexpr std::string_view form = "Ddd, 00 Mmm 0000 00:00:00 GMT";
  HttpDate text;
  std::ranges::copy(form, text.begin());
  std::ranges::copy(day_names.substr(static_cast<std::size_t>((days % 7 + 7) % 7) * 3, 3),
                    text.begin());
  put_two(&text[5], date.day);
  std::ranges::copy(month_names.substr((date.month - 1) * 3, 3), text.begin() + 8);
  put_two(&text[12], static_cast<unsigned>(date.year / 100));
  put_two(&text[14], static_cast<unsigned>(date.year % 100));
  put_two(&text[17], second / 3600);
  put_two(&text[20], second / 60 % 60);
  put_two(&text[23], second % 60);
  return text;
}

std::string http_date(std::int64_t unix_seconds) {
  const HttpDate date = make_http_date(unix_seconds);
  return {date.data(), date.size()};
}

}  // namespace weir::http
