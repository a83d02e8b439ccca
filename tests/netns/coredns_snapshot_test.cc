// `weftd coredns` that starts with the names of an earlier run.
#include <sys/stat.h>
#include <unistd.h>

#include "base/unix_time.h"
#include "netns/coredns_fixture.h"

namespace weft::dns {
namespace {

using weft::test::eventually;
using weft::test::must;

constexpr char kCorefile[] = R"(.:53 {
    errors
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       startup_timeout 6s
    }
    prometheus :9153
}
)";

class CorednsSnapshot : public CorednsFixture {
 protected:
  CorednsSnapshot() {
    write("Corefile", kCorefile);
    write("objects/all.yaml", kObjects);
  }
  void begin() { start({"-snapshot-dir", path("names")}); }
  // The one file in the folder, whole.
  std::string file() const {
    const auto names = list_directory(path("names")).value_or(std::vector<std::string>());
    return names.size() == 1 ? path("names/" + names[0]) : "";
  }
  // A first run that has written its names down and was killed.
  void run_once() {
    begin();
    ASSERT_TRUE(is_ready()) << said();
    ASSERT_TRUE(eventually([&] { return !file().empty(); })) << said();
    daemon_->end(SIGKILL);
  }
  void take_folder_away() { ASSERT_EQ(::rename(folder_.c_str(), path("away").c_str()), 0); }
  void write_away(const std::string& file, const std::string& text) {
    must(write_file_atomically(path("away/" + file), text, 0644));
  }
  void bring_folder_back() { ASSERT_EQ(::rename(path("away").c_str(), folder_.c_str()), 0); }
  static bool answers() {
    return eventually([] { return dig("web.shop.svc.cluster.local") == "NOERROR A 10.96.0.10"; });
  }
  static std::string explained(const std::string& name) {
    return run({"dig", "@127.0.0.1", "+tries=1", "+time=5", name});
  }
};

TEST_F(CorednsSnapshot, IsServedUntilTheClusterHasBeenRead) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    run_once();
    take_folder_away();
    begin();
    ASSERT_TRUE(answers()) << said();
    EXPECT_TRUE(has(explained("web.shop.svc.cluster.local"), "EDE: 3 (Stale Answer)"));
    EXPECT_EQ(dig("db-0.db.shop.svc.cluster.local"), "NOERROR A 10.244.1.5");
    EXPECT_EQ(dig("5.1.244.10.in-addr.arpa", "PTR"), "NOERROR PTR db-0.db.shop.svc.cluster.local.");
    EXPECT_EQ(dig("empty.svc.cluster.local"), "NOERROR");
    EXPECT_TRUE(has(explained("none.shop.svc.cluster.local"), "EDE: 14 (Not Ready)"))
        << "as long as the cluster may still come, nothing is denied";
    EXPECT_TRUE(has(http("http://127.0.0.1:8181/ready"), " 503 "));
    EXPECT_TRUE(has(http("http://127.0.0.1:9153/metrics"),
                    "coredns_kubernetes_names_stale{server=\"dns://:53\",zones=\".\"} 1\n"));
    EXPECT_TRUE(has(said(), "names are as they were at 20")) << said();

    ASSERT_TRUE(is_ready()) << said();
    const std::string denied = explained("none.shop.svc.cluster.local");
    EXPECT_TRUE(has(denied, "status: NXDOMAIN")) << denied;
    EXPECT_TRUE(has(denied, "EDE: 19 (Stale NXDOMAIN Answer)")) << denied;

    write_away("all.yaml",
               "kind: Service\nmetadata: {name: web, namespace: shop}\n"
               "spec: {clusterIP: 10.96.0.99}\n");
    bring_folder_back();
    EXPECT_TRUE(
        eventually([] { return dig("web.shop.svc.cluster.local") == "NOERROR A 10.96.0.99"; }));
    EXPECT_EQ(dig("db.shop.svc.cluster.local"), "NXDOMAIN") << "nothing of the file is left";
    EXPECT_FALSE(has(explained("web.shop.svc.cluster.local"), "EDE"));
    EXPECT_TRUE(has(http("http://127.0.0.1:9153/metrics"),
                    "names_stale{server=\"dns://:53\",zones=\".\"} 0\n"));
  });
}

TEST_F(CorednsSnapshot, IsWrittenAtTheEnd) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    begin();
    ASSERT_TRUE(is_ready()) << said();
    ASSERT_TRUE(eventually([&] { return !file().empty(); })) << said();
    write("objects/late.yaml",
          "kind: Service\nmetadata: {name: late, namespace: new}\nspec: {clusterIP: 10.96.0.11}\n");
    ASSERT_TRUE(
        eventually([] { return dig("late.new.svc.cluster.local") == "NOERROR A 10.96.0.11"; }));
    daemon_->end(SIGTERM);
    take_folder_away();
    begin();
    ASSERT_TRUE(answers()) << said();
    EXPECT_EQ(dig("late.new.svc.cluster.local"), "NOERROR A 10.96.0.11");
  });
}

TEST_F(CorednsSnapshot, KilledAtAnyMomentTheFileIsWhole) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    run_once();
    for (int i = 0; i < 10; ++i) {
      begin();
      ASSERT_TRUE(answers()) << said();
      // The first writing is on its way about now.
      ::usleep(static_cast<useconds_t>(i) * 2'000);
      daemon_->end(SIGKILL);
    }
    take_folder_away();
    begin();
    ASSERT_TRUE(answers()) << said();
    EXPECT_FALSE(has(said(), "are not used")) << said();
    bring_folder_back();
    ASSERT_TRUE(eventually([&] { return has(said(), "all services are read"); }));
    EXPECT_TRUE(eventually([&] { return !file().empty(); })) << "nothing torn is left beside it";
  });
}

TEST_F(CorednsSnapshot, AFileThatIsNoneIsToldAndNotUsed) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    run_once();
    take_folder_away();
    const std::string whole = must(read_file(file()));
    std::string newer = whole;
    newer[11] = 2;
    struct Case {
      std::string bytes;
      const char* says;
    };
    const Case cases[] = {{whole.substr(0, whole.size() / 2), "cut off"},
                          {"", "no snapshot"},
                          {newer, "version 2"},
                          {std::string(33U << 20U, 'x'), "larger than"}};
    for (const Case& each : cases) {
      must(write_file_atomically(file(), each.bytes, 0600));
      begin();
      EXPECT_TRUE(eventually([&] { return has(said(), each.says); })) << each.says << said();
      EXPECT_TRUE(eventually([] {
        return has(explained("web.shop.svc.cluster.local"), "EDE: 14 (Not Ready)");
      })) << said();
      daemon_->end(SIGKILL);
    }
  });
}

// A root file system that cannot be written, as a container has it, for a user who is not root.
TEST_F(CorednsSnapshot, AFolderThatCannotBeWrittenIsToldAndNothingElse) {
  weft::test::in_fresh_netns([&](kernel::Rtnetlink&) {
    start({"-snapshot-dir", "/proc/names"});
    ASSERT_TRUE(is_ready()) << said();
    EXPECT_TRUE(answers());
    EXPECT_TRUE(eventually([&] { return has(said(), "cannot be kept for the next start"); }));
  });
}

}  // namespace
}  // namespace weft::dns
