#include "service/service_board.h"

#include <gtest/gtest.h>

#include "support/service_cases.h"

namespace weft::service {
namespace {

using namespace test;

using Names = std::vector<ServiceName>;
const ServiceName kWeb{"shop", "web"};
const ServiceName kOther{"shop", "other"};

// shop/web with an endpoint, listed and told of.
ServiceBoard settled() {
  ServiceBoard board(kHere);
  board.begin_services();
  board.put(web());
  board.end_services();
  board.begin_slices();
  board.put(slice({endpoint("10.0.0.1")}));
  board.end_slices();
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  return board;
}

std::size_t slices_of(const ServiceBoard& board, const ServiceName& name = kWeb) {
  const auto entry = board.find(name);
  return entry ? entry->slices.size() : 0;
}

TEST(ServiceBoard, IsCompleteWhenBothKindsHaveBeenListed) {
  ServiceBoard board(kHere);
  EXPECT_FALSE(board.complete());
  board.begin_services();
  board.put(web());
  board.end_services();
  EXPECT_FALSE(board.complete());
  board.begin_slices();
  EXPECT_FALSE(board.complete());
  board.end_slices();
  EXPECT_TRUE(board.complete());
}

TEST(ServiceBoard, TellsOfAServiceOnceHoweverOftenItChanged) {
  ServiceBoard board = settled();
  board.put(slice({endpoint("10.0.0.2")}));
  board.put(slice({endpoint("10.0.0.3")}, "web-2"));
  Service service = web();
  service.ports[0].port = 81;
  board.put(service);
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  EXPECT_EQ(board.take_changed(), Names{});
  EXPECT_EQ(slices_of(board), 2U);
  EXPECT_EQ(board.find(kWeb)->service->ports[0].port, 81);
}

TEST(ServiceBoard, WhatChangesNothingForAProxyIsNoNews) {
  ServiceBoard board = settled();
  Service service = web();
  service.version = "99";
  service.selector = {{"app", "web"}};
  board.put(service);
  EndpointSlice same = slice({endpoint("10.0.0.1")});
  same.version = "99";
  same.endpoints[0].hostname = "a";
  board.put(same);
  board.remove_slice("shop", "unknown");
  board.remove_service(kOther);
  EXPECT_EQ(board.take_changed(), Names{});
}

TEST(ServiceBoard, AServiceThatGoesOrIsNoLongerOursIsTold) {
  ServiceBoard board = settled();
  EXPECT_EQ(board.service_count(), 1U);
  Service headless = web();
  headless.headless = true;
  board.put(headless);
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  EXPECT_FALSE(board.find(kWeb));
  EXPECT_EQ(board.service_count(), 0U);
  board.put(web());
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  EXPECT_EQ(slices_of(board), 1U);
  board.remove_service(kWeb);
  board.remove_slice("shop", "web-1");
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  EXPECT_FALSE(board.find(kWeb));
}

TEST(ServiceBoard, SlicesMayComeBeforeTheirService) {
  ServiceBoard board(kHere);
  board.put(slice({endpoint("10.0.0.1")}));
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  EXPECT_FALSE(board.find(kWeb));
  board.put(web());
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  EXPECT_EQ(slices_of(board), 1U);
}

TEST(ServiceBoard, ASliceThatMovesToAnotherServiceChangesBoth) {
  ServiceBoard board = settled();
  EndpointSlice moved = slice({endpoint("10.0.0.1")});
  moved.service = "other";
  board.put(moved);
  EXPECT_EQ(board.take_changed(), (Names{kWeb, kOther}));
  EXPECT_EQ(slices_of(board), 0U);
  // And one that is for nobody any more, only the one that had it.
  board.put(slice({endpoint("10.0.0.1")}));
  board.take_changed();
  moved.service.clear();
  board.put(moved);
  EXPECT_EQ(board.take_changed(), Names{kWeb});
  EXPECT_EQ(slices_of(board), 0U);
}

TEST(ServiceBoard, AListRemovesWhatItDoesNotNameOnceItIsWhole) {
  ServiceBoard board = settled();
  Service other = web();
  other.name = kOther;
  board.begin_services();
  board.begin_slices();
  board.put(other);
  board.put(slice({endpoint("10.0.0.1")}, "web-2"));
  EXPECT_TRUE(board.find(kWeb));
  EXPECT_EQ(slices_of(board), 2U);
  board.end_services();
  board.end_slices();
  EXPECT_FALSE(board.find(kWeb));
  EXPECT_TRUE(board.find(kOther));
  EXPECT_EQ(board.take_changed(), (Names{kOther, kWeb}));
  board.remove_slice("shop", "web-1");
  EXPECT_EQ(board.take_changed(), Names{});
}

TEST(ServiceBoard, WhatAListNamesAndCannotReadCountsAsWhatItWas) {
  ServiceBoard board = settled();
  board.begin_services();
  board.begin_slices();
  board.keep_service(kWeb);
  board.keep_slice("shop", "web-1");
  board.keep_service(kOther);
  board.keep_slice("shop", "unknown");
  board.end_services();
  board.end_slices();
  EXPECT_EQ(board.take_changed(), Names{});
  EXPECT_EQ(board.names(), Names{kWeb});
  EXPECT_EQ(slices_of(board), 1U);
}

TEST(ServiceBoard, AListThatBreaksOffRemovesNothing) {
  ServiceBoard board = settled();
  board.begin_services();
  board.begin_slices();
  board.begin_services();
  board.begin_slices();
  board.put(web());
  board.put(slice({endpoint("10.0.0.1")}));
  board.end_services();
  board.end_slices();
  EXPECT_EQ(board.take_changed(), Names{});
}

}  // namespace
}  // namespace weft::service
