#include "service/kube_leftovers.h"

#include <gtest/gtest.h>

#include "kernel/iptables_save.h"
#include "service/iptables_update.h"

namespace weft::service {
namespace {

// What iptables-restore is told to do with a table.
std::string removal(const std::string& name, const std::string& text, const Leftovers& which = {}) {
  const auto tables = kernel::parse_iptables_save("*" + name + "\n" + text + "COMMIT\n");
  EXPECT_TRUE(tables) << tables.error().text();
  const auto goes = [&](std::string_view table, std::string_view chain) {
    return is_leftover(table, chain, which);
  };
  std::string all;
  for (const auto& script : restore_scripts(plan_iptables_removal(goes, *tables), 1000))
    all += script;
  return all;
}

TEST(KubeLeftovers, ChainsAndTheJumpsToThemGo) {
  EXPECT_EQ(removal("nat", R"(:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:FLANNEL-POSTRTG - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j OTHER-SERVICES
-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -j KUBE-SVC-AAAAAAAAAAAAAAAA
)"),
            R"(*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-X KUBE-SERVICES
-X KUBE-SVC-AAAAAAAAAAAAAAAA
COMMIT
)");
}

TEST(KubeLeftovers, AChainThatSomebodyElseUsesStays) {
  EXPECT_EQ(removal("nat", R"(:POSTROUTING ACCEPT [0:0]
:CNI-DN-1 - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -j KUBE-POSTROUTING
-A CNI-DN-1 -s 10.0.0.0/8 -j KUBE-MARK-MASQ
)"),
            R"(*nat
:KUBE-POSTROUTING - [0:0]
-D POSTROUTING -j KUBE-POSTROUTING
-X KUBE-POSTROUTING
COMMIT
)");
}

TEST(KubeLeftovers, WhatAChainThatStaysLeadsToStays) {
  EXPECT_EQ(removal("nat", R"(:OTHER - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]
-A OTHER -j KUBE-SEP-AAAAAAAAAAAAAAAA
-A KUBE-SEP-AAAAAAAAAAAAAAAA -s 10.0.0.1/32 -j KUBE-MARK-MASQ
)"),
            "*nat\n:KUBE-POSTROUTING - [0:0]\n-X KUBE-POSTROUTING\nCOMMIT\n");
}

TEST(KubeLeftovers, ChainsOfTheModeInUseStay) {
  const char* both = R"(:PREROUTING ACCEPT [0:0]
:KUBE-PORTALS-CONTAINER - [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -j KUBE-PORTALS-CONTAINER
-A PREROUTING -j KUBE-SERVICES
)";
  EXPECT_EQ(removal("nat", both, leftovers_beside("iptables")),
            "*nat\n:KUBE-PORTALS-CONTAINER - [0:0]\n-D PREROUTING -j KUBE-PORTALS-CONTAINER\n"
            "-X KUBE-PORTALS-CONTAINER\nCOMMIT\n");
  EXPECT_EQ(removal("nat", both, leftovers_beside("userspace")),
            "*nat\n:KUBE-SERVICES - [0:0]\n-D PREROUTING -j KUBE-SERVICES\n-X KUBE-SERVICES\n"
            "COMMIT\n");
}

TEST(KubeLeftovers, NothingIsDoneWhereNothingIsLeft) {
  EXPECT_EQ(removal("filter", R"(:INPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
)"),
            "");
}

TEST(KubeLeftovers, AreWhatTheModeDoesNotUse) {
  EXPECT_TRUE(leftovers_beside("nftables").iptables);
  EXPECT_FALSE(leftovers_beside("nftables").own_nftables);
  EXPECT_FALSE(leftovers_beside("iptables").iptables);
  EXPECT_TRUE(leftovers_beside("iptables").userspace);
  EXPECT_FALSE(leftovers_beside("userspace").userspace);
  EXPECT_TRUE(leftovers_beside("iptables").own_nftables);
}

}  // namespace
}  // namespace weft::service
