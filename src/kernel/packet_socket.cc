#include "kernel/packet_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace weft::kernel {
namespace {

constexpr std::size_t kLongest = 2048;

sockaddr_ll address_of(LinkIndex link) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETHERTYPE_IP);
  address.sll_ifindex = static_cast<int>(link);
  return address;
}

Status set(int fd, int level, int option, const void* value, socklen_t size) {
  if (::setsockopt(fd, level, option, value, size) == 0) return {};
  return fail_errno("setting up a packet socket");
}

// "udp dst port N" for packets that begin with the IP header; fragments have no port.
Status let_in_only(int fd, std::uint16_t port) {
  constexpr std::uint8_t kNo = 0;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, kNo, 6),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, kNo, 1),
      BPF_STMT(BPF_RET | BPF_K, kLongest),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

}  // namespace

Result<PacketSocket> PacketSocket::open(LinkIndex link, std::uint16_t port) {
  // No protocol yet: nothing arrives before the filter is there.
  Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.empty()) return fail_errno("opening a packet socket");
  RETURN_IF_ERROR(let_in_only(fd.get(), port));
  const int on = 1;
  RETURN_IF_ERROR(set(fd.get(), SOL_PACKET, PACKET_AUXDATA, &on, sizeof on));
  const sockaddr_ll address = address_of(link);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("binding a packet socket");
  return PacketSocket(std::move(fd), link);
}

Status PacketSocket::send(std::string_view packet, const MacAddress& to) {
  sockaddr_ll address = address_of(link_);
  address.sll_halen = static_cast<unsigned char>(to.bytes.size());
  std::copy(to.bytes.begin(), to.bytes.end(), address.sll_addr);
  if (::sendto(fd_.get(), packet.data(), packet.size(), 0,
               reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return fail_errno("sending a packet");
  return {};
}

std::optional<PacketSocket::Received> PacketSocket::receive() {
  Received received;
  received.packet.resize(kLongest);
  sockaddr_ll from{};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(tpacket_auxdata))];
  iovec part{.iov_base = received.packet.data(), .iov_len = received.packet.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(fd_.get(), &message, 0);
  if (size < 0) return std::nullopt;
  received.packet.resize(static_cast<std::size_t>(size));
  std::copy_n(from.sll_addr, received.from.bytes.size(), received.from.bytes.begin());
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each))
    if (each->cmsg_level == SOL_PACKET && each->cmsg_type == PACKET_AUXDATA) {
      tpacket_auxdata aux{};
      std::memcpy(&aux, CMSG_DATA(each), sizeof aux);
      received.checksum_is_open = (aux.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
    }
  return received;
}

}  // namespace weft::kernel
