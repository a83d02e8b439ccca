#include "overlay/peers.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "overlay/vxlan_plan.h"

namespace weft::overlay {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
LeaseKey key(const char* text) {
  return LeaseKey::parse(text).value();
}

NetConf vxlan_conf() {
  return NetConf::parse(R"({"Network":"10.3.0.0/16","Backend":{"Type":"vxlan"}})").value();
}

Lease vxlan_lease(const char* key_text, const char* public_address, const char* data) {
  return Lease{
      .key = key(key_text),
      .attributes = {
          .public_ipv4 = ip(public_address), .backend_type = "vxlan", .backend_data = data}};
}

Peers vxlan_peers(const LeaseView& leases, const Lease& own) {
  const NetConf conf = vxlan_conf();
  return find_peers(conf.networks, vxlan_peer_rules(std::get<VxlanBackend>(conf.backend)), leases,
                    own);
}

LeaseView view_of(const std::vector<Lease>& leases) {
  LeaseView view;
  for (const auto& lease : leases) view.leases[lease.key] = lease;
  return view;
}

Lease own_lease() {
  return vxlan_lease("10.3.1.0-24", "192.0.2.1", "");
}

constexpr const char* kGood = R"({"VNI":1,"VtepMAC":"02:00:00:00:00:02"})";

TEST(Peers, TheOwnLeaseAndOtherBackendsAreNoPeers) {
  Lease other = vxlan_lease("10.3.3.0-24", "192.0.2.3", kGood);
  other.attributes.backend_type = "host-gw";
  const auto peers = vxlan_peers(view_of({vxlan_lease("10.3.1.0-24", "192.0.2.1", kGood),
                                          vxlan_lease("10.3.2.0-24", "192.0.2.2", kGood), other}),
                                 own_lease());
  EXPECT_TRUE(peers.refused.empty());
  ASSERT_EQ(peers.of.at(Family::kIpv4).size(), 1U);
  EXPECT_EQ(peers.of.at(Family::kIpv4)[0].public_address, ip("192.0.2.2"));
  EXPECT_EQ(peers.of.at(Family::kIpv4)[0].vtep_mac.to_string(), "02:00:00:00:00:02");
}

struct BadData {
  const char* data;
  const char* because;
};

TEST(Peers, ALeaseWithBadDataIsRefusedAndTheOthersStay) {
  for (const auto& [data, because] :
       {BadData{"", "has no VXLAN data"},
        {"{", "no JSON"},
        {"[]", "expected an object"},
        {R"({"VNI":2,"VtepMAC":"02:00:00:00:00:02"})", "VNI is 2, ours is 1"},
        {R"({"VNI":1,"VtepMAC":"hello"})", "no unicast MAC"},
        {R"({"VNI":1,"VtepMAC":"01:00:00:00:00:02"})", "no unicast MAC"},
        {R"({"VNI":1,"VtepMAC":"00:00:00:00:00:00"})", "no unicast MAC"},
        {R"({"VNI":"1","VtepMAC":"02:00:00:00:00:02"})", "VNI"}}) {
    const auto peers = vxlan_peers(view_of({vxlan_lease("10.3.2.0-24", "192.0.2.2", data),
                                            vxlan_lease("10.3.3.0-24", "192.0.2.3", kGood)}),
                                   own_lease());
    EXPECT_EQ(peers.of.at(Family::kIpv4).size(), 1U) << data;
    ASSERT_EQ(peers.refused.size(), 1U) << data;
    EXPECT_NE(peers.refused[0].find("10.3.2.0/24"), std::string::npos);
    EXPECT_NE(peers.refused[0].find(because), std::string::npos) << peers.refused[0];
  }
}

TEST(Peers, OverlappingAndForeignSubnetsAreRefused) {
  const auto peers = vxlan_peers(view_of({vxlan_lease("10.3.1.128-25", "192.0.2.4", kGood),
                                          vxlan_lease("10.3.2.0-23", "192.0.2.2", kGood),
                                          vxlan_lease("10.3.3.0-24", "192.0.2.3", kGood),
                                          vxlan_lease("10.9.0.0-24", "192.0.2.5", kGood)}),
                                 own_lease());
  ASSERT_EQ(peers.of.at(Family::kIpv4).size(), 1U);
  EXPECT_EQ(peers.of.at(Family::kIpv4)[0].public_address, ip("192.0.2.2"));
  EXPECT_EQ(peers.refused.size(), 3U);
  for (const char* reason : {"own subnet", "overlaps the lease 10.3.2.0/23", "outside"})
    EXPECT_TRUE(std::any_of(
        peers.refused.begin(), peers.refused.end(),
        [&](const std::string& line) { return line.find(reason) != std::string::npos; }))
        << reason;
}

TEST(Peers, TwoWithOneVtepMacAreNeverProgrammedOverEachOther) {
  Lease first = vxlan_lease("10.3.2.0-24", "192.0.2.2", kGood);
  first.node = "b";
  Lease second = vxlan_lease("10.3.3.0-24", "192.0.2.3", kGood);
  second.node = "a";
  const auto peers = vxlan_peers(view_of({second, first}), own_lease());
  ASSERT_EQ(peers.of.at(Family::kIpv4).size(), 1U);
  EXPECT_EQ(peers.of.at(Family::kIpv4)[0].public_address, ip("192.0.2.2"));
  ASSERT_EQ(peers.refused.size(), 1U);
  EXPECT_EQ(peers.refused[0],
            "node a (10.3.3.0/24): not programmed: it has the VTEP MAC 02:00:00:00:00:02 of node "
            "b (10.3.2.0/24)");
}

TEST(Peers, ANodeThatCopiesAVtepMacTakesNothingFromItsOwner) {
  using std::chrono::seconds;
  Lease copy = vxlan_lease("10.3.2.0-24", "192.0.2.2", kGood);
  copy.node = "hostile";
  copy.since = UnixSeconds(seconds(1'800'000'000));
  Lease owner = vxlan_lease("10.3.3.0-24", "192.0.2.3", kGood);
  owner.node = "honest";
  owner.since = UnixSeconds(seconds(1'700'000'000));
  const auto peers = vxlan_peers(view_of({copy, owner}), own_lease());
  ASSERT_EQ(peers.of.at(Family::kIpv4).size(), 1U);
  EXPECT_EQ(peers.of.at(Family::kIpv4)[0].public_address, ip("192.0.2.3"));
  ASSERT_EQ(peers.refused.size(), 1U);
  EXPECT_EQ(peers.refused[0],
            "node hostile (10.3.2.0/24): not programmed: it has the VTEP MAC 02:00:00:00:00:02 of "
            "node honest (10.3.3.0/24)");
}

TEST(Peers, TwoThatPublishOneAddressAreNamed) {
  constexpr const char* kOther = R"({"VNI":1,"VtepMAC":"02:00:00:00:00:03"})";
  auto peers = vxlan_peers(view_of({vxlan_lease("10.3.2.0-24", "192.0.2.2", kGood),
                                    vxlan_lease("10.3.3.0-24", "192.0.2.2", kOther)}),
                           own_lease());
  EXPECT_EQ(peers.of.at(Family::kIpv4).size(), 2U);
  ASSERT_EQ(peers.refused.size(), 1U);
  EXPECT_EQ(peers.refused[0],
            "lease 10.3.3.0/24: it publishes the address 192.0.2.2, as does lease 10.3.2.0/24");
  // As behind a NAT that all nodes have alike.
  peers = vxlan_peers(view_of({vxlan_lease("10.3.2.0-24", "192.0.2.1", kGood)}), own_lease());
  ASSERT_EQ(peers.refused.size(), 1U);
  EXPECT_NE(peers.refused[0].find("as does lease 10.3.1.0/24"), std::string::npos);
}

TEST(Peers, APublicAddressThatNoNodeCanHaveIsRefused) {
  for (const char* address : {"127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"}) {
    const auto peers =
        vxlan_peers(view_of({vxlan_lease("10.3.2.0-24", address, kGood)}), own_lease());
    EXPECT_TRUE(peers.of.at(Family::kIpv4).empty()) << address;
    ASSERT_EQ(peers.refused.size(), 1U) << address;
    EXPECT_NE(peers.refused[0].find(address), std::string::npos) << peers.refused[0];
  }
}

TEST(Peers, ThisNodesOwnAddressIsNoGateway) {
  const auto leases = view_of({vxlan_lease("10.3.2.0-24", "192.0.2.1", kGood)});
  const auto peers =
      find_peers(vxlan_conf().networks, vxlan_peer_rules(VxlanBackend{.direct_routing = true}),
                 leases, own_lease());
  EXPECT_TRUE(peers.of.at(Family::kIpv4).empty());
  EXPECT_EQ(peers.refused, std::vector<std::string>{"lease 10.3.2.0/24: not programmed: it "
                                                    "publishes this node's own address 192.0.2.1"});
}

TEST(Peers, ThePodsOfThisNodeOnAnotherNodeAreRefused) {
  Lease own = own_lease();
  own.node = "own";
  Lease other = vxlan_lease("10.3.1.0-24", "192.0.2.2", kGood);
  other.node = "other";
  const auto peers = vxlan_peers(view_of({other}), own);
  EXPECT_TRUE(peers.of.at(Family::kIpv4).empty());
  ASSERT_EQ(peers.refused.size(), 1U);
  EXPECT_NE(peers.refused[0].find("node other"), std::string::npos);
}

TEST(Peers, WhatTheStoreCouldNotReadIsNamed) {
  LeaseView view = view_of({vxlan_lease("10.3.2.0-24", "192.0.2.2", kGood)});
  view.broken = {{"node evil", "it has no podCIDR"}};
  const auto peers = vxlan_peers(view, own_lease());
  EXPECT_EQ(peers.of.at(Family::kIpv4).size(), 1U);
  EXPECT_EQ(peers.refused, std::vector<std::string>{"node evil: not a lease: it has no podCIDR"});
}

TEST(VtepData, IsFlannelsText) {
  const auto data = VtepData::parse(kGood);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->to_json(), kGood);
}

}  // namespace
}  // namespace weft::overlay
