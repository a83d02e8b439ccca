// Entries of the real kernel's connection table: found by port, removed one by one.
#include "kernel/conntrack.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "base/fd.h"
#include "base/process.h"
#include "netns/fresh_netns.h"
#include "support/must.h"

namespace weft {
namespace {

using kernel::Conntrack;
using kernel::ConntrackFilter;
using test::must;

void send_udp(std::uint16_t port) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
            1);
}

TEST(Conntrack, EntriesAreFoundByPortAndRemovedAlone) {
  test::in_fresh_netns([](kernel::Rtnetlink&) {
    // Connections are followed once a rule asks for them.
    must(
        run_or_fail({.argv = {"nft", "-f", "-"},
                     .input = "table ip t { chain c { type filter hook output priority 0; ct state "
                              "new counter; }; }"}));
    send_udp(5301);
    send_udp(5301);
    send_udp(5302);
    Conntrack conntrack = must(Conntrack::open());
    const ConntrackFilter filter{
        .family = Family::kIpv4, .protocol = IPPROTO_UDP, .original_destination_port = 5301};
    const auto entries = must(conntrack.list(filter));
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].reply.source_port, 5301);
    must(conntrack.remove(entries[0]));
    EXPECT_EQ(must(conntrack.list(filter)), std::vector{entries[1]});
    must(conntrack.remove(entries[0]));
    must(conntrack.remove(entries[1]));
    EXPECT_EQ(must(conntrack.list(filter)).size(), 0U);
    ConntrackFilter other = filter;
    other.original_destination_port = 5302;
    EXPECT_EQ(must(conntrack.list(other)).size(), 1U);
    other.original_destination = IpAddress::v4(0x7f000001);
    EXPECT_EQ(must(conntrack.list(other)).size(), 1U);
    other.original_destination = IpAddress::v4(0x7f000002);
    EXPECT_EQ(must(conntrack.list(other)).size(), 0U);
    EXPECT_EQ(must(conntrack.list({.family = Family::kIpv4, .protocol = IPPROTO_UDP})).size(), 1U);
  });
}

}  // namespace
}  // namespace weft
