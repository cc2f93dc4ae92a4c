#include "fixture.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace weir::compute::test {
namespace {

constexpr int connect_timeout_ms = 400;
constexpr int fetch_timeout_ms = 10'000;

bool wait_for(int fd, short events, int timeout_ms) {
  pollfd polled{fd, events, 0};
  return poll(&polled, 1, timeout_ms) > 0;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (wait_for(fd, POLLIN, 2'000)) {
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace

std::string instance_id(int number) { return fmt::format("i-{:017x}", number); }

Firewall open_ports(std::vector<int> ports) {
  Firewall firewall;
  for (const int port : ports) firewall.ingress.push_back({"tcp", port, port, {"0.0.0.0/0"}});
  firewall.egress.push_back({"-1", -1, -1, {"0.0.0.0/0"}});
  return firewall;
}

bool ComputeTest::is_root() const { return geteuid() == 0; }

void ComputeTest::SetUp() {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base == nullptr ? "/tmp" : base) + "/weir-compute-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  state_dir_ = pattern;
  options_.state_dir = state_dir_;
  start();
}

void ComputeTest::start() {
  auto started = Compute::start(options_);
  ASSERT_TRUE(started) << started.error().message << " / " << started.error().hint;
  compute_ = std::move(*started);
  if (network_.empty()) choose_network();
  if (HasFatalFailure()) return;
  const Status made = compute_->ensure_vpc({network_ + ".0.0/16", network_ + ".0.1"});
  ASSERT_TRUE(made) << made.error().message << " / " << made.error().hint;
}

// Other tests run beside this one: take a range at random that nobody has.
void ComputeTest::choose_network() {
  for (int attempt = 0; attempt < 20 && network_.empty(); ++attempt) {
    const std::string candidate = fmt::format("10.{}", 100 + random_u64() % 150);
    const auto clashes = compute_->clashes(candidate + ".0.0/16");
    ASSERT_TRUE(clashes) << clashes.error().message;
    if (!*clashes) network_ = candidate;
  }
  ASSERT_FALSE(network_.empty());
}

void ComputeTest::TearDown() {
  metadata_.clear();
  if (compute_) {
    for (const std::string& id : launched_) {
      const Status ended = compute_->terminate(id);
      EXPECT_TRUE(ended) << ended.error().message;
    }
    compute_->release_holder();
    EXPECT_FALSE(std::filesystem::exists(state_dir_ + "/holder.sock"));
    compute_.reset();
  }
  if (HasFailure()) {
    std::fprintf(stderr, "kept: %s\n", state_dir_.c_str());
  } else {
    std::filesystem::remove_all(state_dir_);
  }
}

std::string ComputeTest::address(int number) const {
  return fmt::format("{}.16.{}", network_, 9 + number);
}

InstanceSpec ComputeTest::spec(int number, const std::string& user_data) const {
  InstanceSpec spec;
  spec.id = instance_id(number);
  spec.image_id = "ami-08c40ec9ead489470";
  spec.hostname = fmt::format("ip-10-0-16-{}.ec2.internal", 9 + number);
  spec.private_ip = address(number);
  spec.vpc_cidr = network_ + ".0.0/16";
  spec.gateway = network_ + ".0.1";
  spec.mac = fmt::format("02:00:00:00:00:{:02x}", number);
  spec.vcpus = 2;
  spec.memory_mib = 512;
  spec.user_data = user_data;
  spec.firewall = open_ports({80});
  return spec;
}

testing::AssertionResult ComputeTest::launch(const InstanceSpec& spec) {
  auto socket = compute_->launch(spec);
  if (!socket) {
    return testing::AssertionFailure()
           << socket.error().code << ": " << socket.error().message << " / " << socket.error().hint;
  }
  metadata_.push_back(std::move(*socket));
  launched_.push_back(spec.id);
  return testing::AssertionSuccess();
}

Output ComputeTest::exec(const std::string& id, std::vector<std::string> argv) const {
  const Fd output(memfd_create("output", MFD_CLOEXEC));
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  ExecRequest request{id, std::move(argv), {null.get(), output.get(), output.get()}, false};
  const auto status = compute_->exec(request);
  if (!status) return {-1, status.error().message};
  std::string text(static_cast<std::size_t>(lseek(output.get(), 0, SEEK_END)), '\0');
  if (pread(output.get(), text.data(), text.size(), 0) < 0) return {-1, "cannot read the output"};
  return {*status, text};
}

Reach ComputeTest::try_fetch(const std::string& ip, int port, const std::string& path,
                             std::string* body) const {
  auto sockets = compute_->sockets(1);
  if (!sockets) return Reach::silent;
  const int fd = sockets->front().get();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, ip.c_str(), &to.sin_addr);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
    return Reach::silent;
  }
  if (!wait_for(fd, POLLOUT, connect_timeout_ms)) return Reach::silent;
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return error == ECONNREFUSED ? Reach::refused : Reach::silent;
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: x\r\n\r\n";
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return Reach::silent;
  const std::string answer = read_all(fd);
  const std::size_t end = answer.find("\r\n\r\n");
  if (body != nullptr && end != std::string::npos) *body = answer.substr(end + 4);
  return end == std::string::npos ? Reach::silent : Reach::answered;
}

std::optional<std::string> ComputeTest::fetch(const std::string& ip, int port,
                                              const std::string& path) const {
  const std::int64_t deadline = monotonic_ms() + fetch_timeout_ms;
  while (monotonic_ms() < deadline) {
    std::string body;
    const Reach reach = try_fetch(ip, port, path, &body);
    if (reach == Reach::answered) return body;
    // A refusal comes at once: do not spin while the server starts.
    if (reach == Reach::refused) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return std::nullopt;
}

}  // namespace weir::compute::test
