// `weir ssh`: the machine's ssh, which reaches the instance's sshd through `weir exec`.
//
// No address is needed, so it works where the VPC's are not reachable from here, as rootless. The
// key is checked all the same: what runs inside is sshd, for one connection on standard input and
// output. Host keys are kept in the state folder, by the instances' ids, which never come again.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "cli/client.hpp"
#include "cli/commands.hpp"

namespace weir::cli {
namespace {

// Inside the instance. Its first process makes the host key, soon after the boot.
constexpr std::string_view serve_one =
    "test -x /usr/sbin/sshd || { echo 'weir: the image of this instance has no sshd' >&2; "
    "exit 1; }; "
    "test -e /root/.ssh/authorized_keys || "
    "{ echo 'weir: this instance was launched without a key pair' >&2; exit 1; }; "
    "n=0; until test -e /etc/ssh/ssh_host_ed25519_key; do n=$((n + 1)); "
    "test $n -lt 300 || { echo 'weir: sshd has no host key yet: try again' >&2; exit 1; }; "
    "sleep 0.1; done; exec /usr/sbin/sshd -i";

// For a shell, where ssh replaces what begins with a percent sign.
std::string shell_word(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
      if (c == '%') out += c;
    }
  }
  return out + "'";
}

// Of ssh's configuration, where quotes keep blanks and there is no way to write a quote.
std::string config_word(std::string_view value) {
  std::string out;
  for (const char c : value) {
    out += c;
    if (c == '%') out += c;
  }
  return fmt::format("\"{}\"", out);
}

}  // namespace

std::vector<std::string> ssh_words(const SshOptions& options, const std::string& id,
                                   const std::string& program, const std::string& state_dir) {
  const std::string proxy = fmt::format("{} exec --state {} {} -- sh -c {}", shell_word(program),
                                        shell_word(state_dir), id, shell_word(serve_one));
  std::vector<std::string> words{
      "ssh",
      "-o",
      "ProxyCommand=" + proxy,
      "-o",
      "HostKeyAlias=" + id,
      "-o",
      "UserKnownHostsFile=" + config_word(state_dir + "/ssh_known_hosts"),
      "-o",
      "StrictHostKeyChecking=accept-new",
      "-o",
      "LogLevel=ERROR"};
  if (!options.key_file.empty()) {
    words.insert(words.end(), {"-o", "IdentitiesOnly=yes", "-i", options.key_file});
  }
  words.insert(words.end(), {"-l", options.user, "--", id});
  words.insert(words.end(), options.command.begin(), options.command.end());
  return words;
}

int ssh(const Common& common, const SshOptions& options) {
  const auto found =
      call_daemon(common.state_dir, Json{{"command", "instances"}, {"id", options.id}});
  if (!found) return report_error(common, found.error());
  const std::string id = found->at("instances").at(0).at("id");
  std::error_code unknown;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unknown);
  if (unknown) return report_error(common, fail("InternalError", unknown.message()).error());
  auto words = ssh_words(options, id, program.string(), common.state_dir);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  return report_error(
      common,
      fail_errno("cannot run ssh", errno, "it comes with the package openssh-client").error());
}

}  // namespace weir::cli
