#include "service/slice_digest.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

using namespace test;
using namespace endpoint_marks;

std::vector<EndpointRecord> merged(const std::vector<EndpointSlice>& slices,
                                   ServiceProtocol protocol = ServiceProtocol::kTcp,
                                   Family family = Family::kIpv4) {
  std::vector<SliceDigest> digests;
  for (const auto& each : slices)
    if (auto kept = digest(each, kHere)) digests.push_back(*std::move(kept));
  std::vector<const SliceDigest*> pointers;
  for (const auto& each : digests) pointers.push_back(&each);
  auto all = merge_endpoints(pointers, "http", protocol, family);
  std::reverse(pointers.begin(), pointers.end());
  EXPECT_EQ(merge_endpoints(pointers, "http", protocol, family), all);
  return all;
}

EndpointSlice changed(const std::function<void(EndpointSlice&)>& change) {
  EndpointSlice one = slice({endpoint("10.0.0.1")});
  change(one);
  return one;
}

struct Case {
  const char* name;
  std::vector<EndpointSlice> slices;
  std::string expected;
};

const Case kCases[] = {
    {"no_slice", {}, ""},
    {"one_endpoint", {slice({endpoint("10.0.0.1")})}, "10.0.0.1:8080"},
    {"all_slices_of_a_service_count",
     {slice({endpoint("10.0.0.2")}), slice({endpoint("10.0.0.1")}, "web-2")},
     "10.0.0.1:8080 10.0.0.2:8080"},
    {"by_number_and_not_by_text",
     {slice({endpoint("10.0.0.10"), endpoint("10.0.0.9")})},
     "10.0.0.9:8080 10.0.0.10:8080"},
    {"only_the_first_address_of_an_endpoint",
     {slice({{.addresses = {ip("10.0.0.1"), ip("10.0.0.2")}}})},
     "10.0.0.1:8080"},
    {"one_place_in_two_slices_is_one_endpoint",
     {slice({endpoint("10.0.0.1")}), slice({endpoint("10.0.0.1")}, "web-2")},
     "10.0.0.1:8080"},
    {"a_slice_of_no_service", {changed([](auto& s) { s.service.clear(); })}, ""},
    {"a_slice_of_names", {changed([](auto& s) { s.family.reset(); })}, ""},
    {"a_slice_for_another_proxy", {changed([](auto& s) { s.other_proxy = true; })}, ""},
    {"a_slice_of_a_headless_service", {changed([](auto& s) { s.headless_label = true; })}, ""},
    {"a_slice_of_the_other_family", {changed([](auto& s) { s.family = Family::kIpv6; })}, ""},
    {"a_port_without_a_number", {changed([](auto& s) { s.ports[0].port = 0; })}, ""},
    {"a_port_of_another_name", {changed([](auto& s) { s.ports[0].name = "https"; })}, ""},
    {"a_port_of_another_protocol",
     {changed([](auto& s) { s.ports[0].protocol = ServiceProtocol::kUdp; })},
     ""},
    {"no_ports", {changed([](auto& s) { s.ports.clear(); })}, ""},
    {"slices_may_have_other_numbers_for_a_port",
     {slice({endpoint("10.0.0.1")}), changed([](auto& s) {
        s.name = "web-2";
        s.ports[0].port = 9090;
      })},
     "10.0.0.1:8080 10.0.0.1:9090"},
    {"an_endpoint_without_address", {slice({Endpoint{}})}, ""},
    {"an_address_of_another_family_than_the_slice", {slice({endpoint("fd00::1")})}, ""},
};

TEST(SliceDigest, MergesWhatIsOfTheService) {
  for (const auto& each : kCases) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(text(merged(each.slices)), each.expected);
  }
}

TEST(SliceDigest, WeighsConditionsAndHintsForThisNode) {
  const auto marks = [](Endpoint endpoint) { return merged({slice({endpoint})}).at(0).marks; };
  EXPECT_EQ(marks(endpoint("10.0.0.1")), kReady | kServing);
  EXPECT_EQ(marks(endpoint("10.0.0.1", "here")), kReady | kServing | kLocal);
  EXPECT_EQ(marks(endpoint("10.0.0.1", "")), kReady | kServing);
  EXPECT_EQ(marks(terminating(endpoint("10.0.0.1"))), kServing | kTerminating);
  Endpoint hinted = endpoint("10.0.0.1");
  hinted.for_zones = {"west"};
  hinted.for_nodes = {"there", "here"};
  EXPECT_EQ(marks(hinted), kReady | kServing | kZoneHints | kNodeHints | kForThisNode);
  hinted.for_zones = {"west", "east"};
  hinted.for_nodes = {"there"};
  EXPECT_EQ(marks(hinted), kReady | kServing | kZoneHints | kForThisZone | kNodeHints);
}

TEST(SliceDigest, ANodeOfUnknownNameAndZoneHasNoEndpointsAndNoHints) {
  Endpoint nowhere = endpoint("10.0.0.1", "");
  nowhere.for_zones = {""};
  nowhere.for_nodes = {""};
  const auto kept = digest(slice({nowhere}), NodeFacts{}).value();
  EXPECT_EQ(kept.endpoints.at(0).marks, kReady | kServing | kNodeHints | kZoneHints);
}

TEST(SliceDigest, APlaceInTwoSlicesIsWhatIsMostAliveThere) {
  const auto both = [](Endpoint one, Endpoint other) {
    return merged({slice({std::move(one)}), slice({std::move(other)}, "web-2")}).at(0).marks;
  };
  const Endpoint live = endpoint("10.0.0.1");
  // A pod has the address of one that is on its way out.
  EXPECT_EQ(both(terminating(live), live), kReady | kServing);
  EXPECT_EQ(both(terminating(live), not_ready(live)), 0);
  EXPECT_EQ(both(not_ready(live), live), kReady | kServing);
  EXPECT_EQ(both(terminating(live, false), terminating(live)), kServing | kTerminating);
}

}  // namespace
}  // namespace weft::service
