#include "compute/netlink.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weir::compute {
namespace {

constexpr std::size_t receive_bytes = 64 * 1024;

}  // namespace

void NetlinkBatch::append(std::span<const std::byte> bytes) {
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  buffer_.resize(NLMSG_ALIGN(buffer_.size()));
}

void NetlinkBatch::update_lengths() {
  auto* message = reinterpret_cast<nlmsghdr*>(buffer_.data() + messages_.back());
  message->nlmsg_len = static_cast<std::uint32_t>(buffer_.size() - messages_.back());
  for (const std::size_t start : nests_) {
    auto* nest = reinterpret_cast<rtattr*>(buffer_.data() + start);
    nest->rta_len = static_cast<std::uint16_t>(buffer_.size() - start);
  }
}

void NetlinkBatch::begin_bytes(std::uint16_t type, std::uint16_t flags,
                               std::span<const std::byte> header) {
  messages_.push_back(buffer_.size());
  nlmsghdr message{};
  message.nlmsg_type = type;
  message.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  message.nlmsg_seq = static_cast<std::uint32_t>(messages_.size());
  append(std::as_bytes(std::span(&message, 1)));
  append(header);
  update_lengths();
}

void NetlinkBatch::put_bytes(std::uint16_t attribute, std::span<const std::byte> value) {
  rtattr header{};
  header.rta_type = attribute;
  header.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(value.size()));
  append(std::as_bytes(std::span(&header, 1)));
  append(value);
  update_lengths();
}

void NetlinkBatch::put_string(std::uint16_t attribute, std::string_view text) {
  const std::string terminated(text);
  put_bytes(attribute, std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1)));
}

void NetlinkBatch::begin_nest(std::uint16_t attribute) {
  nests_.push_back(buffer_.size());
  rtattr header{};
  header.rta_type = attribute;
  header.rta_len = RTA_LENGTH(0);
  append(std::as_bytes(std::span(&header, 1)));
  update_lengths();
}

void NetlinkBatch::end_nest() { nests_.pop_back(); }

std::uint32_t NetlinkEntry::u32(std::size_t header_bytes, std::uint16_t attribute) const {
  std::size_t offset = NLMSG_ALIGN(header_bytes);
  while (offset + sizeof(rtattr) <= payload.size()) {
    rtattr header{};
    std::memcpy(&header, payload.data() + offset, sizeof header);
    if (header.rta_len < sizeof header || offset + header.rta_len > payload.size()) break;
    if ((header.rta_type & NLA_TYPE_MASK) == attribute && header.rta_len >= RTA_LENGTH(4)) {
      std::uint32_t value = 0;
      std::memcpy(&value, payload.data() + offset + RTA_LENGTH(0), sizeof value);
      return value;
    }
    offset += RTA_ALIGN(header.rta_len);
  }
  return 0;
}

Result<NetlinkSocket> NetlinkSocket::open() {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return fail_errno("cannot open a netlink socket", errno);
  return NetlinkSocket(std::move(fd));
}

int NetlinkSocket::send(const NetlinkBatch& batch) const {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ssize_t sent = sendto(fd_.get(), batch.buffer_.data(), batch.buffer_.size(), 0,
                              reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  return sent < 0 ? errno : 0;
}

namespace {

// Receives one datagram of messages and calls `each` for every one, until it returns false.
template <typename Each>
int receive(int fd, std::span<std::byte> buffer, Each&& each) {
  ssize_t size = -1;
  do {
    size = recv(fd, buffer.data(), buffer.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return errno;
  auto left = static_cast<std::size_t>(size);
  const std::byte* at = buffer.data();
  while (left >= sizeof(nlmsghdr)) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(at);
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > left) return EPROTO;
    each(*message, std::span(at + NLMSG_HDRLEN, message->nlmsg_len - NLMSG_HDRLEN));
    const std::size_t step = std::min(std::size_t{NLMSG_ALIGN(message->nlmsg_len)}, left);
    at += step;
    left -= step;
  }
  return 0;
}

int error_of(std::span<const std::byte> payload) {
  if (payload.size() < sizeof(nlmsgerr)) return EPROTO;
  return -reinterpret_cast<const nlmsgerr*>(payload.data())->error;
}

}  // namespace

int NetlinkSocket::run(const NetlinkBatch& batch, std::size_t* index) {
  if (const int error = send(batch); error != 0) return error;
  std::vector<std::byte> buffer(receive_bytes);
  std::size_t answered = 0;
  int first_error = 0;
  while (answered < batch.messages_.size()) {
    const int error = receive(fd_.get(), buffer, [&](const nlmsghdr& message, auto payload) {
      if (message.nlmsg_type != NLMSG_ERROR) return;
      ++answered;
      const int answer = error_of(payload);
      if (answer == 0 || first_error != 0) return;
      first_error = answer;
      if (index != nullptr) *index = message.nlmsg_seq - 1;
    });
    if (error != 0) return error;
  }
  return first_error;
}

int NetlinkSocket::dump(const NetlinkBatch& batch,
                        const std::function<void(const NetlinkEntry&)>& each) {
  if (const int error = send(batch); error != 0) return error;
  std::vector<std::byte> buffer(receive_bytes);
  bool is_done = false;
  int result = 0;
  while (!is_done) {
    const int error = receive(fd_.get(), buffer, [&](const nlmsghdr& message, auto payload) {
      if (message.nlmsg_type == NLMSG_DONE) {
        is_done = true;
      } else if (message.nlmsg_type == NLMSG_ERROR) {
        is_done = true;
        result = error_of(payload);
      } else {
        each(NetlinkEntry{payload});
      }
    });
    if (error != 0) return error;
  }
  return result;
}

}  // namespace weir::compute
