// What the tests of images, process 1, metadata service and cluster app share.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.hpp"

namespace weir::compute::testing_support {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = ::testing::TempDir() + "weir-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

// Asks again and again until the condition holds; false after ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// A child process; killed and waited for at the end.
class Process {
 public:
  Process(std::vector<std::string> argv, std::vector<std::string> environment, int output_fd) {
    std::vector<char*> arguments, variables;
    for (auto& word : argv) arguments.push_back(word.data());
    for (auto& word : environment) variables.push_back(word.data());
    arguments.push_back(nullptr);
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (output_fd >= 0) posix_spawn_file_actions_adddup2(&actions, output_fd, 1);
    posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Exit status, 128 + signal; -1 where it has been waited for already.
  int wait() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(std::exchange(pid_, -1), &status, 0) < 0) return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = -1;
};

// A blocking connection to 127.0.0.1; gives up after five seconds without bytes.
class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{5, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  void send(std::string_view bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void finish_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  // Everything until the peer closes.
  std::string rest() {
    while (more()) {
    }
    return std::exchange(received_, {});
  }
  // One response with a Content-Length (`is_head`: without its body); head and body.
  std::string response(bool is_head = false) {
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return std::exchange(received_, {});
    }
    const auto field = received_.find("Content-Length: ");
    const std::size_t length = std::strtoul(received_.c_str() + field + 16, nullptr, 10);
    const std::size_t total = end + 4 + (is_head ? 0 : length);
    while (received_.size() < total && more()) {
    }
    std::string out = received_.substr(0, total);
    received_.erase(0, total);
    return out;
  }

 private:
  bool more() {
    char block[16384];
    const ssize_t got = ::recv(fd_.get(), block, sizeof block, 0);
    if (got <= 0) return false;
    received_.append(block, static_cast<std::size_t>(got));
    return true;
  }

  Fd fd_;
  std::string received_;
};

inline std::string body_of(const std::string& response) {
  return response.substr(std::min(response.find("\r\n\r\n"), response.size() - 4) + 4);
}

inline int status_of(const std::string& response) {
  return response.size() < 12 ? 0 : std::atoi(response.c_str() + 9);
}

}  // namespace weir::compute::testing_support
