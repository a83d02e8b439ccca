#include "kernel/monitor.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "kernel/rtnetlink_codec.h"

namespace weft::kernel {
namespace {

constexpr int kReceiveSpace = 8 << 20;
constexpr std::size_t kReceiveBuffer = 64U << 10U;

std::vector<int> groups_of(Topic topic) {
  switch (topic) {
    case Topic::kLink:
      return {RTNLGRP_LINK};
    case Topic::kAddress:
      return {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
    case Topic::kRoute:
      return {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
    case Topic::kNeighbour:
      return {RTNLGRP_NEIGH};
    case Topic::kRule:
      return {RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
    case Topic::kNftables:
      return {NFNLGRP_NFTABLES};
    case Topic::kLost:
      break;
  }
  return {};
}

Result<Fd> open_group_socket(int protocol) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (fd.empty()) return fail_errno("opening a netlink socket for events");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveSpace, sizeof kReceiveSpace);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("binding a netlink socket for events");
  return fd;
}

Status join(const Fd& fd, int group) {
  if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    return fail_errno("listening to netlink group " + std::to_string(group));
  return {};
}

// A start with 5,000 peers causes 15,000 events, each of which would wake the monitor.
Status ignore_port(const Fd& fd, std::uint32_t port) {
  std::array<sock_filter, 4> program{{
      // A filter reads in network order.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(nlmsghdr, nlmsg_pid)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
  }};
  const sock_fprog filter{program.size(), program.data()};
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0)
    return fail_errno("filtering netlink events");
  return {};
}

std::optional<KernelEvent> decode_nftables_event(const Message& message) {
  constexpr int kSubsystemShift = 8;
  if (message.header.nlmsg_type >> kSubsystemShift != NFNL_SUBSYS_NFTABLES) return std::nullopt;
  const int type = message.header.nlmsg_type & 0xff;
  // A new generation is told after each batch; its rules and tables were told before.
  if (type == NFT_MSG_NEWGEN) return std::nullopt;
  const auto opened = message.open<nfgenmsg>();
  if (!opened) return std::nullopt;
  // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE and the like are all attribute 1.
  return KernelEvent{
      .topic = Topic::kNftables,
      .removed = type == NFT_MSG_DELTABLE || type == NFT_MSG_DELCHAIN || type == NFT_MSG_DELRULE,
      .link = LinkIndex::kNone,
      .name = opened->second.string(NFTA_TABLE_NAME).value_or(""),
      .family = opened->first.nfgen_family == NFPROTO_IPV6 ? Family::kIpv6 : Family::kIpv4};
}

KernelEvent event(Topic topic, bool removed, LinkIndex link, Family family) {
  return {.topic = topic, .removed = removed, .link = link, .name = {}, .family = family};
}

}  // namespace

std::optional<KernelEvent> decode_event(const Message& message, bool nftables) {
  if (nftables) return decode_nftables_event(message);
  const auto type = message.header.nlmsg_type;
  if (const auto link = decode_link(message)) {
    KernelEvent about = event(Topic::kLink, type == RTM_DELLINK, link->index, Family::kIpv4);
    about.name = link->name;
    return about;
  }
  if (const auto address = decode_address(message))
    return event(Topic::kAddress, type == RTM_DELADDR, address->key.link,
                 address->key.address.address.family());
  if (const auto route = decode_route(message))
    return event(Topic::kRoute, type == RTM_DELROUTE, route->link(),
                 route->key.destination.family());
  if (const auto neighbour = decode_neighbour(message))
    return event(Topic::kNeighbour, type == RTM_DELNEIGH, neighbour->key.link,
                 neighbour->key.address.family());
  if (const auto entry = decode_fdb_entry(message))
    return event(Topic::kNeighbour, type == RTM_DELNEIGH, entry->key.link, Family::kIpv4);
  if (type == RTM_NEWRULE || type == RTM_DELRULE)
    return event(Topic::kRule, type == RTM_DELRULE, LinkIndex::kNone, Family::kIpv4);
  return std::nullopt;
}

Result<std::unique_ptr<Monitor>> Monitor::start(const std::vector<Topic>& topics, Listener listener,
                                                std::uint32_t own_port,
                                                std::uint32_t own_nftables_port) {
  std::unique_ptr<Monitor> monitor(new Monitor());
  monitor->listener_ = std::move(listener);
  ASSIGN_OR_RETURN(monitor->route_, open_group_socket(NETLINK_ROUTE));
  if (own_port != 0) RETURN_IF_ERROR(ignore_port(monitor->route_, own_port));
  for (const Topic topic : topics) {
    if (topic == Topic::kNftables && monitor->netfilter_.empty()) {
      ASSIGN_OR_RETURN(monitor->netfilter_, open_group_socket(NETLINK_NETFILTER));
      if (own_nftables_port != 0)
        RETURN_IF_ERROR(ignore_port(monitor->netfilter_, own_nftables_port));
    }
    const Fd& fd = topic == Topic::kNftables ? monitor->netfilter_ : monitor->route_;
    for (const int group : groups_of(topic)) RETURN_IF_ERROR(join(fd, group));
  }
  monitor->wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (monitor->wake_.empty()) return fail_errno("creating an eventfd");
  Monitor* self = monitor.get();
  monitor->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return monitor;
}

Monitor::~Monitor() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  // An eventfd takes the write at once; the thread then sees the stop.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Monitor::run(const std::stop_token& stop) {
  std::array<pollfd, 3> polled{pollfd{route_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0},
                               pollfd{netfilter_.get(), POLLIN, 0}};
  while (!stop.stop_requested()) {
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;  // EINTR
    if (polled[0].revents != 0) read_from(route_.get());
    if (polled[2].revents != 0) read_from(netfilter_.get());
  }
}

void Monitor::read_from(int fd) {
  alignas(nlmsghdr) std::array<char, kReceiveBuffer> buffer;
  for (;;) {
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ENOBUFS) return;  // EAGAIN: all read
    if (got < 0 || static_cast<std::size_t>(got) > buffer.size()) {
      listener_(KernelEvent{});
      continue;
    }
    std::string_view datagram(buffer.data(), static_cast<std::size_t>(got));
    Message message;
    while (take_message(datagram, message))
      if (const auto told = decode_event(message, fd == netfilter_.get())) listener_(*told);
  }
}

}  // namespace weft::kernel
