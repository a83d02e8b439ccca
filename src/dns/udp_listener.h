// udp_listener.h: one UDP socket that queries arrive at.
//
// Several may share an address (SO_REUSEPORT), one for each worker: the kernel gives all datagrams
// of one sender's port to the same. An answer leaves from the address that the query was sent to,
// also where the socket is bound to all of them. Several queries are taken, and their answers sent,
// with one system call. After open() nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/fd.h"
#include "base/result.h"
#include "dns/handler.h"
#include "dns/listen_address.h"

namespace weft::dns {

class UdpListener {
 public:
  /// EADDRINUSE when another program has the port, EACCES without the right to one below 1024.
  static Result<UdpListener> open(const ListenAddress& local);
  /// Goes on with a socket that open() has made, here or in another process.
  static UdpListener adopt(Fd fd, const ListenAddress& local) {
    return UdpListener(std::move(fd), local.address);
  }
  UdpListener(UdpListener&&) noexcept;
  UdpListener& operator=(UdpListener&&) = delete;
  ~UdpListener();

  int fd() const { return fd_.get(); }
  const Fd& socket() const { return fd_; }
  /// The port, also where it was left to the kernel.
  Result<std::uint16_t> port() const;

  /// What a Client's channel says of queries that come through here.
  void set_channel(std::uint64_t channel) { channel_ = channel; }

  /// Answers what has arrived, up to a bound, so that other sockets get their turn.
  void serve(Handler& handler);
  /// Sends an answer that was not there when its query was served.
  void send(const Client& client, std::string_view message);

  /// From now on the kernel gives new queries to the other sockets at this address; what is here
  /// already is left to serve_rest().
  void retire();
  /// Answers all that is left after retire().
  void serve_rest(Handler& handler);

 private:
  struct Room;
  UdpListener(Fd fd, const IpAddress& local);
  std::size_t receive();
  std::size_t answer(std::size_t received, Handler& handler);
  bool serve_batch(Handler& handler);

  Fd fd_;
  IpAddress local_;
  bool any_address_;
  std::uint64_t channel_ = 0;
  std::unique_ptr<Room> room_;  // of the system calls' arguments, the queries and the answers
};

}  // namespace weft::dns
