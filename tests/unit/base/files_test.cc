#include "base/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace weft {
namespace {

using Names = std::vector<std::string>;

class FilesTest : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return folder_.path() + "/" + name; }
  test::TempDir folder_;
};

TEST_F(FilesTest, ReplacesAndReads) {
  const ::mode_t before = ::umask(077);
  ASSERT_TRUE(write_file_atomically(at("file"), "first", 0644));
  ::umask(before);
  ASSERT_TRUE(write_file_atomically(at("file"), std::string("a\0b", 3), 0644));
  EXPECT_EQ(*read_file(at("file")), std::string("a\0b", 3));
  struct stat info {};
  ASSERT_EQ(::stat(at("file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0644U) << "whatever the umask says";
  EXPECT_EQ(*list_directory(folder_.path()), Names{"file"}) << "no temporary stays";
}

TEST_F(FilesTest, ReadingHasALimit) {
  ASSERT_TRUE(write_file_atomically(at("file"), std::string(1000, 'x'), 0600));
  EXPECT_TRUE(read_file(at("file"), 1000));
  EXPECT_FALSE(read_file(at("file"), 999));
}

TEST_F(FilesTest, TroubleNamesThePathAndTheReason) {
  const auto missing = read_file(at("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().number, ENOENT);
  EXPECT_EQ(missing.error().what, "reading " + at("missing") + ": No such file or directory");
  EXPECT_FALSE(write_file_atomically(at("no/such/folder"), "x", 0600));
  EXPECT_FALSE(read_file(folder_.path()));
  ASSERT_TRUE(write_file_atomically(at("file"), "", 0600));
  EXPECT_EQ(list_directory(at("file")).error().number, ENOTDIR);
  EXPECT_EQ(make_directories(at("file/below")).error().number, ENOTDIR);
  EXPECT_FALSE(write_file_atomically(folder_.path(), "x", 0600)) << "a folder in its place";
}

TEST_F(FilesTest, OneOfManyCreatesExclusively) {
  std::atomic<int> created{0};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        const Status status = create_file_exclusively(at("file"), std::to_string(i), 0600);
        if (status) ++created;
        if (!status && status.error().number == EEXIST) ++refused;
      });
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(read_file(at("file"))->size(), 1U);
  EXPECT_EQ(*list_directory(folder_.path()), Names{"file"});
}

// A reader sees the old contents or the new ones, and always whole.
TEST_F(FilesTest, ReadersSeeWholeFiles) {
  const std::string old(5000, 'a');
  const std::string fresh(9000, 'b');
  ASSERT_TRUE(write_file_atomically(at("file"), old, 0600));
  const std::jthread writer([&] {
    for (int i = 0; i < 50; ++i)
      ASSERT_TRUE(write_file_atomically(at("file"), i % 2 == 0 ? fresh : old, 0600));
  });
  for (int i = 0; i < 300; ++i) {
    const auto seen = read_file(at("file"));
    ASSERT_TRUE(seen);
    ASSERT_TRUE(*seen == old || *seen == fresh) << seen->size();
  }
}

TEST_F(FilesTest, Folders) {
  ASSERT_TRUE(make_directories(at("a/b//c/")));
  ASSERT_TRUE(make_directories(at("a/b/c")));
  ASSERT_TRUE(write_file_atomically(at("a/z"), "", 0600));
  ASSERT_TRUE(write_file_atomically(at("a/.hidden"), "", 0600));
  EXPECT_EQ(*list_directory(at("a")), (Names{".hidden", "b", "z"}));
  EXPECT_EQ(*list_directory(at("missing")), Names{});
}

TEST_F(FilesTest, RemovesWhatAKilledWriterLeft) {
  for (const char* name : {"a", ".a.tmp-17-0", ".a.tmp-18-3", "b", ".b.tmp-17-0", ".ab.tmp-1-0"})
    ASSERT_TRUE(write_file_atomically(at(name), "x", 0600, Survives::kProcess));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(remove_leftovers(at("a")));
  EXPECT_EQ(*list_directory(folder_.path()), (Names{".ab.tmp-1-0", ".b.tmp-17-0", "a", "b"}));
  EXPECT_TRUE(remove_leftovers(at("no/such/file")));
}

TEST_F(FilesTest, RemovesTreesButFollowsNoLink) {
  ASSERT_TRUE(make_directories(at("tree/inner")));
  ASSERT_TRUE(make_directories(at("outside")));
  ASSERT_TRUE(write_file_atomically(at("outside/kept"), "", 0600));
  ASSERT_TRUE(write_file_atomically(at("tree/inner/file"), "", 0600));
  ASSERT_EQ(::symlink(at("outside").c_str(), at("tree/link").c_str()), 0);
  ASSERT_TRUE(remove_tree(at("tree")));
  EXPECT_EQ(*list_directory(folder_.path()), Names{"outside"});
  EXPECT_TRUE(read_file(at("outside/kept")));
  EXPECT_TRUE(remove_tree(at("tree"))) << "what is not there is success";
  EXPECT_TRUE(remove_file(at("nothing")));
  EXPECT_FALSE(remove_file(at("outside")));
}

}  // namespace
}  // namespace weft
