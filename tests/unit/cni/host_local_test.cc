#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/files.h"
#include "cni/plugins/address_store.h"
#include "cni/plugins/host_local_config.h"
#include "support/temp_dir.h"
#include "unit/cni/call_of.h"

namespace weft::cni {
namespace {

IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

CniResult<RangeSet> set_of(const char* text) {
  return read_range_set(parse_json(text).value());
}

TEST(HostLocalRanges, DefaultsAreFilledIn) {
  struct {
    const char* text;
    const char* range;
    const char* gateway;
  } const cases[] = {
      {R"([{"subnet":"192.0.2.0/24"}])", "192.0.2.1-192.0.2.254", "192.0.2.1"},
      {R"([{"subnet":"192.0.2.0/30"}])", "192.0.2.1-192.0.2.2", "192.0.2.1"},
      {R"([{"subnet":"2001:db8:1::/64"}])", "2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff",
       "2001:db8:1::1"},
      {R"([{"subnet":"192.0.2.0/24","rangeStart":"192.0.2.40","rangeEnd":"192.0.2.50",
            "gateway":"192.0.2.254"}])",
       "192.0.2.40-192.0.2.50", "192.0.2.254"},
  };
  for (const auto& c : cases) {
    const auto set = set_of(c.text);
    ASSERT_TRUE(set) << set.error().message;
    EXPECT_EQ(to_string(*set), c.range);
    EXPECT_EQ((*set)[0].gateway, ip(c.gateway));
  }
}

TEST(HostLocalRanges, Refusals) {
  struct {
    const char* text;
    const char* message;
  } const cases[] = {
      {"[]", "empty range set"},
      {R"([{"subnet":"192.0.2.0/31"}])", "Network 192.0.2.0/31 too small to allocate from"},
      {R"([{"subnet":"2001:db8::/127"}])", "Network 2001:db8::/127 too small to allocate from"},
      {R"([{"subnet":"192.0.2.12/24"}])",
       "Network has host bits set. For a subnet mask of length 24 the network address is "
       "192.0.2.0"},
      {R"([{"subnet":"192.0.2.0/24","rangeStart":"192.0.3.0"}])",
       "RangeStart 192.0.3.0 not in network 192.0.2.0/24"},
      {R"([{"subnet":"192.0.2.0/24","rangeEnd":"192.0.4.0"}])",
       "RangeEnd 192.0.4.0 not in network 192.0.2.0/24"},
      {R"([{"subnet":"192.0.2.0/24","rangeStart":"192.0.2.9","rangeEnd":"192.0.2.5"}])",
       "RangeStart 192.0.2.9 is behind RangeEnd 192.0.2.5"},
      {R"([{"subnet":"10.0.0.0/24"},{"subnet":"2001:db8::/64"}])", "mixed address families"},
      {R"([{"subnet":"10.0.0.0/20"},{"subnet":"10.0.1.0/24"}])",
       "subnets 10.0.0.1-10.0.15.254 and 10.0.1.1-10.0.1.254 overlap"},
      {R"([{}])", "range: subnet: is missing"},
      {R"([{"subnet":"nonsense"}])", "range: subnet: invalid CIDR address: nonsense"},
  };
  for (const auto& c : cases) {
    const auto set = set_of(c.text);
    ASSERT_FALSE(set) << c.text;
    EXPECT_EQ(set.error().message, c.message);
  }
}

std::vector<std::string> walk(const RangeSet& set, std::optional<IpAddress> last) {
  std::vector<std::string> seen;
  RoundRobin candidates(set, last);
  while (const auto candidate = candidates.next()) {
    seen.push_back(candidate->address.to_string());
    if (seen.size() > 100) break;
  }
  return seen;
}

TEST(HostLocalRanges, RoundRobinWalksOnceAroundAndSkipsTheGateway) {
  using Texts = std::vector<std::string>;
  const auto small = *set_of(R"([{"subnet":"10.0.0.0/29"}])");
  EXPECT_EQ(walk(small, {}), (Texts{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"}));
  EXPECT_EQ(walk(small, ip("10.0.0.4")),
            (Texts{"10.0.0.5", "10.0.0.6", "10.0.0.2", "10.0.0.3", "10.0.0.4"}));
  EXPECT_EQ(walk(small, ip("10.0.0.6")), walk(small, {}));
  // A last address of another range begins anew.
  EXPECT_EQ(walk(small, ip("10.9.0.1")), walk(small, {}));
  const auto two = *set_of(R"([{"subnet":"10.0.0.0/30"},{"subnet":"10.0.1.0/30"}])");
  EXPECT_EQ(walk(two, ip("10.0.0.2")), (Texts{"10.0.1.2", "10.0.0.2"}));
  const auto only_gateway =
      *set_of(R"([{"subnet":"10.0.0.0/24","rangeStart":"10.0.0.1","rangeEnd":"10.0.0.1"}])");
  EXPECT_EQ(walk(only_gateway, {}), Texts{});
}

CniResult<HostLocalConfig> config_of(const std::string& text, const std::string& args = {}) {
  return read_host_local_config(CallOf(text, args).call);
}

TEST(HostLocalConfigTest, RangesOfAllPlacesInOrder) {
  const auto config = config_of(
      R"({"cniVersion":"0.3.1","name":"n","ipam":{"type":"host-local","subnet":"10.1.2.0/24",
          "ranges":[[{"subnet":"10.1.4.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]},
          "RuntimeConfig":{"ipRanges":[[{"Subnet":"10.1.1.0/24"}]],"ips":["10.1.2.7/24"]},
          "args":{"cni":{"ips":["10.1.2.11"]}}})",
      "IP=10.1.2.10;IgnoreUnknown=1;X=y");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->sets.size(), 3U);
  EXPECT_EQ(config->sets[0][0].subnet.to_string(), "10.1.1.0/24");
  EXPECT_EQ(config->sets[1][0].subnet.to_string(), "10.1.2.0/24");
  EXPECT_EQ(config->sets[2][0].subnet.to_string(), "10.1.4.0/24");
  EXPECT_EQ(config->requested,
            (std::vector<IpAddress>{ip("10.1.2.10"), ip("10.1.2.11"), ip("10.1.2.7")}));
  EXPECT_EQ(config->routes.size(), 1U);
  EXPECT_EQ(config->place.data_dir, "/var/lib/cni/networks");
}

TEST(HostLocalConfigTest, Refusals) {
  struct {
    const char* text;
    const char* message;
  } const cases[] = {
      {R"({"name":"n"})", "IPAM config missing 'ipam' key"},
      {R"({"name":"n","ipam":{}})", "no IP ranges specified"},
      {R"({"name":"n","ipam":{"ranges":[[]]}})", "invalid range set 0: empty range set"},
      {R"({"name":"n","cniVersion":"1.0.0","ipam":{"ranges":[[{"subnet":"10.0.0.0/16"}],
           [{"subnet":"10.0.1.0/24"}]]}})",
       "range set 0 overlaps with 1"},
      {R"({"name":"n","cniVersion":"0.2.0","ipam":{"ranges":[[{"subnet":"10.0.0.0/24"}],
           [{"subnet":"10.0.1.0/24"}]]}})",
       "CNI version 0.2.0 does not support more than 1 address per family"},
  };
  for (const auto& c : cases) {
    const auto config = config_of(c.text);
    ASSERT_FALSE(config) << c.text;
    EXPECT_EQ(config.error().message, c.message);
  }
  EXPECT_FALSE(config_of(R"({"name":"n","ipam":{"subnet":"10.0.0.0/24"}})", "IP=nonsense"));
}

TEST(HostLocalConfigTest, ResolvConf) {
  const Dns dns = parse_resolv_conf(
      "# comment\nnameserver 192.0.2.0\nnameserver\t192.0.2.1\ndomain example.com\n"
      "search a.dev b.dev\noptions four\noptions five six\n;nameserver 9.9.9.9\nnameserver\n");
  EXPECT_EQ(dns, (Dns{.nameservers = {"192.0.2.0", "192.0.2.1"},
                      .domain = "example.com",
                      .search = {"a.dev", "b.dev"},
                      .options = {"four", "five", "six"}}));
}

class AddressStoreTest : public testing::Test {
 protected:
  AddressStore open(std::chrono::milliseconds patience = std::chrono::seconds(5)) {
    auto store = AddressStore::open(data_.path(), "n", patience);
    EXPECT_TRUE(store) << store.error().message;
    return *std::move(store);
  }
  std::string file(const std::string& name) const { return data_.path() + "/n/" + name; }
  void write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(write_file_atomically(file(name), text, 0600, Survives::kProcess));
  }

  test::TempDir data_;
  const AddressOwner one_{.container_id = "c1", .ifname = "eth0"};
  const AddressOwner two_{.container_id = "c2", .ifname = "eth0"};
};

TEST_F(AddressStoreTest, KeepsTheFilesOfTheGoPlugin) {
  EXPECT_EQ(open().reserve(one_, ip("10.0.0.2"), 0), true);
  EXPECT_EQ(*read_file(file("10.0.0.2")), "c1\r\neth0");
  EXPECT_EQ(*read_file(file("last_reserved_ip.0")), "10.0.0.2");
  EXPECT_EQ(open().reserve(two_, ip("10.0.0.2"), 0), false);
  EXPECT_EQ(open().held_by(one_), std::vector{ip("10.0.0.2")});
  EXPECT_TRUE(open().release(one_));
  EXPECT_FALSE(read_file(file("10.0.0.2")));
  EXPECT_EQ(open().last_reserved(0), ip("10.0.0.2"));
  EXPECT_TRUE(open().release(one_));
}

TEST_F(AddressStoreTest, SeesWhatOthersChangedSinceItsIndexWasWritten) {
  EXPECT_EQ(open().reserve(one_, ip("10.0.0.2"), 0), true);
  for (int i = 3; i < 50; ++i) {
    const std::string name = "10.0.0." + std::to_string(i);
    write(name, "c2\r\neth0\n");
    EXPECT_EQ(open().held_by(two_), std::vector{ip(name)});
    EXPECT_EQ(open().held().value().size(), 2U);
    EXPECT_TRUE(remove_file(file(name)));
    EXPECT_EQ(open().held_by(two_)->size(), 0U);
  }
}

TEST_F(AddressStoreTest, ABrokenIndexIsMadeAnew) {
  EXPECT_EQ(open().reserve(one_, ip("10.0.0.2"), 0), true);
  for (const char* garbage : {"", "nonsense", "weft-hl2 "}) {
    write(".weft-index", garbage);
    EXPECT_EQ(open().held_by(one_), std::vector{ip("10.0.0.2")});
  }
}

TEST_F(AddressStoreTest, FilesOfOldTimesBelongToTheContainerWithAnyInterface) {
  open();
  write("10.0.0.7", "c1");
  write("10.0.0.8", " c1\r\neth1 ");
  EXPECT_EQ(open().held_by(one_), std::vector{ip("10.0.0.7")});
  EXPECT_TRUE(open().release(one_));
  EXPECT_FALSE(read_file(file("10.0.0.7")));
  EXPECT_TRUE(read_file(file("10.0.0.8")));
}

TEST_F(AddressStoreTest, OnlyNamesThatAreAddressesCount) {
  open();
  write("last_reserved_ip.0", "c1\r\neth0");
  write("notes", "c1\r\neth0");
  EXPECT_EQ(open().held_by(one_)->size(), 0U);
  EXPECT_TRUE(open().release(one_));
  EXPECT_TRUE(read_file(file("notes")));
  EXPECT_TRUE(read_file(file("last_reserved_ip.0")));
}

// What a power loss leaves: nobody has such an address, and it must not be lost for ever.
TEST_F(AddressStoreTest, AnEmptyFileIsNobodys) {
  open();
  write("10.0.0.2", "");
  write("10.0.0.3", std::string(8, '\0'));
  EXPECT_EQ(open().reserve(one_, ip("10.0.0.2"), 0), true);
  EXPECT_EQ(open().reserve(two_, ip("10.0.0.3"), 0), true);
}

TEST_F(AddressStoreTest, WaitsForTheLockOnlySoLong) {
  const AddressStore holder = open();
  const auto second = AddressStore::open(data_.path(), "n", std::chrono::milliseconds(30));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kTryAgainLater);
}

TEST_F(AddressStoreTest, PlacesInTheIndexAreUsedAgain) {
  for (int i = 0; i < 400; ++i) {
    AddressStore store = open();
    ASSERT_EQ(store.reserve(one_, ip("10.0.0.2"), 0), true);
    ASSERT_TRUE(store.release(one_));
  }
  EXPECT_LT(read_file(file(".weft-index"))->size(), 200U);
  EXPECT_EQ(open().held()->size(), 0U);
}

// As on a node whose pods all start at once. How long each waits is a bench's question.
TEST_F(AddressStoreTest, AThousandPodsSixteenAtATimeAllGetTheLock) {
  constexpr int kPods = 1000;
  constexpr int kAtOnce = 16;
  std::atomic<int> next{0};
  std::atomic<int> refused{0};
  std::vector<std::jthread> threads;
  for (int k = 0; k < kAtOnce; ++k)
    threads.emplace_back([&] {
      for (int i = next++; i < kPods; i = next++) {
        AddressStore store = open();
        const auto address = IpAddress::v4(0x0a000002U + static_cast<std::uint32_t>(i));
        const AddressOwner owner{.container_id = "c" + std::to_string(i), .ifname = "eth0"};
        if (store.reserve(owner, address, 0) != true) ++refused;
      }
    });
  threads.clear();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(open().held()->size(), static_cast<std::size_t>(kPods));
}

// After the machine was started anew: the index says another boot, the files are older.
class FormerBootsTest : public AddressStoreTest {
 protected:
  AddressStore open_releasing() {
    auto store =
        AddressStore::open(data_.path(), "n", std::chrono::seconds(5), FormerBoots::kReleased);
    EXPECT_TRUE(store) << store.error().message;
    return *std::move(store);
  }
  void make_old(const std::string& name) const {
    const timespec old[2] = {{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 1000, .tv_nsec = 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, file(name).c_str(), old, 0), 0);
  }
  void start_machine_anew() const {
    constexpr std::size_t kBootAt = 8;
    std::string index = *read_file(file(".weft-index"));
    index[kBootAt] = index[kBootAt] == 'x' ? 'y' : 'x';
    write(".weft-index", index);
  }
};

TEST_F(FormerBootsTest, AddressesOfAFormerBootAreReclaimed) {
  EXPECT_EQ(open_releasing().reserve(one_, ip("10.0.0.2"), 0), true);
  EXPECT_EQ(open_releasing().reserve(two_, ip("10.0.0.3"), 0), true);
  EXPECT_EQ(open_releasing().reclaim(), 0U);
  make_old("10.0.0.2");
  make_old("10.0.0.3");
  start_machine_anew();
  EXPECT_EQ(open_releasing().held_by(one_), std::vector{ip("10.0.0.2")});  // until it is asked for
  // What is written again in this boot is not meant any more.
  EXPECT_TRUE(open_releasing().release(two_));
  EXPECT_EQ(open_releasing().reserve(two_, ip("10.0.0.3"), 0), true);
  EXPECT_EQ(open_releasing().reclaim(ip("10.0.0.3")), false);
  EXPECT_EQ(open_releasing().reclaim(), 1U);
  EXPECT_EQ(open_releasing().held(), std::vector{ip("10.0.0.3")});
}

TEST_F(FormerBootsTest, WhatThisBootHasWrittenStaysWhoeverWroteIt) {
  EXPECT_EQ(open_releasing().reserve(one_, ip("10.0.0.2"), 0), true);
  make_old("10.0.0.2");
  start_machine_anew();
  write("10.0.0.4", "go\r\neth0");  // before our first call of this boot
  EXPECT_EQ(open_releasing().reclaim(), 1U);
  EXPECT_EQ(open_releasing().held(), std::vector{ip("10.0.0.4")});
}

TEST_F(FormerBootsTest, NothingIsReclaimedUnlessItIsAskedFor) {
  EXPECT_EQ(open().reserve(one_, ip("10.0.0.2"), 0), true);
  make_old("10.0.0.2");
  start_machine_anew();
  EXPECT_EQ(open().reclaim(), 0U);
  EXPECT_EQ(open().reclaim(ip("10.0.0.2")), false);
  // Nor when it is asked for later in the same boot: who runs is not known then.
  EXPECT_EQ(open_releasing().reclaim(), 0U);
}

}  // namespace
}  // namespace weft::cni
