// A holder of one's own for a test: its state folder, its VPC, instances by one line, and the ways
// to reach them that work as root and rootless.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "compute/compute.hpp"

namespace weir::compute::test {

// What a command in an instance printed, and how it ended.
struct Output {
  int status = -1;
  std::string text;
};

enum class Reach { answered, refused, silent };

class ComputeTest : public testing::Test {
 protected:
  void SetUp() override;
  // Ends all instances and the holder; fails the test where the holder does not end.
  void TearDown() override;

  // Starts (or connects to) the holder and makes the VPC.
  void start();
  // As if the daemon had ended: the holder stays.
  void disconnect() { compute_.reset(); }

  [[nodiscard]] InstanceSpec spec(int number, const std::string& user_data = "") const;
  // Launches and keeps the metadata socket.
  [[nodiscard]] testing::AssertionResult launch(const InstanceSpec& spec);
  [[nodiscard]] Output exec(const std::string& id, std::vector<std::string> argv) const;
  [[nodiscard]] Output shell(const std::string& id, const std::string& script) const {
    return exec(id, {"/bin/sh", "-c", script});
  }

  // One attempt to fetch http://ip:port/path; the body on success.
  [[nodiscard]] Reach try_fetch(const std::string& ip, int port, const std::string& path,
                                std::string* body = nullptr) const;
  // Attempts until one is answered, for at most ten seconds.
  [[nodiscard]] std::optional<std::string> fetch(const std::string& ip, int port,
                                                 const std::string& path = "/") const;

  [[nodiscard]] Compute& compute() const { return *compute_; }
  [[nodiscard]] const std::string& state_dir() const { return state_dir_; }
  [[nodiscard]] std::string address(int number) const;
  [[nodiscard]] bool is_root() const;

  Options options_;
  std::vector<Fd> metadata_;
  std::vector<std::string> launched_;

 private:
  void choose_network();

  std::string state_dir_;
  std::string network_;  // first two numbers of the VPC's addresses
  std::unique_ptr<Compute> compute_;
};

[[nodiscard]] std::string instance_id(int number);
// Opens `ports` (TCP) for everybody, and everything outwards.
[[nodiscard]] Firewall open_ports(std::vector<int> ports);

}  // namespace weir::compute::test
