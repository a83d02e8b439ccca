// udp_socket.h: a UDP socket over IPv4 for datagrams in bulk: several messages a system call
// (sendmmsg, recvmmsg), several datagrams a message (UDP_SEGMENT, UDP_GRO; man 7 udp).
//
// Several sockets may share one address and port (SO_REUSEPORT): the kernel gives each datagram
// to one of them, all of one sender to the same.
//
// One thread a socket. After open() nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/fd.h"
#include "base/result.h"
#include "net/datagrams.h"

namespace weft::kernel {

class UdpSocket {
 public:
  static constexpr std::size_t kMostMessages = 64;  ///< that one send() takes

  /// Bound, in the calling thread's namespace, and not blocking. EADDRINUSE when anybody else
  /// has the port, EADDRNOTAVAIL when the node lacks the address.
  static Result<UdpSocket> open(const UdpAddress& local);
  /// One more at the address and port of the first, which open() has made.
  static Result<UdpSocket> join(UdpSocket& first, const UdpAddress& local);
  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&&) = delete;
  ~UdpSocket();

  int fd() const { return fd_.get(); }

  struct Sent {
    std::size_t messages = 0;  ///< that the kernel has taken, from the first on
    int error = 0;             ///< why not the next one; 0 when all
  };
  /// Sends at most kMostMessages. EAGAIN: there is no room just now; EIO: the route's device
  /// cannot segment; EINVAL or EMSGSIZE: datagrams of that size do not fit the path's MTU.
  Sent send(std::span<const Datagrams> messages);

  /// What has arrived, up to a bound; empty when nothing has. Valid until the next call.
  std::span<const ReceivedDatagrams> receive();

  /// The MTU of the path to `to`, as far as the kernel knows it; 0 when there is no path.
  static std::uint32_t path_mtu(const UdpAddress& to);

 private:
  struct Room;
  UdpSocket(Fd fd, std::unique_ptr<Room> room);

  Fd fd_;
  std::unique_ptr<Room> room_;  // of the system calls' arguments and the received bytes
};

}  // namespace weft::kernel
