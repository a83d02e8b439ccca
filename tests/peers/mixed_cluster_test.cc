// Clusters of three nodes of which some run flannel's own flanneld and some weftd.
#include <algorithm>
#include <functional>

#include "flannel_cluster.h"

namespace weft::test {
namespace {

struct Mix {
  std::string name;
  StoreKind store;
  std::string backend;
  std::vector<Program> programs;
};

std::string net_conf(const std::string& backend) {
  return R"({"Network":"10.244.0.0/16","Backend":{"Type":")" + backend + R"("}})";
}

std::vector<Mix> every_mix(const std::vector<std::string>& etcd_backends,
                           const std::vector<std::string>& kube_backends) {
  constexpr auto kTheirs = Program::kFlannel;
  constexpr auto kOurs = Program::kWeft;
  std::vector<Mix> mixes;
  const auto add = [&](const std::string& where, StoreKind store, const std::string& backend) {
    std::string name = where + "_" + backend;
    std::replace(name.begin(), name.end(), '-', '_');
    mixes.push_back({name + "_one_of_ours", store, backend, {kTheirs, kTheirs, kOurs}});
    mixes.push_back({name + "_two_of_ours", store, backend, {kTheirs, kOurs, kOurs}});
  };
  for (const auto& backend : etcd_backends) add("etcd", StoreKind::kEtcd, backend);
  for (const auto& backend : kube_backends) add("kubernetes", StoreKind::kKubernetes, backend);
  return mixes;
}

class MixedCluster : public testing::TestWithParam<Mix> {
 protected:
  void SetUp() override {
    for (const Program program : GetParam().programs)
      members_.push_back(&cluster_->join(static_cast<int>(members_.size()) + 1, program));
  }
  Program program_of(std::size_t i) const { return GetParam().programs[i]; }

  void expect_all_connected(const std::string& when) {
    for (std::size_t i = 0; i < members_.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        EXPECT_TRUE(connected(*members_[i], *members_[j]))
            << members_[i]->name() << " and " << members_[j]->name() << " " << when;
  }
  void again(std::size_t i, int signal, const std::function<void()>& meanwhile = {}) {
    members_[i]->daemon.end(signal);
    if (meanwhile) meanwhile();
    cluster_->start(*members_[i], program_of(i));
  }

  std::unique_ptr<FlannelCluster> cluster_ =
      FlannelCluster::create(GetParam().store, net_conf(GetParam().backend));
  std::vector<Member*> members_;
};

TEST_P(MixedCluster, AllPairsMeetAlsoAfterRestartsUntilANodeLeaves) {
  expect_all_connected("at first");
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Prefix before = members_[i]->subnet();
    again(i, i == 1 ? SIGKILL : SIGTERM);
    EXPECT_EQ(members_[i]->subnet(), before);
  }
  expect_all_connected("after restarts");
  // The first node is theirs, the last one ours, and the one between stays.
  Member& stays = *members_[1];
  for (Member* leaver : {members_[0], members_[2]}) {
    cluster_->leave(*leaver);
    EXPECT_TRUE(cut_off(stays, *leaver)) << leaver->name();
  }
}
INSTANTIATE_TEST_SUITE_P(, MixedCluster,
                         testing::ValuesIn(every_mix({"vxlan", "host-gw", "udp"},
                                                     {"vxlan", "host-gw"})),
                         [](const auto& instance) { return instance.param.name; });

// On both sides a program reads and writes every packet: of all sizes, around that of one
// fragment and up to the largest.
TEST(MixedTunnels, EachCarriesTheOthersPackets) {
  const auto cluster = FlannelCluster::create(StoreKind::kEtcd, net_conf("udp"));
  const Member& theirs = cluster->join(1, Program::kFlannel);
  const Member& ours = cluster->join(2, Program::kWeft);
  ASSERT_TRUE(connected(theirs, ours));
  constexpr std::size_t kMegabyte = 1 << 20;
  EXPECT_TRUE(streams(*theirs.pod, *ours.pod, 8 * kMegabyte));
  EXPECT_TRUE(streams(*ours.pod, *theirs.pod, 8 * kMegabyte));
  for (const std::size_t size : {0, 1, 1443, 1444, 1445, 9000, 65507}) {
    EXPECT_TRUE(datagram_arrives(*theirs.pod, *ours.pod, size)) << size;
    EXPECT_TRUE(datagram_arrives(*ours.pod, *theirs.pod, size)) << size;
  }
}

using MixedVteps = MixedCluster;

TEST_P(MixedVteps, ANewMacIsFollowed) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Prefix subnet = members_[i]->subnet();
    const MacAddress mac = members_[i]->vtep().mac;
    again(i, SIGTERM, [&] { cluster_->forget_vtep(*members_[i]); });
    EXPECT_NE(members_[i]->vtep().mac, mac);
    EXPECT_EQ(members_[i]->subnet(), subnet);
    expect_all_connected("after a new MAC of " + members_[i]->name());
  }
}
INSTANTIATE_TEST_SUITE_P(, MixedVteps, testing::ValuesIn(every_mix({"vxlan"}, {"vxlan"})),
                         [](const auto& instance) { return instance.param.name; });

using MixedAddresses = MixedCluster;

// Theirs notices with a restart, and takes another subnet from etcd then; ours at once.
TEST_P(MixedAddresses, ANewAddressIsFollowed) {
  const auto readdress = [&](Member& member) {
    const std::string former = member.address;
    member.address = "192.0.2.1" + std::to_string(member.number);
    member.node->sh("ip addr del " + former + "/24 dev eth0");
    member.node->sh("ip addr add " + member.address + "/24 dev eth0");
  };
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (program_of(i) == Program::kFlannel)
      again(i, SIGTERM, [&] { readdress(*members_[i]); });
    else
      readdress(*members_[i]);
    expect_all_connected("after a new address of " + members_[i]->name());
  }
}
std::vector<Mix> address_mixes() {
  constexpr auto kTheirs = Program::kFlannel;
  constexpr auto kOurs = Program::kWeft;
  return {{"etcd_vxlan", StoreKind::kEtcd, "vxlan", {kOurs, kOurs, kOurs}},
          {"kubernetes_vxlan", StoreKind::kKubernetes, "vxlan", {kTheirs, kOurs, kOurs}},
          {"kubernetes_host_gw", StoreKind::kKubernetes, "host-gw", {kTheirs, kTheirs, kOurs}}};
}
INSTANTIATE_TEST_SUITE_P(, MixedAddresses, testing::ValuesIn(address_mixes()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace weft::test
