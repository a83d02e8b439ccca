// service_node.h: a mode of the service proxy at work in one namespace, and what becomes of packets
// to its services.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "service/proxy_mode.h"
#include "support/service_lab.h"
#include "support/service_verdicts.h"

namespace weft::service::test {

/// What the tests of the modes say of the node that they run on.
inline RuleOptions rule_options(Family family) {
  const bool v4 = family == Family::kIpv4;
  return {.family = family,
          .detector = {.ranges = {prefix(v4 ? "10.244.0.0/16" : "fd00:244::/32")}},
          .service_ranges = {prefix(v4 ? "10.96.0.0/12" : "fd00:96::/112")}};
}

/// Services of one family in one space.
class ServiceNode {
 public:
  /// `mode` was opened in that space.
  ServiceNode(const weft::test::Space& space, std::unique_ptr<ProxyMode> mode, Family family)
      : space_(space), mode_(std::move(mode)), family_(family) {
    space_.in([&] { weft::test::must(mode_->start({})); });
  }

  void put(const Service& service, const std::vector<Endpoint>& endpoints) {
    PlannedService change{.name = service.name, .created = service.created};
    change.plans.emplace(family_, planned(service, endpoints));
    apply(change);
  }
  void remove(const ServiceName& name) { apply({.name = name}); }
  ServicePlan planned(const Service& service, const std::vector<Endpoint>& endpoints) const {
    EndpointSlice of_service = slice(endpoints, service.name.name + "-1", family_);
    of_service.service = service.name.name;
    return plan(service, {of_service}, {.node = kHere}, family_);
  }
  /// What would have to be done to make the kernel what it should be; done it is as well.
  std::vector<std::string> repair() {
    return space_.in([&] { return weft::test::must(mode_->repair()); });
  }
  ProxyMode& mode() { return *mode_; }

 private:
  void apply(const PlannedService& change) {
    space_.in([&] { weft::test::must(mode_->apply({change})); });
    EXPECT_EQ(repair(), std::vector<std::string>{});
  }

  const weft::test::Space& space_;
  std::unique_ptr<ProxyMode> mode_;
  const Family family_;
};

/// How often each pod answered.
inline std::map<std::string, int> answers(const weft::test::Space& from, const IpAddress& address,
                                          std::uint16_t port, int questions) {
  std::map<std::string, int> counts;
  for (int i = 0; i < questions; ++i) {
    const std::string answer = weft::test::ask(from, address, port);
    ++counts[answer.substr(0, answer.find(' '))];
  }
  return counts;
}

/// One place that packets come from.
struct Origin {
  const weft::test::Space& space;
  IpAddress own;  ///< the address that they leave with
};

/// A word of a VerdictCase against what packets from one place meet at a front.
inline void expect_verdict(const weft::test::ServiceLab& lab, const std::string& word,
                           const Origin& from, const IpAddress& address, std::uint16_t port,
                           const PortPlan& plan) {
  if (word == "reject") {
    EXPECT_EQ(weft::test::ask(from.space, address, port), "refused");
    return;
  }
  if (word == "drop") {
    EXPECT_TRUE(weft::test::hears_nothing(from.space, address, port));
    return;
  }
  const bool masquerade = word.find("+masquerade") != std::string::npos;
  std::set<std::string> expected;
  for (const auto& endpoint : word.rfind("local", 0) == 0 ? plan.local : plan.cluster)
    expected.insert(endpoint.address == lab.pod(2, 10)
                        ? "there " + (masquerade ? lab.uplink(3, 1) : from.own).to_string()
                        : "here " + (masquerade ? lab.pod(1, 1) : from.own).to_string());
  std::set<std::string> seen;
  for (int i = 0; i < 100 && seen != expected; ++i) {
    const std::string answer = weft::test::ask(from.space, address, port);
    ASSERT_TRUE(expected.contains(answer)) << answer;
    seen.insert(answer);
  }
  EXPECT_EQ(seen, expected);
}

}  // namespace weft::service::test
