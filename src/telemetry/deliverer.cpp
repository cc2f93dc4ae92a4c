#include "telemetry/deliverer.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/fd.hpp"
#include "base/log.hpp"
#include "telemetry/files.hpp"
#include "telemetry/object_names.hpp"
#include "telemetry/part_file.hpp"
#include "traffic/compressor.hpp"

namespace weir::telemetry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr int politeness = 10;  // nice: workers come first

Status compress(int from, NewFile& to) {
  auto compressor = traffic::Compressor::create(traffic::Encoding::gzip);
  if (!compressor) return fail("OutOfMemory", "no memory to compress");
  Status written;
  const auto sink = [&](std::string_view bytes) {
    if (written) written = to.write(bytes);
  };
  std::string chunk(chunk_bytes, '\0');
  while (written) {
    const ssize_t got = ::read(from, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read", errno);
    if (got == 0) break;
    if (!compressor->write({chunk.data(), static_cast<std::size_t>(got)}, sink))
      return fail("Compression", "cannot compress");
  }
  if (!compressor->finish(sink)) return fail("Compression", "cannot compress");
  return written;
}

}  // namespace

Deliverer::Deliverer(std::string parts, std::string buckets)
    : parts_(std::move(parts)), buckets_(std::move(buckets)) {
  take_left_overs();
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "weir-deliver");
}

Deliverer::~Deliverer() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

// A part that has not been sealed ended with the daemon that wrote it: when it was written last.
void Deliverer::take_left_overs() {
  std::error_code error;
  std::deque<std::string> parts;
  for (fs::recursive_directory_iterator it(parts_, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code no_file;
    if (!it->is_regular_file(no_file) || it->is_symlink(no_file)) continue;
    const std::string name = it->path().lexically_relative(parts_);
    if (name.ends_with(".part")) {
      parts.push_back(name);
    } else if (object_name(name)) {
      waiting_.push_back(name);
    }
  }
  for (const std::string& part : parts) {
    struct stat facts {};
    if (::lstat((parts_ + "/" + part).c_str(), &facts) != 0) continue;
    const std::int64_t written_us = std::int64_t{facts.st_mtim.tv_sec} * 1'000'000;
    if (auto sealed = seal_part(parts_, part, interval_end_us(written_us)))
      waiting_.push_back(std::move(*sealed));
  }
  if (!waiting_.empty())
    log::info("{} log files of an earlier daemon are delivered", waiting_.size());
}

void Deliverer::deliver(std::string sealed) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + failed_.size() >= undelivered_max) {
      log::warn("too many log files wait for their bucket: {} is lost", sealed);
      ::unlink((parts_ + "/" + sealed).c_str());
      return;
    }
    waiting_.push_back(std::move(sealed));
    waiting_.insert(waiting_.end(), failed_.begin(), failed_.end());
    failed_.clear();
  }
  changed_.notify_all();
}

Status Deliverer::put(const std::string& object, std::string_view bytes) {
  NewFile file(buckets_ + "/" + object);
  if (auto opened = file.open(); !opened) return opened;
  if (auto written = file.write(bytes); !written) return written;
  return file.commit();
}

void Deliverer::flush() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !is_busy_; });
}

void Deliverer::run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), politeness);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::string sealed = std::move(waiting_.front());
    waiting_.pop_front();
    is_busy_ = true;
    lock.unlock();
    const auto delivered = deliver_one(sealed);
    lock.lock();
    is_busy_ = false;
    if (!delivered) {
      if (failed_.empty())
        log::warn("a log file waits for its bucket: {}", delivered.error().message);
      failed_.insert(sealed);
    }
    changed_.notify_all();
  }
}

Status Deliverer::deliver_one(const std::string& sealed) {
  const auto object = object_name(sealed);
  if (!object) return fail("LogName", "no name of a log file: " + sealed);
  const std::string source = parts_ + "/" + sealed;
  const Fd from(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!from) return fail_errno("cannot open " + source, errno);
  NewFile to(buckets_ + "/" + *object);
  if (auto opened = to.open(); !opened) return opened;
  if (auto compressed = compress(from.get(), to); !compressed) return compressed;
  if (auto committed = to.commit(); !committed) return committed;
  ::unlink(source.c_str());
  return {};
}

}  // namespace weir::telemetry
