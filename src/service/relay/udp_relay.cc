#include "service/relay/udp_relay.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "kernel/socket_address.h"

namespace weft::service {

/// A client.
struct UdpPeer {
  IpAddress address = {};
  std::uint16_t port = 0;
  bool operator==(const UdpPeer&) const = default;
};

namespace {

struct UdpPeerHash {
  std::size_t operator()(const UdpPeer& peer) const noexcept {
    return std::hash<IpAddress>{}(peer.address) * 31 + peer.port;
  }
};

// Others should have their turn.
constexpr int kAtOnce = 32;

/// A datagram with the address that it was sent to, or is to be sent from (IP_PKTINFO): a node has
/// several, and a client takes answers only from the one that it asked.
class Letter {
 public:
  explicit Letter(std::span<char> bytes)
      : part_{.iov_base = bytes.data(), .iov_len = bytes.size()} {
    header_.msg_iov = &part_;
    header_.msg_iovlen = 1;
  }

  ssize_t receive(int socket) {
    header_.msg_name = peer_.get();
    header_.msg_namelen = sizeof peer_.storage;
    header_.msg_control = control_.data();
    header_.msg_controllen = control_.size();
    return ::recvmsg(socket, &header_, 0);
  }
  UdpPeer peer() const { return {peer_.address(), peer_.port()}; }
  /// The address that it was sent to.
  IpAddress own() const {
    for (const cmsghdr* item = CMSG_FIRSTHDR(&header_); item != nullptr;
         item = CMSG_NXTHDR(const_cast<msghdr*>(&header_), const_cast<cmsghdr*>(item))) {
      const auto* bytes = reinterpret_cast<const char*>(CMSG_DATA(item));
      if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO)
        return read_address(bytes + offsetof(in_pktinfo, ipi_spec_dst), sizeof(in_addr));
      if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO)
        return read_address(bytes + offsetof(in6_pktinfo, ipi6_addr), sizeof(in6_addr));
    }
    return IpAddress::any(peer_.address().family());
  }

  void send(int socket, const UdpPeer& to, const IpAddress& from) {
    kernel::SocketAddress peer(to.address, to.port);
    header_.msg_name = peer.get();
    header_.msg_namelen = peer.size;
    header_.msg_control = control_.data();
    header_.msg_controllen = control_.size();
    cmsghdr* item = CMSG_FIRSTHDR(&header_);
    if (from.is_v4()) {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst, from.bytes().data(), sizeof info.ipi_spec_dst);
      put(item, IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      std::memcpy(&info.ipi6_addr, from.bytes().data(), sizeof info.ipi6_addr);
      put(item, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
    // As the network may do, a socket that is full loses it.
    static_cast<void>(::sendmsg(socket, &header_, MSG_NOSIGNAL));
  }

 private:
  static IpAddress read_address(const char* bytes, std::size_t size) {
    return IpAddress::from_bytes({bytes, size}).value();
  }
  template <class Info>
  void put(cmsghdr* item, int level, int type, const Info& info) {
    item->cmsg_level = level;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(item), &info, sizeof info);
    header_.msg_controllen = CMSG_SPACE(sizeof info);
  }

  kernel::SocketAddress peer_;
  iovec part_;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control_{};
  msghdr header_{};
};

}  // namespace

/// Towards the endpoint of one client.
class UdpRelay::Flow : public Watched {
 public:
  Flow(UdpRelay& relay, Entrance& entrance, const UdpPeer& from, const IpAddress& to)
      : client(from), own(to), relay_(relay), entrance_(entrance) {}

  /// False when there is no endpoint, or no descriptor.
  bool connect(Time now);
  /// Whether the endpoint is still one.
  bool holds() const;
  void send(std::span<const char> bytes);
  void ready() override;
  void leave() { unwatch(relay_.epoll_, socket_.get()); }
  Entrance& entrance() { return entrance_; }

  const UdpPeer client;
  const IpAddress own;  // what the client takes answers from
  Flows::iterator place = {};
  Time used = {};
  bool ended = false;

 private:
  UdpRelay& relay_;
  Entrance& entrance_;
  Fd socket_;
  Place endpoint_ = {};
};

/// Where clients' datagrams come in.
class UdpRelay::Entrance : public Watched {
 public:
  Entrance(UdpRelay& relay, Fd socket, std::shared_ptr<Balancer> balancer)
      : relay_(relay), socket_(std::move(socket)), balancer_(std::move(balancer)) {}

  void ready() override {
    for (int i = 0; i < kAtOnce && !socket_.empty(); ++i) {
      Letter letter(relay_.buffer_);
      const ssize_t got = letter.receive(socket_.get());
      if (got < 0) return;
      const Time now = std::chrono::steady_clock::now();
      const UdpPeer client = letter.peer();
      Flow* flow = find(client);
      if (flow != nullptr && !flow->holds()) {
        relay_.drop(*flow);
        flow = nullptr;
      }
      if (flow == nullptr) flow = relay_.add_flow(*this, client, letter.own(), now);
      if (flow == nullptr) continue;
      relay_.touch(*flow, now);
      flow->send(relay_.buffer_.first(static_cast<std::size_t>(got)));
    }
  }

  int socket() const { return socket_.get(); }
  Balancer& balancer() { return *balancer_; }
  std::unordered_map<UdpPeer, Flow*, UdpPeerHash>& flows() { return flows_; }
  void close() {
    unwatch(relay_.epoll_, socket_.get());
    socket_.reset();
  }

 private:
  Flow* find(const UdpPeer& client) {
    const auto found = flows_.find(client);
    return found == flows_.end() ? nullptr : found->second;
  }

  UdpRelay& relay_;
  Fd socket_;
  const std::shared_ptr<Balancer> balancer_;
  std::unordered_map<UdpPeer, Flow*, UdpPeerHash> flows_;
};

bool UdpRelay::Flow::connect(Time now) {
  const auto picked = entrance_.balancer().pick(client.address, now);
  if (!picked) return false;
  endpoint_ = *picked;
  socket_ = Fd(::socket(kernel::socket_family(picked->address),
                        SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket_.empty()) return false;
  const kernel::SocketAddress to(picked->address, picked->port);
  return ::connect(socket_.get(), to.get(), to.size) == 0 &&
         watch(relay_.epoll_, socket_.get(), EPOLLIN, *this).has_value();
}

bool UdpRelay::Flow::holds() const {
  return entrance_.balancer().has(endpoint_);
}

// What an earlier datagram met (nobody there) is told with the next one.
void UdpRelay::Flow::send(std::span<const char> bytes) {
  if (::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return;
  if (errno != ECONNREFUSED) return;
  entrance_.balancer().release(client.address);
  relay_.drop(*this);
}

void UdpRelay::Flow::ready() {
  for (int i = 0; i < kAtOnce && !ended; ++i) {
    const ssize_t got = ::recv(socket_.get(), relay_.buffer_.data(), relay_.buffer_.size(), 0);
    if (got < 0) {
      if (errno != ECONNREFUSED) return;
      entrance_.balancer().release(client.address);
      return relay_.drop(*this);
    }
    relay_.touch(*this, std::chrono::steady_clock::now());
    Letter(relay_.buffer_.first(static_cast<std::size_t>(got)))
        .send(entrance_.socket(), client, own);
  }
}

UdpRelay::UdpRelay(int epoll, std::span<char> buffer, std::chrono::milliseconds idle)
    : epoll_(epoll), buffer_(buffer), idle_(idle) {}
UdpRelay::~UdpRelay() = default;

Status UdpRelay::listen(std::uint64_t id, Fd socket, std::shared_ptr<Balancer> balancer) {
  const int fd = socket.get();
  auto entrance = std::make_unique<Entrance>(*this, std::move(socket), std::move(balancer));
  RETURN_IF_ERROR(watch(epoll_, fd, EPOLLIN, *entrance));
  entrances_.emplace(id, std::move(entrance));
  return {};
}

void UdpRelay::close(std::uint64_t id) {
  const auto found = entrances_.find(id);
  if (found == entrances_.end()) return;
  Entrance& entrance = *found->second;
  while (!entrance.flows().empty()) drop(*entrance.flows().begin()->second);
  entrance.close();
  closed_.push_back(std::move(found->second));
  entrances_.erase(found);
}

UdpRelay::Flow* UdpRelay::add_flow(Entrance& entrance, const UdpPeer& client, const IpAddress& own,
                                   Time now) {
  if (flows_.size() >= kMostClients) drop(*flows_.back());
  auto flow = std::make_unique<Flow>(*this, entrance, client, own);
  if (!flow->connect(now)) return nullptr;
  flow->used = now;
  flows_.push_front(std::move(flow));
  Flow& added = *flows_.front();
  added.place = flows_.begin();
  entrance.flows().emplace(client, &added);
  return &added;
}

void UdpRelay::touch(Flow& flow, Time now) {
  flow.used = now;
  flows_.splice(flows_.begin(), flows_, flow.place);
}

void UdpRelay::drop(Flow& flow) {
  if (std::exchange(flow.ended, true)) return;
  flow.leave();
  flow.entrance().flows().erase(flow.client);
  ended_.splice(ended_.begin(), flows_, flow.place);
}

void UdpRelay::finish_round(Time now) {
  while (!flows_.empty() && now - flows_.back()->used >= idle_) drop(*flows_.back());
  ended_.clear();
  closed_.clear();
}

std::optional<UdpRelay::Time> UdpRelay::next_round() const {
  if (flows_.empty()) return std::nullopt;
  return flows_.back()->used + idle_;
}

}  // namespace weft::service
