#include "aws/protocol/scalar.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/clock.hpp"

namespace weir::aws {
namespace {

// Takes exactly `count` digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// ".345", ".345678": milliseconds, what is finer cut off.
std::optional<int> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  int ms = 0;
  int digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9' && digits < 9) {
    if (digits < 3) ms = ms * 10 + (text[0] - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 3; ++digits) ms *= 10;
  return ms;
}

// "Z", "+01:00", "-0500" or nothing: minutes east of Greenwich.
std::optional<int> take_offset(std::string_view& text) {
  if (text.empty() || take(text, 'Z')) return 0;
  const bool is_west = text[0] == '-';
  if (!take(text, '-') && !take(text, '+')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  take(text, ':');
  const auto minutes = take_digits(text, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  const int offset = *hours * 60 + *minutes;
  return is_west ? -offset : offset;
}

struct TimeOfDay {
  int hour = 0, minute = 0, second = 0, ms = 0, offset_minutes = 0;
};

std::optional<TimeOfDay> take_time(std::string_view& text) {
  TimeOfDay time;
  if (text.empty()) return time;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  const bool has_minute = hour && take(text, ':');
  const auto minute = has_minute ? take_digits(text, 2) : std::nullopt;
  if (!minute) return std::nullopt;
  const auto second = take(text, ':') ? take_digits(text, 2) : std::optional<int>(0);
  const auto ms = take_fraction(text);
  const auto offset = take_offset(text);
  if (!second || !ms || !offset || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return TimeOfDay{*hour, *minute, *second, *ms, *offset};
}

std::optional<Timestamp> parse_iso8601(std::string_view text) {
  const auto year = take_digits(text, 4);
  const auto month = take(text, '-') ? take_digits(text, 2) : std::nullopt;
  const auto day = take(text, '-') ? take_digits(text, 2) : std::nullopt;
  const auto time = take_time(text);
  if (!year || !month || !day || !time || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = (days * 24 + time->hour) * 60 + time->minute - time->offset_minutes;
  return Timestamp{(minutes * 60 + time->second) * 1000 + time->ms};
}

constexpr double seconds_max = 253'402'300'799.0;  // the last one of the year 9999

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const auto is = [&](std::string_view word) {
    if (text.size() != word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
      if (c != word[i]) return false;
    }
    return true;
  };
  if (is("true")) return true;
  if (is("false")) return false;
  return std::nullopt;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  if (auto time = parse_iso8601(text)) return time;
  const auto seconds = parse_number(text);
  if (!seconds || std::abs(*seconds) > seconds_max) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(std::llround(*seconds * 1000))};
}

std::string number_text(double value) {
  std::array<char, 40> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  std::string text(digits.data(), error == std::errc{} ? end : digits.data());
  if (text.find_first_of(".einf") == std::string::npos) text += ".0";
  return text;
}

std::string timestamp_text(Timestamp time) { return iso8601(time.ms); }

}  // namespace weir::aws
