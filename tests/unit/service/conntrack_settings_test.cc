#include "service/conntrack_settings.h"

#include <gtest/gtest.h>

namespace weft::service {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr char kMax[] = "net/netfilter/nf_conntrack_max";
constexpr char kBuckets[] = "net/netfilter/nf_conntrack_buckets";

TEST(ConntrackSettings, AreKubeProxysWhereNothingIsSaid) {
  EXPECT_EQ(conntrack_settings({}, 8, 65'536),
            (Sysctls{{kMax, "262144"},
                     {"net/netfilter/nf_conntrack_tcp_timeout_established", "86400"},
                     {"net/netfilter/nf_conntrack_tcp_timeout_close_wait", "3600"}}));
}

TEST(ConntrackSettings, TheTableHasAtLeastAFewEntriesAndEnoughBuckets) {
  EXPECT_EQ(conntrack_settings({}, 1, 1024).at(kMax), "131072");
  EXPECT_EQ(conntrack_settings({}, 1, 1024).at(kBuckets), "32768");
  EXPECT_FALSE(conntrack_settings({}, 1, 65'536).contains(kBuckets)) << "never fewer";
  EXPECT_FALSE(conntrack_settings({}, 1, std::nullopt).contains(kBuckets));
}

TEST(ConntrackSettings, WhatIsZeroStaysAsItIs) {
  EXPECT_EQ(conntrack_settings({.max_per_core = 0,
                                .tcp_established_timeout = hours(0),
                                .tcp_close_wait_timeout = hours(0)},
                               8, 1024),
            Sysctls());
  EXPECT_EQ(conntrack_settings({.max_per_core = 0,
                                .tcp_established_timeout = hours(0),
                                .tcp_close_wait_timeout = seconds(60),
                                .tcp_be_liberal = true,
                                .udp_timeout = seconds(30),
                                .udp_stream_timeout = seconds(120)},
                               8, 1024),
            (Sysctls{{"net/netfilter/nf_conntrack_tcp_be_liberal", "1"},
                     {"net/netfilter/nf_conntrack_tcp_timeout_close_wait", "60"},
                     {"net/netfilter/nf_conntrack_udp_timeout", "30"},
                     {"net/netfilter/nf_conntrack_udp_timeout_stream", "120"}}));
}

}  // namespace
}  // namespace weft::service
