// The log: one line an event, for an operator to act on. Anything else is a counter. Secrets (user
// data, credentials, cookies) are never given to it. Any thread; never from a worker's hot path.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace weir::log {

enum class Level { debug, info, warn, error };

// Lines below `level` are dropped. `file` empty: standard error. Call once, before other threads.
void start(Level level, const std::string& file = {});

void write(Level level, std::string_view line);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace weir::log
