#include "dns/handover.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/log.h"
#include "base/text.h"
#include "base/unix_address.h"

namespace weft::dns {
namespace {

constexpr std::string_view kTake = "take";
constexpr std::string_view kEnd = "end";
constexpr std::string_view kMine = "mine";
constexpr std::size_t kLongestMessage = 128;
// Both sides are at it; who says nothing for so long has gone wrong.
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};

Result<UnixAddress> door_at(const ListenAddress& address) {
  return UnixAddress::parse("@weft-dns/" + address.to_string());
}

Result<Fd> open_socket(int flags) {
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (fd.empty()) return fail_errno("making a socket for a handover");
  return fd;
}

void be_patient(const Fd& fd) {
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
}

// One message, with a descriptor or without.
struct Parcel {
  std::string text = {};
  Fd fd = {};
};

bool send(const Fd& to, std::string_view text, int descriptor = -1) {
  iovec slice{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  if (descriptor >= 0) {
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* control = CMSG_FIRSTHDR(&message);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(to.get(), &message, MSG_NOSIGNAL) >= 0;
}

// Nothing at the end, and after too long a time.
std::optional<Parcel> receive(const Fd& from) {
  std::array<char, kLongestMessage> text;
  iovec slice{.iov_base = text.data(), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  const ssize_t size = ::recvmsg(from.get(), &message, MSG_CMSG_CLOEXEC);
  if (size <= 0) return std::nullopt;
  Parcel parcel{.text = std::string(text.data(), static_cast<std::size_t>(size))};
  const cmsghdr* control = CMSG_FIRSTHDR(&message);
  if (control != nullptr && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
    parcel.fd = Fd(descriptor);
  }
  return parcel;
}

// This process's user, or root: nobody else's sockets are taken, and nobody else gets any.
bool is_trusted(const Fd& peer) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(peer.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
         (who.uid == 0 || who.uid == ::geteuid());
}

std::string label_of(const OpenSocket& socket) {
  return (socket.kind == SocketKind::kUdp ? "udp " : "tcp ") + socket.address.address.to_string() +
         " " + std::to_string(socket.address.port);
}

std::optional<OpenSocket> socket_of(Parcel parcel) {
  std::istringstream words(parcel.text);
  std::string kind, host, number;
  words >> kind >> host >> number;
  const auto address = IpAddress::parse(host);
  const auto port = parse_number(number);
  if (parcel.fd.empty() || (kind != "udp" && kind != "tcp") || !address || !port || *port > 65535)
    return std::nullopt;
  return OpenSocket{.kind = kind == "udp" ? SocketKind::kUdp : SocketKind::kTcp,
                    .address = {.address = *address, .port = static_cast<std::uint16_t>(*port)},
                    .fd = std::move(parcel.fd)};
}

// Empty when nobody has a door there.
Result<Fd> knock(const ListenAddress& address) {
  ASSIGN_OR_RETURN(const UnixAddress door, door_at(address));
  ASSIGN_OR_RETURN(Fd fd, open_socket(0));
  be_patient(fd);
  if (::connect(fd.get(), door.get(), door.size()) < 0) {
    if (errno == ECONNREFUSED) return Fd();
    return fail_errno("asking for the sockets at " + address.to_string());
  }
  if (!is_trusted(fd))
    return fail("another user has the door for who takes " + address.to_string() + " over",
                "end that user's program: it stands in a DNS server's place");
  return fd;
}

}  // namespace

HandoverDoors::HandoverDoors(Owner owner)
    : owner_(std::move(owner)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

HandoverDoors::~HandoverDoors() {
  thread_.request_stop();
  wake();
}

void HandoverDoors::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

Status HandoverDoors::open(const std::vector<ListenAddress>& addresses) {
  const std::lock_guard lock(mutex_);
  std::map<ListenAddress, Fd> doors;
  for (const ListenAddress& address : addresses) {
    if (const auto known = doors_.find(address); known != doors_.end()) {
      doors[address] = std::move(known->second);
      continue;
    }
    ASSIGN_OR_RETURN(const UnixAddress door, door_at(address));
    ASSIGN_OR_RETURN(Fd fd, open_socket(SOCK_NONBLOCK));
    if (::bind(fd.get(), door.get(), door.size()) < 0 || ::listen(fd.get(), 1) < 0)
      return fail_errno("opening the door for who takes " + address.to_string() + " over");
    doors[address] = std::move(fd);
  }
  doors_ = std::move(doors);
  wake();
  return {};
}

std::vector<int> HandoverDoors::descriptors() {
  const std::lock_guard lock(mutex_);
  std::vector<int> all;
  for (const auto& [address, fd] : doors_) all.push_back(fd.get());
  return all;
}

void HandoverDoors::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> polls{{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
    for (const int door : descriptors())
      polls.push_back({.fd = door, .events = POLLIN, .revents = 0});
    if (::poll(polls.data(), polls.size(), -1) <= 0) continue;
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    for (std::size_t i = 1; i < polls.size(); ++i)
      if (polls[i].revents != 0) let_in(polls[i].fd);
  }
}

void HandoverDoors::let_in(int door) {
  const Fd peer(::accept4(door, nullptr, nullptr, SOCK_CLOEXEC));
  if (peer.empty() || !is_trusted(peer)) return;
  be_patient(peer);
  const auto wish = receive(peer);
  if (!wish || wish->text != kTake) return;
  const OpenSockets sockets = owner_.sockets();
  for (const OpenSocket& socket : sockets.all())
    if (!send(peer, label_of(socket), socket.fd.get())) return;
  if (!send(peer, kEnd)) return;
  const auto word = receive(peer);
  if (word && word->text == kMine) owner_.taken();
}

Result<Takeover> Takeover::ask(const std::vector<ListenAddress>& wanted) {
  Takeover takeover;
  for (const ListenAddress& address : wanted) {
    if (takeover.sockets_.has(address)) continue;
    ASSIGN_OR_RETURN(Fd former, knock(address));
    if (former.empty() || !send(former, kTake)) continue;
    while (auto parcel = receive(former)) {
      if (parcel->text == kEnd) {
        takeover.formers_.push_back(std::move(former));
        break;
      }
      if (auto socket = socket_of(*std::move(parcel))) takeover.sockets_.add(*std::move(socket));
    }
  }
  return takeover;
}

void Takeover::confirm() {
  for (const Fd& former : formers_)
    if (send(former, kMine)) (void)receive(former);
  formers_.clear();
}

}  // namespace weft::dns
