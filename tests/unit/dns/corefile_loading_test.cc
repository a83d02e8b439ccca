// A Corefile off the disk, and what counts as a change of it.
#include "dns/corefile_loading.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft::dns {
namespace {

using weft::test::must;

class CorefileLoadingTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    must(write_file_atomically(folder_.path() + "/" + name, text, 0644));
  }
  Result<LoadedCorefile> load() const {
    return load_corefile(folder_.path() + "/Corefile", 1053,
                         [](const char* name) -> std::optional<std::string> {
                           if (std::string(name) == "ZONE") return "env.example";
                           return std::nullopt;
                         });
  }
  std::string digest() const { return must(load()).digest; }

  weft::test::TempDir folder_;
};

TEST_F(CorefileLoadingTest, BringsInFilesBesideItAndTheEnvironment) {
  must(make_directories(folder_.path() + "/more"));
  write("more/a.server", "a.example {\n  whoami\n}\n");
  EXPECT_FALSE(([&] {
    write("Corefile", "import more/*.server\n");
    return load();
  }()))
      << "the plugin of the file is not known";
  write("more/a.server", "a.example {\n  any\n}\n");
  write("more/b.server", "{$ZONE} {\n  any\n}\n");
  const auto loaded = must(load());
  ASSERT_EQ(loaded.blocks.size(), 2U);
  EXPECT_EQ(loaded.blocks[0].zones[0].names[0].to_string(), "a.example.");
  EXPECT_EQ(loaded.blocks[1].zones[0].names[0].to_string(), "env.example.");
}

TEST_F(CorefileLoadingTest, EverythingThatIsReadCounts) {
  const std::string resolv = folder_.path() + "/resolv.conf";
  write("resolv.conf", "nameserver 192.0.2.1\n");
  write("part", "any\n");
  write("Corefile", ".:53 {\n  import part\n  forward . " + resolv + "\n}\n");
  const std::string first = digest();
  EXPECT_EQ(first.size(), 128U);
  EXPECT_EQ(digest(), first);
  write("part", "any\nerrors\n");
  const std::string second = digest();
  EXPECT_NE(second, first);
  write("resolv.conf", "nameserver 192.0.2.2\n");
  EXPECT_NE(digest(), second);
}

TEST_F(CorefileLoadingTest, AFaultNamesFileAndLine) {
  EXPECT_NE(load().error().text().find("Corefile: No such file"), std::string::npos);
  write("Corefile", ".:53 {\n  kubernets cluster.local\n}\n");
  EXPECT_EQ(load().error().text(),
            "Corefile:2: there is no plugin \"kubernets\"; did you mean kubernetes?");
  write("Corefile", ".:53 {\n  import part\n}\n");
  write("part", "errors\ncashe 30\n");
  EXPECT_NE(load().error().text().find("part:2: there is no plugin \"cashe\""), std::string::npos)
      << load().error().text();
}

}  // namespace
}  // namespace weft::dns
