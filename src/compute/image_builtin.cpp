// A root file system whose programs are this machine's (/usr is mounted by the holder) and whose
// everything else is new. The rule that keeps secrets out: of /etc only the named parts are copied,
// and of these only what anybody on the machine may read; accounts, sshd's configuration and
// openssl's are written afresh. Source: reference platform §1 (what programs need), §9 (sshd).
#include "compute/image_builtin.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <string_view>

#include <fmt/core.h>

#include "compute/image_tree.hpp"

namespace weir::compute {
namespace {

constexpr int layout_version = 1;

constexpr Owner ubuntu{1000, 1000};
constexpr gid_t shadow_group = 42;
constexpr gid_t utmp_group = 43;

constexpr std::array copied_from_etc = {
    "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl/certs", "pam.d",
    "security",     "login.defs",  "shells",     "skel",         "profile",   "bash.bashrc",
    "services",     "protocols",   "localtime",  "os-release",
};

struct Account {
  const char* name;
  int uid, gid;
  const char* home;
  const char* shell;
  const char* comment;
};

constexpr const char* no_login = "/usr/sbin/nologin";

constexpr std::array accounts = {
    Account{"root", 0, 0, "/root", "/bin/bash", "root"},
    Account{"daemon", 1, 1, "/usr/sbin", no_login, "daemon"},
    Account{"bin", 2, 2, "/bin", no_login, "bin"},
    Account{"sys", 3, 3, "/dev", no_login, "sys"},
    Account{"sync", 4, 65534, "/bin", "/bin/sync", "sync"},
    Account{"man", 6, 12, "/var/cache/man", no_login, "man"},
    Account{"mail", 8, 8, "/var/mail", no_login, "mail"},
    Account{"proxy", 13, 13, "/bin", no_login, "proxy"},
    Account{"www-data", 33, 33, "/var/www", no_login, "www-data"},
    Account{"backup", 34, 34, "/var/backups", no_login, "backup"},
    Account{"_apt", 100, 65534, "/nonexistent", no_login, ""},
    Account{"systemd-network", 101, 102, "/run/systemd", no_login, "systemd Network Management"},
    Account{"messagebus", 102, 103, "/nonexistent", no_login, ""},
    Account{"sshd", 103, 65534, "/run/sshd", no_login, ""},
    Account{"syslog", 104, 104, "/nonexistent", no_login, ""},
    Account{"ubuntu", 1000, 1000, "/home/ubuntu", "/bin/bash", "Ubuntu"},
    Account{"nobody", 65534, 65534, "/nonexistent", no_login, "nobody"},
};

constexpr std::string_view group_file =
    "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:ubuntu\ntty:x:5:\ndisk:x:6:\nlp:x:7:\n"
    "mail:x:8:\nman:x:12:\nproxy:x:13:\nkmem:x:15:\ndialout:x:20:\ncdrom:x:24:ubuntu\n"
    "sudo:x:27:ubuntu\nwww-data:x:33:\nbackup:x:34:\noperator:x:37:\nsrc:x:40:\nshadow:x:42:\n"
    "utmp:x:43:\nvideo:x:44:\nplugdev:x:46:ubuntu\nstaff:x:50:\ngames:x:60:\nusers:x:100:\n"
    "systemd-journal:x:101:\nsystemd-network:x:102:\nmessagebus:x:103:\nsyslog:x:104:\n"
    "ubuntu:x:1000:\nnogroup:x:65534:\n";

constexpr std::string_view nsswitch_file =
    "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
    "protocols: files\nservices: files\nethers: files\nrpc: files\n";

// UsePAM no: the password fields are `*`, and PAM's modules want more of a system than this is.
constexpr std::string_view sshd_config_file =
    "HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin no\nPasswordAuthentication no\n"
    "KbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\nPrintMotd no\nX11Forwarding no\n"
    "AcceptEnv LANG LC_*\nSubsystem sftp /usr/lib/openssh/sftp-server\n";

constexpr std::string_view openssl_file =
    "[req]\ndistinguished_name = req_distinguished_name\nx509_extensions = v3_ca\n"
    "[req_distinguished_name]\ncommonName = Common Name\ncommonName_max = 64\n"
    "[v3_ca]\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid:always,issuer\n"
    "basicConstraints = critical,CA:true\n";

constexpr std::string_view sudoers_file =
    "Defaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n"
    "root ALL=(ALL:ALL) ALL\nubuntu ALL=(ALL) NOPASSWD:ALL\n";

Status make_accounts(ImageTree& tree) {
  std::string passwd;
  std::string shadow;
  for (const auto& account : accounts) {
    passwd += fmt::format("{}:x:{}:{}:{}:{}:{}\n", account.name, account.uid, account.gid,
                          account.comment, account.home, account.shell);
    shadow += fmt::format("{}:*:19000:0:99999:7:::\n", account.name);
  }
  std::string gshadow;
  for (std::size_t at = 0; at < group_file.size(); at = group_file.find('\n', at) + 1) {
    const auto line = group_file.substr(at, group_file.find('\n', at) - at);
    const auto members = line.substr(line.rfind(':') + 1);
    gshadow += fmt::format("{}:*::{}\n", line.substr(0, line.find(':')), members);
  }
  return Steps()
      .then([&] { return tree.file("etc/passwd", passwd); })
      .then([&] { return tree.file("etc/group", group_file); })
      .then([&] {
        return tree.file("etc/shadow", shadow, 0640, {0, shadow_group});
      })
      .then([&] {
        return tree.file("etc/gshadow", gshadow, 0640, {0, shadow_group});
      })
      .status();
}

Status make_etc(ImageTree& tree) {
  Steps steps;
  for (const char* directory : {"etc", "etc/ssl", "etc/ssh", "etc/profile.d"}) {
    steps.then([&] { return tree.directory(directory); });
  }
  for (const char* name : copied_from_etc) {
    steps.then([&] { return tree.copy(std::string("/etc/") + name, std::string("etc/") + name); });
  }
  return steps.then([&] { return make_accounts(tree); })
      .then([&] { return tree.file("etc/nsswitch.conf", nsswitch_file); })
      .then([&] { return tree.file("etc/ssl/openssl.cnf", openssl_file); })
      .then([&] { return tree.file("etc/ssh/sshd_config", sshd_config_file); })
      .then([&] { return tree.file("etc/sudoers", sudoers_file, 0440); })
      .then([&] {
        return tree.file("etc/environment",
                         "PATH=\"/usr/local/sbin:/usr/local/bin:"
                         "/usr/sbin:/usr/bin:/sbin:/bin\"\n");
      })
      .then([&] { return tree.file("etc/hostname", "localhost\n"); })
      .then([&] { return tree.file("etc/hosts", "127.0.0.1 localhost\n"); })
      .then([&] { return tree.file("etc/resolv.conf", ""); })
      .then([&] { return tree.link("etc/mtab", "/proc/self/mounts"); })
      .status();
}

Status make_var(ImageTree& tree) {
  Steps steps;
  for (const char* directory :
       {"var/cache", "var/lib/cloud/instances", "var/lib/cloud/scripts/per-boot", "var/local",
        "var/log", "var/mail", "var/opt", "var/spool", "var/backups"}) {
    steps.then([&] { return tree.directory(directory); });
  }
  return steps.then([&] { return tree.directory("var/tmp", 01777); })
      .then([&] { return tree.link("var/run", "/run"); })
      .then([&] { return tree.link("var/lock", "/run/lock"); })
      .then([&] {
        return tree.file("var/log/lastlog", "", 0664, {0, utmp_group});
      })
      .then([&] {
        return tree.file("var/log/wtmp", "", 0664, {0, utmp_group});
      })
      .then([&] {
        return tree.file("var/log/btmp", "", 0660, {0, utmp_group});
      })
      .status();
}

Status make_homes(ImageTree& tree) {
  return Steps()
      .then([&] { return tree.directory("root", 0700); })
      .then([&] { return tree.copy("/etc/skel/.bashrc", "root/.bashrc"); })
      .then([&] { return tree.copy("/etc/skel/.profile", "root/.profile"); })
      .then([&] { return tree.directory("home"); })
      .then([&] { return tree.directory("home/ubuntu", 0750, ubuntu); })
      .then([&] { return tree.copy("/etc/skel/.bashrc", "home/ubuntu/.bashrc", ubuntu); })
      .then([&] { return tree.copy("/etc/skel/.profile", "home/ubuntu/.profile", ubuntu); })
      .then([&] { return tree.copy("/etc/skel/.bash_logout", "home/ubuntu/.bash_logout", ubuntu); })
      .status();
}

// Merged /usr, as Debian 12 and Ubuntu 22.04 have it.
Status make_usr_links(ImageTree& tree) {
  Steps steps;
  for (const std::string name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    struct stat status {};
    if (::stat(("/usr/" + name).c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    steps.then([&] { return tree.link(name, "usr/" + name); });
  }
  return steps.status();
}

}  // namespace

std::string builtin_template_stamp() {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  const auto mix = [&hash](std::uint64_t value) {
    for (int byte = 0; byte < 8; ++byte)
      hash = (hash ^ ((value >> (8 * byte)) & 255U)) * 1099511628211U;
  };
  mix(layout_version);
  for (const char* name : copied_from_etc) {
    struct stat status {};
    const bool is_there = ::stat((std::string("/etc/") + name).c_str(), &status) == 0;
    mix(is_there ? static_cast<std::uint64_t>(status.st_mtim.tv_sec) : 0U);
    mix(is_there ? static_cast<std::uint64_t>(status.st_mtim.tv_nsec) : 0U);
  }
  return fmt::format("{:016x}", hash);
}

Status build_builtin_template(const std::string& root) {
  auto tree = ImageTree::open(root);
  if (!tree) return std::unexpected(tree.error());
  Steps steps;
  for (const char* directory :
       {"boot", "dev", "media", "mnt", "opt/weir/bin", "proc", "run", "srv", "sys", "usr"}) {
    steps.then([&] { return tree->directory(directory); });
  }
  return steps.then([&] { return tree->directory("tmp", 01777); })
      .then([&] { return make_usr_links(*tree); })
      .then([&] { return make_etc(*tree); })
      .then([&] { return make_var(*tree); })
      .then([&] { return make_homes(*tree); })
      .status();
}

}  // namespace weir::compute
