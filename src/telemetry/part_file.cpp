#include "telemetry/part_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "telemetry/files.hpp"

namespace weir::telemetry {

std::optional<std::string> seal_part(const std::string& folder, const std::string& part,
                                     std::int64_t end_us) {
  const std::string from = folder + "/" + part;
  auto sealed = sealed_name(part, end_us, random_hex(8));
  struct stat facts {};
  if (!sealed || ::lstat(from.c_str(), &facts) != 0) return std::nullopt;
  if (facts.st_size == 0) {
    ::unlink(from.c_str());
    return std::nullopt;
  }
  if (::rename(from.c_str(), (folder + "/" + *sealed).c_str()) == 0) return sealed;
  log::warn("{} cannot be sealed: {}", from,
            std::error_code(errno, std::generic_category()).message());
  return std::nullopt;
}

void PartFiles::add(std::string_view node_ip, std::string_view line) {
  auto found = parts_.find(node_ip);
  if (found == parts_.end()) {
    found = parts_.try_emplace(std::string(node_ip)).first;
    found->second.name = names_.part(node_ip);
  }
  found->second.lines += line;
  bytes_kept_ += line.size();
}

Status PartFiles::write(std::int64_t wall_us) {
  Status first;
  for (auto& [node_ip, part] : parts_) {
    if (part.file && wall_us >= part.end_us) seal(part);
    if (part.lines.empty()) continue;
    auto written = append(part, wall_us);
    if (!written && first) first = std::move(written);
    part.lines.clear();
  }
  std::erase_if(parts_, [](const auto& each) { return !each.second.file; });
  bytes_kept_ = 0;
  return first;
}

Status PartFiles::append(Part& part, std::int64_t wall_us) {
  const std::string path = folder_ + "/" + part.name;
  if (!part.file) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    constexpr int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    part.file = Fd(::open(path.c_str(), flags, 0600));
    if (!part.file) return fail_errno("cannot open " + path, errno);
    struct stat facts {};  // not empty where it could not be sealed
    part.bytes =
        ::fstat(part.file.get(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
    part.end_us = interval_end_us(wall_us);
  }
  if (auto written = append_all(part.file.get(), part.bytes, part.lines, path); !written)
    return written;
  if (part.bytes >= bytes_max_) seal(part);
  return {};
}

void PartFiles::seal(Part& part) {
  part.file.reset();
  if (auto sealed = seal_part(folder_, part.name, part.end_us))
    deliverer_.deliver(std::move(*sealed));
}

void PartFiles::seal_all() {
  for (auto& [node_ip, part] : parts_) {
    if (part.file) seal(part);
  }
}

}  // namespace weir::telemetry
