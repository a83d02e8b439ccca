#include "kernel/netlink_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace weft::kernel {
namespace {

// A dump's datagrams are at most 32 KiB (the kernel's NLMSG_GOODSIZE ladder), single messages
// with many attributes may be larger.
constexpr std::size_t kReceiveBuffer = 128U << 10U;
// Each refusal takes a kilobyte of the socket's receive space: as many requests are under way at
// once as surely fit, should all be refused.
constexpr std::size_t kRequestsUnderWay = 512;
constexpr int kReceiveSpace = 4 << 20;
// A table that changes all the time may interrupt a dump again and again.
constexpr int kDumpTries = 10;
constexpr int kMaxErrno = 4095;  // MAX_ERRNO of linux/err.h

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

Status verdict(const Message& message) {
  nlmsgerr error{};
  if (message.payload.size() < sizeof(int)) return fail("the kernel's answer is too short");
  std::memcpy(&error, message.payload.data(), std::min(sizeof error, message.payload.size()));
  if (error.error == 0) return {};
  if (error.error > 0 || error.error < -kMaxErrno)
    return fail("the kernel's answer holds no error number");
  std::string sentence;
  if ((message.header.nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
    // With NETLINK_CAP_ACK only the header of the failed request precedes the attributes.
    std::size_t skipped = sizeof(nlmsgerr);
    if ((message.header.nlmsg_flags & NLM_F_CAPPED) == 0 && error.msg.nlmsg_len > sizeof(nlmsghdr))
      skipped += NLMSG_ALIGN(error.msg.nlmsg_len - sizeof(nlmsghdr));
    if (skipped < message.payload.size())
      sentence = Attributes(message.payload.substr(skipped)).string(NLMSGERR_ATTR_MSG).value_or("");
  }
  Failure failure = fail_errno("the kernel refused", -error.error);
  if (!sentence.empty()) failure.value().what += " (" + sentence + ")";
  if (-error.error == EPERM) failure.value().next = "this needs root or CAP_NET_ADMIN";
  return failure;
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (fd.empty()) return fail_errno("opening a netlink socket");
  set_option(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, 1);
  set_option(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, 1);
  set_option(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  // Beyond net.core.rmem_max with CAP_NET_ADMIN; without it the default must do.
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kReceiveSpace);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("binding a netlink socket");
  return NetlinkSocket(std::move(fd));
}

Result<std::uint32_t> NetlinkSocket::port() const {
  sockaddr_nl address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return fail_errno("asking for the number of a netlink socket");
  return address.nl_pid;
}

std::uint32_t NetlinkSocket::take_sequences(std::uint32_t count) {
  const std::uint32_t first = sequence_;
  sequence_ += count;
  return first;
}

Status NetlinkSocket::send(std::string_view bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  for (;;) {
    const ssize_t sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent == static_cast<ssize_t>(bytes.size())) return {};
    if (sent >= 0) return fail("a netlink message was sent in part");
    if (errno != EINTR) return fail_errno("sending to the kernel");
  }
}

Result<std::string_view> NetlinkSocket::receive() {
  ASSIGN_OR_RETURN(const auto datagram, receive_with(0));
  return *datagram;
}

Result<std::optional<std::string_view>> NetlinkSocket::receive_with(int flags) {
  if (!buffer_) buffer_.reset(new char[kReceiveBuffer]);
  for (;;) {
    sockaddr_nl sender{};
    iovec space{buffer_.get(), kReceiveBuffer};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &space;
    header.msg_iovlen = 1;
    const ssize_t got = ::recvmsg(fd_.get(), &header, flags);
    if (got < 0 && errno == EAGAIN && (flags & MSG_DONTWAIT) != 0)
      return std::optional<std::string_view>();
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("receiving from the kernel");
    if ((header.msg_flags & MSG_TRUNC) != 0)
      return fail("an answer of the kernel was longer than " + std::to_string(kReceiveBuffer) +
                  " bytes");
    if (sender.nl_pid != 0) continue;  // another process cannot speak for the kernel
    return std::optional(std::string_view(buffer_.get(), static_cast<std::size_t>(got)));
  }
}

Status NetlinkSocket::request(Request request) {
  std::vector<Request> one;
  one.push_back(std::move(request));
  return request_all(one)[0];
}

std::vector<Status> NetlinkSocket::request_all(std::vector<Request>& requests) {
  std::vector<Status> results;
  results.reserve(requests.size());
  std::string bytes;
  for (std::size_t start = 0; start < requests.size(); start += kRequestsUnderWay) {
    const std::size_t count = std::min(kRequestsUnderWay, requests.size() - start);
    const std::uint32_t sequence = take_sequences(static_cast<std::uint32_t>(count));
    bytes.clear();
    for (std::size_t i = 0; i < count; ++i) {
      if (i + 1 == count) requests[start + i].add_flags(NLM_F_ACK);
      requests[start + i].set_sequence(sequence + static_cast<std::uint32_t>(i));
      bytes += requests[start + i].message();
    }
    results.resize(start + count);
    Status io = send(bytes);
    if (io) io = collect_verdicts(sequence, count, &results[start]);
    // Which of them were carried out is not known: whoever asked must look.
    if (!io) std::fill(results.begin() + static_cast<std::ptrdiff_t>(start), results.end(), io);
  }
  return results;
}

// The kernel takes requests in order and tells of a failure unasked. The answer to the last one,
// which is asked for, says that there is nothing more to be told of those before it.
Status NetlinkSocket::collect_verdicts(std::uint32_t sequence, std::size_t count, Status* results) {
  for (;;) {
    ASSIGN_OR_RETURN(std::string_view datagram, receive());
    Message message;
    while (take_message(datagram, message)) {
      const std::uint32_t index = message.header.nlmsg_seq - sequence;
      if (message.header.nlmsg_type != NLMSG_ERROR || index >= count) continue;
      results[index] = verdict(message);
      if (index + 1 == count) return {};
    }
  }
}

Status NetlinkSocket::query(Request request, const Each& each) {
  request.add_flags(NLM_F_ACK);
  const std::uint32_t sequence = take_sequences(1);
  request.set_sequence(sequence);
  RETURN_IF_ERROR(send(request.message()));
  for (;;) {
    ASSIGN_OR_RETURN(std::string_view datagram, receive());
    Message message;
    while (take_message(datagram, message)) {
      if (message.header.nlmsg_seq != sequence) continue;
      if (message.header.nlmsg_type == NLMSG_ERROR) return verdict(message);
      each(message);
    }
  }
}

Result<bool> NetlinkSocket::dump_once(Request request, const Each& each) {
  request.add_flags(NLM_F_DUMP);
  const std::uint32_t sequence = take_sequences(1);
  request.set_sequence(sequence);
  RETURN_IF_ERROR(send(request.message()));
  bool whole = true;
  for (;;) {
    ASSIGN_OR_RETURN(std::string_view datagram, receive());
    Message message;
    while (take_message(datagram, message)) {
      if (message.header.nlmsg_seq != sequence) continue;
      if ((message.header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) whole = false;
      if (message.header.nlmsg_type == NLMSG_DONE) {
        // The dump's own error comes in the last message (netlink_dump_done).
        if (auto status = verdict(message); !status && status.error().number == EINTR)
          return false;
        else if (!status)
          return Failure(status.error());
        return whole;
      }
      if (message.header.nlmsg_type == NLMSG_ERROR) {
        RETURN_IF_ERROR(verdict(message));
        return whole;
      }
      each(message);
    }
    if (!datagram.empty()) return fail("a datagram of the kernel's dump was malformed");
  }
}

Status NetlinkSocket::dump_messages(const Request& request, const std::function<void()>& restart,
                                    const Each& each) {
  for (int i = 0; i < kDumpTries; ++i) {
    restart();
    ASSIGN_OR_RETURN(const bool whole, dump_once(request, each));
    if (whole) return {};
  }
  return fail("the table changed during each of " + std::to_string(kDumpTries) +
              " attempts to read it");
}

Status NetlinkSocket::batch(std::string_view messages, std::uint32_t& failed) {
  RETURN_IF_ERROR(send(messages));
  Status first;
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<std::string_view> datagram, receive_with(MSG_DONTWAIT));
    if (!datagram) return first;
    Message message;
    while (take_message(*datagram, message)) {
      if (message.header.nlmsg_type != NLMSG_ERROR || !first) continue;
      first = verdict(message);
      failed = message.header.nlmsg_seq;
    }
  }
}

}  // namespace weft::kernel
