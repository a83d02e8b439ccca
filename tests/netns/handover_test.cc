// Sockets that go from one owner to the next.
#include "dns/handover.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/unix_address.h"
#include "kernel/port_owner.h"
#include "kernel/socket_address.h"
#include "netns/fresh_netns.h"
#include "support/eventually.h"

namespace weft::dns {
namespace {

using weft::test::eventually;
using weft::test::must;

const ListenAddress kHere{.address = *IpAddress::parse("127.0.0.1"), .port = 53};
const ListenAddress kElsewhere{.address = *IpAddress::parse("127.0.0.2"), .port = 53};

Fd bound(const ListenAddress& address) {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const kernel::SocketAddress at(address.address, address.port);
  EXPECT_EQ(::bind(fd.get(), at.get(), at.size), 0);
  return fd;
}

// Who has a socket at kHere, and a door for it.
class Former {
 public:
  Former() { must(doors_.open({kHere})); }
  bool is_taken() const { return taken_; }
  HandoverDoors& doors() { return doors_; }

 private:
  Fd socket_ = bound(kHere);
  std::atomic<bool> taken_{false};
  HandoverDoors doors_{{.sockets =
                            [this] {
                              OpenSockets copies;
                              copies.add({.address = kHere, .fd = Fd(::dup(socket_.get()))});
                              return copies;
                            },
                        .taken = [this] { taken_ = true; }}};
};

// What comes back from the door; empty when it is closed.
std::string say_at_the_door(std::string_view words) {
  const auto door = must(UnixAddress::parse("@weft-dns/127.0.0.1:53"));
  const Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), door.get(), door.size()), 0);
  ::send(fd.get(), words.data(), words.size(), MSG_NOSIGNAL);
  char room[128];
  const ssize_t size = ::recv(fd.get(), room, sizeof room, 0);
  return size <= 0 ? "" : std::string(room, static_cast<std::size_t>(size));
}

TEST(Handover, WhatWaitsInASocketIsTheNextOnes) {
  weft::test::in_fresh_netns([](kernel::Rtnetlink&) {
    Former former;
    const Fd client = bound(kElsewhere);
    const kernel::SocketAddress to(kHere.address, kHere.port);
    ASSERT_EQ(::sendto(client.get(), "query", 5, 0, to.get(), to.size), 5);
    auto next = must(Takeover::ask({kHere, kElsewhere}));
    EXPECT_TRUE(next.has_former());
    EXPECT_FALSE(former.is_taken()) << "nobody answers yet";
    const auto taken = next.sockets().take(SocketKind::kUdp, kHere);
    ASSERT_TRUE(taken);
    EXPECT_FALSE(next.sockets().take(SocketKind::kUdp, kHere)) << "there is one";
    char room[16];
    EXPECT_EQ(::recv(taken->get(), room, sizeof room, MSG_DONTWAIT), 5);
    next.confirm();
    EXPECT_TRUE(former.is_taken());
  });
}

TEST(Handover, ANextOneThatGivesUpChangesNothing) {
  weft::test::in_fresh_netns([](kernel::Rtnetlink&) {
    Former former;
    { const auto next = must(Takeover::ask({kHere})); }
    EXPECT_EQ(say_at_the_door("take"), "udp 127.0.0.1 53") << "the door is open to others";
    EXPECT_FALSE(former.is_taken());
  });
}

TEST(Handover, WhereNobodyIsThereIsNothingToBeHad) {
  weft::test::in_fresh_netns([](kernel::Rtnetlink&) {
    Former former;
    must(former.doors().open({}));
    auto next = must(Takeover::ask({kHere, kElsewhere}));
    EXPECT_FALSE(next.has_former());
    EXPECT_FALSE(next.sockets().has(kHere));
  });
}

TEST(Handover, StrangersGetNothing) {
  weft::test::in_fresh_netns([](kernel::Rtnetlink&) {
    Former former;
    for (const char* words : {"give", "", "mine", "take it"}) EXPECT_EQ(say_at_the_door(words), "");
    // Another user: of this thread alone, which the system call itself changes.
    std::thread([] {
      constexpr uid_t kNobody = 65534;
      ASSERT_EQ(::syscall(SYS_setresuid, -1, kNobody, -1), 0);
      EXPECT_EQ(say_at_the_door("take"), "");
    }).join();
    EXPECT_FALSE(former.is_taken());
  });
}

TEST(Handover, SocketsOfStrangersAreNotTaken) {
  weft::test::in_fresh_netns([](kernel::Rtnetlink&) {
    const Fd door(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto at = must(UnixAddress::parse("@weft-dns/" + kHere.to_string()));
    std::thread([&] {
      constexpr uid_t kNobody = 65534;
      ASSERT_EQ(::syscall(SYS_setresuid, -1, kNobody, -1), 0);
      ASSERT_EQ(::bind(door.get(), at.get(), at.size()), 0);
      ASSERT_EQ(::listen(door.get(), 1), 0);
    }).join();
    const auto taken = Takeover::ask({kHere});
    ASSERT_FALSE(taken);
    EXPECT_NE(taken.error().text().find("another user has the door"), std::string::npos);
  });
}

TEST(Handover, APortIsBoundWhoeverSharesIt) {
  weft::test::in_fresh_netns([](kernel::Rtnetlink&) {
    EXPECT_FALSE(kernel::is_bound(kHere.address, kHere.port));
    const Fd udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(udp.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    const kernel::SocketAddress at(kHere.address, kHere.port);
    ASSERT_EQ(::bind(udp.get(), at.get(), at.size), 0);
    EXPECT_TRUE(kernel::is_bound(kHere.address, kHere.port));
    EXPECT_TRUE(kernel::is_bound(IpAddress::any(Family::kIpv4), kHere.port));
    EXPECT_FALSE(kernel::is_bound(kElsewhere.address, kHere.port));
    EXPECT_FALSE(kernel::is_bound(*IpAddress::parse("::1"), kHere.port));
  });
}

}  // namespace
}  // namespace weft::dns
