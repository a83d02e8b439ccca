#include "service/stale_flows.h"

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

using namespace test;

const FrontKey kFront{.address = ip("10.96.0.10"), .protocol = ServiceProtocol::kUdp, .port = 53};
const FrontKey kNodeFront{
    .address = ip("0.0.0.0"), .protocol = ServiceProtocol::kUdp, .port = 30053};

EndpointRecord at(const std::string& address) {
  return {.address = ip(address), .port = 5353};
}
PlannedService dns(std::vector<EndpointRecord> serving, const std::string& name = "dns") {
  return {.name = {"kube-system", name},
          .flows = {{.fronts = {kFront}, .serving = std::move(serving)}}};
}
std::vector<FrontKey> fronts(const std::vector<FlowFront>& suspects) {
  std::vector<FrontKey> keys;
  for (const auto& suspect : suspects) keys.push_back(suspect.front);
  return keys;
}

TEST(FlowBook, AsksForAFrontWhenItsFlowsCanHaveGoneStale) {
  FlowBook book;
  EXPECT_EQ(fronts(book.note({dns({})})), std::vector<FrontKey>());
  EXPECT_EQ(fronts(book.note({dns({at("10.0.0.1")})})), std::vector{kFront});
  EXPECT_EQ(fronts(book.note({dns({at("10.0.0.1")})})), std::vector<FrontKey>());
  EXPECT_EQ(fronts(book.note({dns({at("10.0.0.1"), at("10.0.0.2")})})), std::vector<FrontKey>());
  EXPECT_EQ(fronts(book.note({dns({at("10.0.0.2")})})), std::vector{kFront});
  EXPECT_EQ(fronts(book.note({dns({})})), std::vector{kFront});
  // One that is gone leaves its flows alone, as it leaves TCP's connections.
  EXPECT_EQ(fronts(book.note({{.name = {"kube-system", "dns"}}})), std::vector<FrontKey>());
  EXPECT_EQ(fronts(book.note({dns({at("10.0.0.2")})})), std::vector{kFront});
}

TEST(FlowBook, ANewFrontOfAnOldServiceIsAskedFor) {
  FlowBook book;
  book.note({dns({at("10.0.0.1")})});
  PlannedService more = dns({at("10.0.0.1")});
  more.flows[0].fronts.push_back(kNodeFront);
  EXPECT_EQ(fronts(book.note({more})), std::vector{kNodeFront});
}

TEST(FlowBook, FlowsOfARivalAreNotStale) {
  FlowBook book;
  const auto suspects = book.note({dns({at("10.0.0.9")}), dns({at("10.0.0.1")}, "rival")});
  ASSERT_EQ(fronts(suspects), std::vector{kFront});
  EXPECT_EQ(text(suspects[0].serving), "10.0.0.1:5353 10.0.0.9:5353 10.0.0.9:5353");
}

TEST(FlowBook, RelayedFlowsAreStaleWhenTheirFrontIsNewAndNeverAgain) {
  FlowBook book;
  const auto suspects = book.note(relayed_flows({dns({at("10.0.0.1")})}));
  ASSERT_EQ(fronts(suspects), std::vector{kFront});
  EXPECT_EQ(text(suspects[0].serving), "0.0.0.0:0");
  EXPECT_EQ(fronts(book.note(relayed_flows({dns({at("10.0.0.2")})}))), std::vector<FrontKey>());
  EXPECT_EQ(fronts(book.note(relayed_flows({dns({})}))), std::vector<FrontKey>());
  book.note(relayed_flows({{.name = {"kube-system", "dns"}}}));
  EXPECT_EQ(fronts(book.note(relayed_flows({dns({})}))), std::vector{kFront});
}

ConntrackEntry flow(const std::string& to, std::uint16_t port, const std::string& leads_to,
                    std::uint16_t leads_to_port) {
  return {.original = {.source = ip("10.244.1.20"),
                       .destination = ip(to),
                       .protocol = 17,
                       .source_port = 4000,
                       .destination_port = port},
          .reply = {.source = ip(leads_to),
                    .destination = ip("10.244.1.20"),
                    .protocol = 17,
                    .source_port = leads_to_port,
                    .destination_port = 4000}};
}

TEST(StaleFlows, AreThoseToTheFrontThatLeadElsewhere) {
  const FlowFront front{.front = kFront, .serving = {at("10.0.0.1"), at("10.0.0.2")}};
  const auto stale = [&](const ConntrackEntry& entry) { return is_stale(entry, front, {}); };
  EXPECT_FALSE(stale(flow("10.96.0.10", 53, "10.0.0.1", 5353)));
  EXPECT_TRUE(stale(flow("10.96.0.10", 53, "10.0.0.3", 5353)));
  EXPECT_TRUE(stale(flow("10.96.0.10", 53, "10.0.0.1", 53)));
  // One from before there were rules.
  EXPECT_TRUE(stale(flow("10.96.0.10", 53, "10.96.0.10", 53)));
  EXPECT_FALSE(stale(flow("10.96.0.11", 53, "10.0.0.3", 5353)));
  EXPECT_FALSE(stale(flow("10.96.0.10", 54, "10.0.0.3", 5353)));
  ConntrackEntry other = flow("10.96.0.10", 53, "10.0.0.3", 5353);
  other.original.protocol = 6;
  EXPECT_FALSE(stale(other));
  other = flow("10.96.0.10", 53, "10.0.0.3", 5353);
  other.zone = 3;
  EXPECT_FALSE(stale(other));
}

TEST(StaleFlows, APortOfTheNodeIsOneAtItsOwnAddresses) {
  const FlowFront front{.front = kNodeFront, .serving = {at("10.0.0.1")}};
  const std::set<IpAddress> own{ip("192.0.2.1")};
  EXPECT_TRUE(is_stale(flow("192.0.2.1", 30053, "10.0.0.3", 5353), front, own));
  EXPECT_FALSE(is_stale(flow("192.0.2.1", 30053, "10.0.0.1", 5353), front, own));
  EXPECT_TRUE(is_stale(flow("127.0.0.1", 30053, "127.0.0.1", 30053), front, own));
  // Somebody else's server has the same port.
  EXPECT_FALSE(is_stale(flow("203.0.113.5", 30053, "203.0.113.5", 30053), front, own));
}

TEST(StaleFlows, ServicesSayWhereTheirFlowsMayGo) {
  ServiceBoard board(kHere);
  Service service = web();
  service.ports[0].protocol = ServiceProtocol::kUdp;
  service.ports.push_back({.name = "tcp", .port = 80});
  board.put(service);
  board.put(slice(
      {endpoint("10.0.0.1"), not_ready(endpoint("10.0.0.2")), terminating(endpoint("10.0.0.3"))}));
  const auto planned = plan_services(board, board.take_changed(), {Family::kIpv4}, {});
  ASSERT_EQ(planned.size(), 1U);
  ASSERT_EQ(planned[0].flows.size(), 1U);
  EXPECT_EQ(planned[0].flows[0].fronts.size(), 1U);
  // Also one on the way out, which traffic no longer chooses.
  EXPECT_EQ(text(planned[0].flows[0].serving), "10.0.0.1:8080 10.0.0.3:8080");
}

}  // namespace
}  // namespace weft::service
