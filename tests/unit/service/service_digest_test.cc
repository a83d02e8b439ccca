#include "service/service_digest.h"

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

using namespace test;

TEST(Misfits, AreWhatNoClusterAddressIsOfTheFamilyOf) {
  Service service = web();
  service.external_ips = {ip("198.51.100.1"), ip("2001:db8::1")};
  service.load_balancer_ips = {ip("2001:db8::2")};
  service.load_balancer_source_ranges = {prefix("192.0.2.0/24"), prefix("fd00::/8")};
  EXPECT_EQ(misfits(service),
            (std::vector<std::string>{
                "2001:db8::1 in externalIPs has incorrect IP version",
                "2001:db8::2 in status.loadBalancer.ingress has incorrect IP version",
                "fd00::/8 in loadBalancerSourceRanges has incorrect IP version"}));
  service.cluster_ips.push_back(ip("fd00:96::1"));
  EXPECT_TRUE(misfits(service).empty());
}

TEST(Misfits, OfWhatIsNotForTheProxyAreNone) {
  Service service = web();
  service.external_ips = {ip("2001:db8::1")};
  service.other_proxy = true;
  EXPECT_TRUE(misfits(service).empty());
}

}  // namespace
}  // namespace weft::service
