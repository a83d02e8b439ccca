#include "service/service_status.h"

#include <gtest/gtest.h>

#include "support/service_verdicts.h"

namespace weft::service {
namespace {

using namespace test;
using std::chrono::seconds;

const std::vector<Family> kFamilies{Family::kIpv4, Family::kIpv6};
constexpr UnixSeconds kNow{seconds(1'000'000)};

// Services s0, s1, ... with one endpoint each.
ServiceBoard crowd(int services) {
  ServiceBoard board(kHere);
  for (int i = 0; i < services; ++i) {
    Service service = web();
    service.name.name = "s" + std::to_string(i);
    service.cluster_ips = {*ip("10.96.0.10").plus(static_cast<std::uint64_t>(i))};
    board.put(service);
  }
  return board;
}

Json status(const ServiceBoard& board) {
  return status_page(board, {}, 10, kFamilies, {.node = kHere}, kNow).services;
}

TEST(ServiceStatus, ShowsFrontsAndEndpointsWithTheirMarks) {
  ServiceBoard board(kHere);
  Service service = outside_local(exposed());
  service.external_ips = {};
  board.put(service);
  board.put(slice({endpoint("10.244.1.10", "here"), terminating(endpoint("10.244.2.10")),
                   not_ready(endpoint("10.244.2.11"))}));
  const Json web = status(board)[0];
  EXPECT_EQ(web["namespace"], "shop");
  EXPECT_EQ(web["name"], "web");
  const auto front = [](const char* kind, const Json& address, int port, const char* leads_to) {
    return Json{{"kind", kind},
                {"address", address},
                {"port", port},
                {"protocol", "UDP"},
                {"leads_to", leads_to}};
  };
  EXPECT_EQ(web["fronts"], (Json{front("cluster", "10.96.0.10", 80, "cluster"),
                                 front("load balancer", "203.0.113.1", 80, "local"),
                                 front("node port", Json(), kNodePort, "local")}))
      << web.dump(2);
  const auto point = [](const char* address, bool local, bool ready, bool serving, bool terminating,
                        bool used) {
    return Json{{"port_name", "http"}, {"protocol", "UDP"},
                {"address", address},  {"port", 8080},
                {"local", local},      {"ready", ready},
                {"serving", serving},  {"terminating", terminating},
                {"used", used}};
  };
  EXPECT_EQ(web["endpoints"], (Json{point("10.244.1.10", true, true, true, false, true),
                                    point("10.244.2.10", false, false, true, true, false),
                                    point("10.244.2.11", false, false, false, false, false)}))
      << web.dump(2);
}

TEST(ServiceStatus, SaysSinceWhenTheKernelHasAService) {
  ServiceBoard board = crowd(1);
  EXPECT_EQ(status(board)[0]["in_kernel_s"], Json());
  EXPECT_EQ(status(board)[0]["waiting"], true);
  board.take_changed();
  EXPECT_EQ(status(board)[0]["waiting"], true) << "taken, but not written yet";
  board.note_written(kNow - seconds(7));
  EXPECT_EQ(status(board)[0]["in_kernel_s"], 7);
  EXPECT_EQ(status(board)[0]["waiting"], false);

  Service changed = web();
  changed.name.name = "s0";
  changed.ports[0].port = 81;
  board.put(changed);
  EXPECT_EQ(status(board)[0]["waiting"], true);
  board.note_written(kNow);
  EXPECT_EQ(status(board)[0]["in_kernel_s"], 7) << "the change was not taken by then";
  board.take_changed();
  board.take_changed();
  board.note_written(kNow);
  EXPECT_EQ(status(board)[0]["in_kernel_s"], 0);
  EXPECT_EQ(status(board)[0]["waiting"], false);
  board.remove_service({"shop", "s0"});
  board.take_changed();
  board.note_written(kNow);
  EXPECT_EQ(status(board), Json::array());
}

TEST(ServiceStatus, ComesPageByPage) {
  const ServiceBoard board = crowd(5);
  std::vector<std::string> names;
  std::vector<std::size_t> sizes;
  std::optional<ServiceName> after;
  for (bool more = true; more;) {
    const StatusPage page = status_page(board, after, 2, kFamilies, {.node = kHere}, kNow);
    sizes.push_back(page.services.size());
    for (const auto& service : page.services) names.push_back(service["name"]);
    after = ServiceName{"shop", names.back()};
    more = page.more;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"s0", "s1", "s2", "s3", "s4"}));
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 2, 1}));
  EXPECT_FALSE(status_page(board, {}, 5, kFamilies, {.node = kHere}, kNow).more);
  EXPECT_TRUE(status_page(board, ServiceName{"z", "z"}, 2, kFamilies, {.node = kHere}, kNow)
                  .services.empty());
}

}  // namespace
}  // namespace weft::service
