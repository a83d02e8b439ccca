// Whom a `forward` asks.
#include "dns/upstream_list.h"

#include <map>

#include <gtest/gtest.h>

namespace weft::dns {
namespace {

class UpstreamListTest : public ::testing::Test {
 protected:
  // The upstreams, a line each, and then what is noted.
  std::string listed() {
    const UpstreamList list =
        list_upstreams(options_, own_, [&](const std::string& path) -> std::optional<std::string> {
          const auto found = files_.find(path);
          return found == files_.end() ? std::nullopt : std::optional(found->second);
        });
    std::string text;
    for (const Upstream& each : list.upstreams) {
      text += each.transport == Upstream::Transport::kTls ? "tls " : "";
      text += each.address.to_string() + (each.tls_name.empty() ? "" : " " + each.tls_name) + "\n";
    }
    for (const std::string& note : list.notes) text += "! " + note + "\n";
    return text;
  }

  ForwardOptions options_;
  std::vector<IpAddress> own_ = {*IpAddress::parse("10.0.0.10")};
  std::map<std::string, std::string> files_;
};

TEST_F(UpstreamListTest, OfTheOptionsAndThenOfTheFiles) {
  options_.upstreams = {{.address = {.address = *IpAddress::parse("8.8.8.8"), .port = 53}}};
  options_.resolv_files = {"/etc/resolv.conf"};
  files_["/etc/resolv.conf"] = "nameserver 9.9.9.9\nnameserver 2620:fe::9\nnameserver 8.8.8.8\n";
  EXPECT_EQ(listed(), "8.8.8.8:53\n9.9.9.9:53\n[2620:fe::9]:53\n");
}

TEST_F(UpstreamListTest, TheNameOfTlsIsThatOfTheOptionsWhereNoneIsSaid) {
  options_.tls_name = "dns.example";
  for (const char* name : {"", "own.example"})
    options_.upstreams.push_back({.transport = Upstream::Transport::kTls,
                                  .address = {.address = *IpAddress::parse("9.9.9.9"), .port = 853},
                                  .tls_name = name});
  EXPECT_EQ(listed(), "tls 9.9.9.9:853 dns.example\ntls 9.9.9.9:853 own.example\n");
}

TEST_F(UpstreamListTest, ItselfIsNoUpstream) {
  options_.resolv_files = {"/etc/resolv.conf"};
  files_["/etc/resolv.conf"] = "nameserver 10.0.0.10\nnameserver 10.0.0.2\nnameserver 0.0.0.0\n";
  EXPECT_EQ(listed(),
            "10.0.0.2:53\n"
            "! /etc/resolv.conf: nameserver 10.0.0.10 is passed over: it is this server itself\n"
            "! /etc/resolv.conf: nameserver \"0.0.0.0\" is passed over: no address\n");
}

TEST_F(UpstreamListTest, InPlaceOfAStubItsOwnListIsRead) {
  options_.resolv_files = {"/etc/resolv.conf"};
  files_["/etc/resolv.conf"] = "nameserver 127.0.0.53\n";
  EXPECT_EQ(listed(),
            "! /etc/resolv.conf: nameserver 127.0.0.53 is passed over: a stub on this machine, "
            "which may ask us in turn\n");
  files_["/run/systemd/resolve/resolv.conf"] = "nameserver 192.168.1.1\n";
  EXPECT_EQ(listed(),
            "192.168.1.1:53\n"
            "! /etc/resolv.conf: nameserver 127.0.0.53 is passed over: a stub on this machine, "
            "which may ask us in turn\n"
            "! /run/systemd/resolve/resolv.conf is read in its place\n");
}

TEST_F(UpstreamListTest, AFileThatIsNotThereIsNoted) {
  options_.resolv_files = {"/etc/resolv.conf"};
  EXPECT_EQ(listed(), "! /etc/resolv.conf is not there: nobody can be asked for its sake\n");
}

TEST_F(UpstreamListTest, ThereAreFifteenAtMost) {
  options_.resolv_files = {"/a", "/b", "/c", "/d", "/e", "/f"};
  int last = 1;
  for (const std::string& path : options_.resolv_files)
    for (int i = 0; i < 3; ++i)
      files_[path] += "nameserver 192.0.2." + std::to_string(last++) + "\n";
  const std::string text = listed();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 15);
}

}  // namespace
}  // namespace weft::dns
