#include "compute/image_identity.hpp"

#include <sys/stat.h>

#include <fmt/core.h>

#include <fstream>
#include <sstream>

#include "compute/image_tree.hpp"

namespace weir::compute {
namespace {

constexpr Owner ubuntu{1000, 1000};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

std::string hosts_file(const Identity& identity) {
  const auto dot = identity.hostname.find('.');
  const std::string short_name =
      dot == std::string::npos ? "" : " " + identity.hostname.substr(0, dot);
  return fmt::format("127.0.0.1 localhost\n{} {}{}\n\n::1 ip6-localhost ip6-loopback\n",
                     identity.private_ip, identity.hostname, short_name);
}

bool has_control_characters(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

// For ubuntu, and for root, whom the built-in image's sshd does not let in: an imported image may
// know no other account, and its own sshd_config decides.
Status write_key(ImageTree& tree, std::string public_key) {
  while (!public_key.empty() && (public_key.back() == '\n' || public_key.back() == ' ')) {
    public_key.pop_back();
  }
  if (public_key.empty()) return {};
  if (has_control_characters(public_key)) {
    return fail("InvalidKey.Format", "The public key is not one line of OpenSSH's format");
  }
  const std::string line = public_key + "\n";
  return Steps()
      .then([&] { return tree.directory("home"); })
      .then([&] { return tree.directory("home/ubuntu", 0750, ubuntu); })
      .then([&] { return tree.directory("home/ubuntu/.ssh", 0700, ubuntu); })
      .then([&] { return tree.file("home/ubuntu/.ssh/authorized_keys", line, 0600, ubuntu); })
      .then([&] { return tree.directory("root", 0700); })
      .then([&] { return tree.directory("root/.ssh", 0700); })
      .then([&] { return tree.file("root/.ssh/authorized_keys", line, 0600); })
      .status();
}

}  // namespace

std::string usable_resolv_conf(std::string_view machine_resolv_conf) {
  std::string kept;
  std::istringstream lines{std::string(machine_resolv_conf)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword;
    std::string value;
    words >> keyword >> value;
    const bool is_loopback = value.starts_with("127.") || value == "::1";
    const bool is_usable_server = keyword == "nameserver" && !is_loopback && !value.empty();
    if (is_usable_server || keyword == "search" || keyword == "options") kept += line + "\n";
  }
  return kept.find("nameserver") == std::string::npos ? "" : kept;
}

Status write_identity(const std::string& root_upper, const Identity& identity) {
  if (has_control_characters(identity.hostname) || has_control_characters(identity.private_ip)) {
    return fail("InvalidParameterValue", "Control characters in an instance's name or address");
  }
  auto tree = ImageTree::open(root_upper);
  if (!tree) return std::unexpected(tree.error());
  std::string resolv_conf;
  if (identity.has_way_out) {
    resolv_conf = usable_resolv_conf(read_file("/etc/resolv.conf"));
    // systemd-resolved's stub listens on loopback; this is what it asks itself.
    if (resolv_conf.empty()) {
      resolv_conf = usable_resolv_conf(read_file("/run/systemd/resolve/resolv.conf"));
    }
  }
  return Steps()
      .then([&] { return tree->directory("etc"); })
      .then([&] { return tree->file("etc/hostname", identity.hostname + "\n"); })
      .then([&] { return tree->file("etc/hosts", hosts_file(identity)); })
      .then([&] { return tree->file("etc/resolv.conf", resolv_conf); })
      .then([&] { return write_key(*tree, identity.public_key); })
      .status();
}

Status write_program(const std::string& dir, const std::string& name, std::string_view content) {
  const std::string path = dir + "/" + name;
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
      (status.st_mode & 07777) == 0755 &&
      static_cast<std::size_t>(status.st_size) == content.size() && read_file(path) == content) {
    return {};
  }
  auto tree = ImageTree::open(dir);
  if (!tree) return std::unexpected(tree.error());
  return tree->file(name, content, 0755);
}

}  // namespace weir::compute
