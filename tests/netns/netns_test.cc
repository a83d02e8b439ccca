#include "kernel/netns.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "fresh_netns.h"
#include "kernel/sysctl.h"

namespace weft::kernel {
namespace {

using test::in_fresh_netns;
using test::must;

// A folder of the test's own, removed with it.
class OwnFolder {
 public:
  OwnFolder() : path_(testing::TempDir() + "weft-netns-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~OwnFolder() { EXPECT_TRUE(remove_tree(path_)); }
  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

TEST(Netns, AVisitEndsAtHome) {
  in_fresh_netns([](Rtnetlink&) {
    const Netns home = must(Netns::current());
    const Netns other = must(Netns::create());
    EXPECT_TRUE(must(home.same_as(must(Netns::current())))) << "create() moves the thread";
    EXPECT_FALSE(must(home.same_as(other)));
    {
      const auto visit = must(NetnsVisit::enter(other));
      EXPECT_TRUE(must(other.same_as(must(Netns::current()))));
    }
    EXPECT_TRUE(must(home.same_as(must(Netns::current()))));
  });
}

TEST(Netns, APlainFileAndNoFileAreRefusedInTheWordsThatRuntimesKnow) {
  const OwnFolder folder;
  const std::string plain = folder.file("plain");
  must(write_file_atomically(plain, "", 0600));
  const auto refused = Netns::open(plain);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what.find("unknown FS magic on \"" + plain + "\": "), 0U)
      << refused.error().what;

  const std::string missing = folder.file("missing");
  const auto absent = Netns::open(missing);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().what, "failed to Statfs \"" + missing + "\": no such file or directory");
  EXPECT_EQ(absent.error().number, ENOENT);
}

TEST(Netns, APinnedNamespaceOutlivesItsHandlesUntilUnpinned) {
  in_fresh_netns([](Rtnetlink&) {
    const OwnFolder folder;
    const std::string path = folder.file("pinned");
    {
      const Netns made = must(Netns::create());
      must(made.pin(path));
      EXPECT_EQ(made.pin(path).error().number, EEXIST);
      const auto visit = must(NetnsVisit::enter(made));
      must(must(Rtnetlink::open()).create({.name = "inside", .kind = "bridge"}));
    }
    {
      const Netns again = must(Netns::open(path));
      const auto visit = must(NetnsVisit::enter(again));
      EXPECT_TRUE(must(must(Rtnetlink::open()).link("inside")).has_value());
    }
    must(Netns::unpin(path));
    EXPECT_FALSE(Netns::open(path));
    must(Netns::unpin(path));
  });
}

TEST(Sysctl, SettingsOfDevicesWithDotsInTheirName) {
  in_fresh_netns([](Rtnetlink& rtnetlink) {
    must(rtnetlink.create({.name = "eth0.100", .kind = "bridge"}));
    const char* name = "net/ipv4/conf/eth0.100/proxy_arp";
    EXPECT_EQ(must(read_sysctl(name)), "0");
    must(write_sysctl(name, "1"));
    EXPECT_EQ(must(read_sysctl(name)), "1");
  });
}

TEST(Sysctl, BelongsToTheNamespaceInWhichTheThreadStands) {
  in_fresh_netns([](Rtnetlink&) {
    must(write_sysctl("net/ipv4/ip_forward", "1"));
    const Netns other = must(Netns::create());
    {
      const auto visit = must(NetnsVisit::enter(other));
      must(write_sysctl("net/ipv4/ip_forward", "0"));
      EXPECT_EQ(must(read_sysctl("net/ipv4/ip_forward")), "0");
    }
    EXPECT_EQ(must(read_sysctl("net/ipv4/ip_forward")), "1");
  });
}

TEST(Sysctl, NamesThatLeaveTheTreeAreRefused) {
  for (const char* name :
       {"net/../kernel/hostname", "..", "net/./ipv4", "", "/etc/passwd", "net//x"}) {
    EXPECT_FALSE(read_sysctl(name)) << name;
    EXPECT_FALSE(write_sysctl(name, "1")) << name;
  }
}

TEST(Sysctl, WhatTheKernelDoesNotHaveIsENOENT) {
  EXPECT_EQ(read_sysctl("net/ipv4/no_such_setting").error().number, ENOENT);
  EXPECT_EQ(write_sysctl("net/ipv4/no_such_setting", "1").error().number, ENOENT);
}

// The file is read-only: a write of another value fails, one of the same is never tried.
TEST(Sysctl, AValueThatIsThereAlreadyIsNotWritten) {
  const std::string release = must(read_sysctl("kernel/osrelease"));
  must(write_sysctl("kernel/osrelease", release));
  EXPECT_FALSE(write_sysctl("kernel/osrelease", release + "x"));
}

}  // namespace
}  // namespace weft::kernel
