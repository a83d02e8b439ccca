// netlink_socket.h: requests to the kernel and its answers.
//
// A socket belongs to the network namespace in which it was opened, also when another thread
// uses it later; whoever holds one acts in that namespace without entering it. A socket has
// one user at a time.
//
// A dump is a table read whole or not at all: it is read to NLMSG_DONE, a dump that the kernel
// marks as interrupted (NLM_F_DUMP_INTR: the table changed meanwhile) is taken again a few
// times, and a truncated datagram is an error. A reconciler never sees a part.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "kernel/netlink_message.h"

namespace weft::kernel {

class NetlinkSocket {
 public:
  /// `protocol` is NETLINK_ROUTE, NETLINK_NETFILTER, ... EPERM and missing protocols are told.
  static Result<NetlinkSocket> open(int protocol);

  /// Sends a request and waits for the kernel's verdict. The error carries the kernel's own
  /// sentence where it gives one (NLMSGERR_ATTR_MSG), and the errno.
  Status request(Request request);

  /// Sends many requests in few system calls; the verdicts in the same order. A failed request
  /// does not keep the others from being carried out.
  std::vector<Status> request_all(std::vector<Request>& requests);

  /// Sends a request that is answered by messages, and hands each to `each`. One that gives no
  /// answer but an error fails with it.
  using Each = std::function<void(const Message&)>;
  Status query(Request request, const Each& each);

  /// Dumps a table: `decode` turns a message into a value, or into nothing when the message is
  /// not of interest.
  template <class Value>
  Result<std::vector<Value>> dump(
      const Request& request, const std::function<std::optional<Value>(const Message&)>& decode) {
    std::vector<Value> values;
    RETURN_IF_ERROR(dump_messages(
        request, [&] { values.clear(); },
        [&](const Message& message) {
          if (auto value = decode(message)) values.push_back(*std::move(value));
        }));
    return values;
  }

  /// Sends one buffer that holds the messages of one nfnetlink batch. The kernel carries a batch
  /// out whole or not at all, before send() returns, and answers only the messages that failed:
  /// the first such error is returned, and `failed` is the sequence number of its message.
  Status batch(std::string_view messages, std::uint32_t& failed);

  /// The next free run of sequence numbers.
  std::uint32_t take_sequences(std::uint32_t count);

  int fd() const { return fd_.get(); }
  /// Takes the descriptor out of a socket that is not used any more.
  Fd release() { return std::move(fd_); }
  /// The kernel's number of this socket (nl_pid), which it writes on news of what was asked here.
  Result<std::uint32_t> port() const;

 private:
  explicit NetlinkSocket(Fd fd) : fd_(std::move(fd)) {}

  Status send(std::string_view bytes);
  Status collect_verdicts(std::uint32_t sequence, std::size_t count, Status* results);
  /// One datagram into buffer_. MSG_TRUNC is an error: nothing may be lost unseen.
  /// Nothing when `flags` say not to wait and nothing is there.
  Result<std::optional<std::string_view>> receive_with(int flags);
  Result<std::string_view> receive();
  Status dump_messages(const Request& request, const std::function<void()>& restart,
                       const Each& each);
  /// True when the dump was whole, false when it was interrupted.
  Result<bool> dump_once(Request request, const Each& each);

  Fd fd_;
  std::uint32_t sequence_ = 1;
  // Not initialised, so that only what the kernel fills becomes memory.
  std::unique_ptr<char[]> buffer_;
};

/// The error that an NLMSG_ERROR message holds; success for an acknowledgement.
Status verdict(const Message& message);

}  // namespace weft::kernel
