#include "lab/responder.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <list>
#include <optional>
#include <set>
#include <vector>

#include "base/fd.h"
#include "base/json.h"
#include "net/address.h"

namespace weft::lab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostConnections = 256;
constexpr std::size_t kLongestRequest = 16384;
constexpr std::chrono::seconds kPatience(5);

struct Asker {
  IpAddress address = {};
  std::uint16_t port = 0;
  std::optional<int> ttl = {};
};

struct Connection {
  Fd fd;
  Asker asker;
  std::string request;
  Clock::time_point since;
};

Asker asker_of(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    return {.address = IpAddress::v4(ntohl(v4.sin_addr.s_addr)), .port = ntohs(v4.sin_port)};
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  const std::string_view bytes(reinterpret_cast<const char*>(&v6.sin6_addr), sizeof v6.sin6_addr);
  return {.address = IpAddress::from_bytes(bytes).value_or(IpAddress()),
          .port = ntohs(v6.sin6_port)};
}

void switch_on(const Fd& fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd.get(), level, option, &on, sizeof on);
}

// Empty when the kernel lacks the family.
Result<Fd> bound_socket(Family family, int type, std::uint16_t port) {
  const bool v4 = family == Family::kIpv4;
  Fd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.empty() && errno == EAFNOSUPPORT) return fd;
  if (fd.empty()) return fail_errno("opening a socket");
  switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
  sockaddr_storage where{};
  socklen_t size = 0;
  if (v4) {
    reinterpret_cast<sockaddr_in&>(where) = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    size = sizeof(sockaddr_in);
  } else {
    switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(where);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    size = sizeof(sockaddr_in6);
  }
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0)
    return fail_errno("binding port " + std::to_string(port));
  return fd;
}

Result<Fd> listening_socket(Family family, std::uint16_t port) {
  ASSIGN_OR_RETURN(Fd fd, bound_socket(family, SOCK_STREAM, port));
  if (fd.empty()) return fd;
  switch_on(fd, IPPROTO_TCP, TCP_SAVE_SYN);
  if (::listen(fd.get(), 128) != 0) return fail_errno("listening");
  return fd;
}

Result<Fd> datagram_socket(Family family, std::uint16_t port) {
  ASSIGN_OR_RETURN(Fd fd, bound_socket(family, SOCK_DGRAM, port));
  if (fd.empty()) return fd;
  // On a busy machine a responder may wait for its turn for long: what is asked meanwhile must
  // not look like the network's loss.
  const int space = 4 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space);
  // The address that was asked has to be the one that answers, on a host that has several.
  if (family == Family::kIpv4) {
    switch_on(fd, IPPROTO_IP, IP_RECVTTL);
    switch_on(fd, IPPROTO_IP, IP_PKTINFO);
  } else {
    switch_on(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
    switch_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
  }
  return fd;
}

// The hop limit of the SYN, whose headers the kernel kept.
std::optional<int> ttl_of_syn(const Fd& fd) {
  unsigned char syn[256];
  socklen_t size = sizeof syn;
  if (::getsockopt(fd.get(), IPPROTO_TCP, TCP_SAVED_SYN, syn, &size) != 0) return std::nullopt;
  if (size >= sizeof(iphdr) && syn[0] >> 4U == 4) return syn[offsetof(iphdr, ttl)];
  if (size >= sizeof(ip6_hdr) && syn[0] >> 4U == 6) return syn[offsetof(ip6_hdr, ip6_hlim)];
  return std::nullopt;
}

class Responder {
 public:
  Responder(std::string name, std::string node) : name_(std::move(name)), node_(std::move(node)) {}

  Status open(std::uint16_t port) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      ASSIGN_OR_RETURN(Fd listener, listening_socket(family, port));
      if (!listener.empty()) listeners_.push_back(std::move(listener));
      ASSIGN_OR_RETURN(Fd datagrams, datagram_socket(family, port));
      if (!datagrams.empty()) datagrams_.push_back(std::move(datagrams));
    }
    return {};
  }

  Status run() {
    for (;;) {
      std::vector<pollfd> polled;
      for (const auto& fd : listeners_) polled.push_back({fd.get(), POLLIN, 0});
      for (const auto& fd : datagrams_) polled.push_back({fd.get(), POLLIN, 0});
      for (const auto& connection : connections_)
        polled.push_back({connection.fd.get(), POLLIN, 0});
      const int timeout = connections_.empty() ? -1 : 1000;
      if (::poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR)
        return fail_errno("waiting for requests");
      for (auto& connection : connections_) read_request(connection);
      std::erase_if(connections_, [](const Connection& connection) {
        return connection.fd.empty() || Clock::now() - connection.since > kPatience;
      });
      for (const auto& fd : datagrams_) answer_datagrams(fd);
      for (const auto& fd : listeners_) accept_from(fd);
    }
  }

 private:
  std::string answer(const Asker& asker) const {
    Json json = {{"name", name_},
                 {"node", node_},
                 {"source", asker.address.to_string()},
                 {"port", asker.port}};
    if (asker.ttl) json["ttl"] = *asker.ttl;
    return to_text(json) + "\n";
  }

  void accept_from(const Fd& listener) {
    while (connections_.size() < kMostConnections) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      Fd fd(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&from), &size,
                      SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.empty()) return;
      Asker asker = asker_of(from);
      asker.ttl = ttl_of_syn(fd);
      connections_.push_back(
          {.fd = std::move(fd), .asker = asker, .request = {}, .since = Clock::now()});
      read_request(connections_.back());
    }
  }

  // Answers once the head of the request is there; a connection that is done has no descriptor.
  void read_request(Connection& connection) {
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(connection.fd.get(), buffer, sizeof buffer, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) break;
      connection.request.append(buffer, static_cast<std::size_t>(got));
      if (connection.request.find("\r\n\r\n") != std::string::npos) {
        write_response(connection);
        break;
      }
      if (connection.request.size() > kLongestRequest) break;
    }
    connection.fd.reset();
  }

  void write_response(const Connection& connection) const {
    const std::string body = answer(connection.asker);
    const std::string response =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
        (connection.request.compare(0, 5, "HEAD ") == 0 ? "" : body);
    ::send(connection.fd.get(), response.data(), response.size(), MSG_NOSIGNAL);
    ::shutdown(connection.fd.get(), SHUT_WR);
  }

  void answer_datagrams(const Fd& fd) const {
    constexpr int kAtOnce = 64;
    for (int i = 0; i < kAtOnce; ++i)
      if (!answer_datagram(fd)) return;
  }

  bool answer_datagram(const Fd& fd) const {
    char data[2048];
    alignas(cmsghdr) char control[256];
    sockaddr_storage from{};
    iovec part{.iov_base = data, .iov_len = sizeof data};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(fd.get(), &message, 0) < 0) return false;
    Asker asker = asker_of(from);
    // What is left in `control` afterwards goes out with the answer: the source address.
    keep_source_only(message, asker);
    std::string body = answer(asker);
    part = {.iov_base = body.data(), .iov_len = body.size()};
    ::sendmsg(fd.get(), &message, MSG_NOSIGNAL);
    return true;
  }

  static void keep_source_only(msghdr& message, Asker& asker) {
    alignas(cmsghdr) static thread_local char kept[256];
    std::size_t used = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      const bool v4 = header->cmsg_level == IPPROTO_IP;
      const int type = header->cmsg_type;
      if (type == (v4 ? IP_TTL : IPV6_HOPLIMIT)) {
        int ttl = 0;
        std::memcpy(&ttl, CMSG_DATA(header), sizeof ttl);
        asker.ttl = ttl;
      } else if (type == (v4 ? IP_PKTINFO : IPV6_PKTINFO)) {
        std::memcpy(kept, header, header->cmsg_len);
        used = CMSG_SPACE(header->cmsg_len - CMSG_LEN(0));
        auto* copy = reinterpret_cast<cmsghdr*>(kept);
        // The answer leaves where the routes say, not where the question came in.
        if (v4)
          reinterpret_cast<in_pktinfo*>(CMSG_DATA(copy))->ipi_ifindex = 0;
        else if (!asker.address.is_link_local())
          reinterpret_cast<in6_pktinfo*>(CMSG_DATA(copy))->ipi6_ifindex = 0;
      }
    }
    message.msg_control = used == 0 ? nullptr : kept;
    message.msg_controllen = used;
  }

  const std::string name_;
  const std::string node_;
  std::vector<Fd> listeners_;
  std::vector<Fd> datagrams_;
  std::list<Connection> connections_;
};

}  // namespace

Status respond(const std::string& name, const std::string& node,
               const std::vector<std::uint16_t>& more_ports,
               const std::function<void()>& listening) {
  Responder responder(name, node);
  std::set<std::uint16_t> ports(more_ports.begin(), more_ports.end());
  ports.insert(kResponderPort);
  for (const std::uint16_t port : ports) RETURN_IF_ERROR(responder.open(port));
  listening();
  return responder.run();
}

}  // namespace weft::lab
