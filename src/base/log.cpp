// spdlog is slow to compile, so it is seen by this file alone.
#include "base/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace weir::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::shared_ptr<spdlog::logger> make_logger(const std::string& file) {
  if (file.empty()) {
    return std::make_shared<spdlog::logger>("weir",
                                            std::make_shared<spdlog::sinks::stderr_sink_mt>());
  }
  return std::make_shared<spdlog::logger>(
      "weir", std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
}

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance = make_logger({});
  return instance;
}

}  // namespace

void start(Level level, const std::string& file) {
  logger() = make_logger(file);
  logger()->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger()->set_level(to_spdlog(level));
  logger()->flush_on(spdlog::level::debug);
}

void write(Level level, std::string_view line) {
  logger()->log(to_spdlog(level), "{}", line);
}

}  // namespace weir::log
