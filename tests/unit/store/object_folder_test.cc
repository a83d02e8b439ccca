#include "store/object_folder.h"

#include <atomic>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/lock_guarded.h"
#include "support/eventually.h"
#include "support/must.h"
#include "support/temp_dir.h"

namespace weft {
namespace {

using test::eventually;
using test::must;

// --- manifests
// ------------------------------------------------------------------------------------

std::string keys(std::string_view text) {
  const auto objects = read_manifests(text);
  if (!objects) return "error: " + objects.error().text();
  std::string all;
  for (const auto& each : *objects) all += (all.empty() ? "" : ", ") + each.key.to_string();
  return all;
}

TEST(Manifests, AreReadAsKubectlTakesThem) {
  EXPECT_EQ(keys("kind: Service\nmetadata: {name: web, namespace: shop}\n"), "Service shop/web");
  EXPECT_EQ(keys("kind: Service\nmetadata: {name: a}\n---\n---\nkind: Pod\nmetadata: {name: b}\n"),
            "Service default/a, Pod default/b");
  EXPECT_EQ(keys("{\t\"kind\": \"Service\", \"metadata\": {\"name\": \"web\"}}"),
            "Service default/web");
  EXPECT_EQ(keys("kind: List\nitems:\n- {kind: Pod, metadata: {name: a}}\n"
                 "- {kind: PodList, items: [{kind: Pod, metadata: {name: b}}]}\n"),
            "Pod default/a, Pod default/b");
  EXPECT_EQ(keys("kind: Node\nmetadata: {name: n, namespace: nonsense}\n"), "Node n");
  EXPECT_EQ(keys(""), "");
  EXPECT_EQ(must(read_manifests("kind: Pod\nmetadata: {name: a}\n"))[0].object["metadata"],
            Json({{"name", "a"}, {"namespace", "default"}}));
}

TEST(Manifests, WhatIsNoObjectIsRefusedWithAReason) {
  const std::pair<const char*, const char*> cases[] = {
      {"[1, 2]", "no object"},
      {"metadata: {name: a}", "no kind"},
      {"kind: Pod", "no metadata.name"},
      {"kind: Pod\nmetadata: nonsense", "no metadata.name"},
      {"kind: Pod\nmetadata: {name: 7}", "no metadata.name"},
      {"kind: List\nitems: [3]", "no object"},
      {"kind: Pod\nmetadata: {name: a}\n---\nkind: Pod\nmetadata: {name: a}", "is there twice"},
      {"a: b: c", "line"},
  };
  for (const auto& [text, reason] : cases) {
    SCOPED_TRACE(text);
    EXPECT_NE(keys(text).find(reason), std::string::npos) << keys(text);
    EXPECT_EQ(keys(text).substr(0, 6), "error:");
  }
}

std::string pod(const std::string& name, const std::string& image) {
  return "kind: Pod\nmetadata: {name: " + name + "}\nspec: {image: " + image + "}\n";
}

std::string text(const std::vector<ObjectCatalog::Change>& changes) {
  std::string all;
  for (const auto& change : changes)
    all += (all.empty() ? "" : ", ") + change.key.name + " " +
           (change.now ? (*change.now)["spec"]["image"].get<std::string>() : "gone");
  return all;
}

TEST(ObjectCatalog, TheFirstFileByNameHasAnObject) {
  ObjectCatalog catalog;
  const auto set = [&](const char* file, const std::string& manifests) {
    return text(catalog.set_file(file, must(read_manifests(manifests))));
  };
  EXPECT_EQ(set("b.yaml", pod("p", "one") + "---\n" + pod("q", "one")), "p one, q one");
  EXPECT_EQ(set("b.yaml", pod("p", "one") + "---\n" + pod("q", "one")), "");
  EXPECT_EQ(set("c.yaml", pod("p", "two")), "");
  ASSERT_EQ(catalog.doubles().size(), 1U);
  EXPECT_EQ(catalog.doubles()[0],
            "Pod default/p of c.yaml does not count: it is in b.yaml as well");
  EXPECT_EQ(set("a.yaml", pod("p", "three")), "p three");
  EXPECT_EQ(set("a.yaml", ""), "p one");
  EXPECT_EQ(set("b.yaml", pod("q", "two")), "p two, q two");
  EXPECT_TRUE(catalog.doubles().empty());
  EXPECT_EQ(catalog.files(), (std::set<std::string>{"b.yaml", "c.yaml"}));
  EXPECT_EQ(set("b.yaml", ""), "q gone");
}

// --- the folder
// -----------------------------------------------------------------------------------

// The objects of a kind as lists and changes have left them, by name: their images.
class Images : public ObjectSink {
 public:
  using Map = std::map<std::string, std::string>;
  void begin() override { listed_.clear(), listing_ = true; }
  void end() override {
    listing_ = false;
    images_.with([&](Map& images) { images = listed_; });
    ++lists_;
  }
  void put(const ObjectKey& key, const Json& object) override {
    const auto image = object["spec"]["image"].get<std::string>();
    if (listing_)
      listed_[key.name] = image;
    else
      images_.with([&](Map& images) { images[key.name] = image; });
  }
  void remove(const ObjectKey& key) override {
    images_.with([&](Map& images) { images.erase(key.name); });
  }
  bool becomes(const Map& expected) {
    return eventually([&] { return images_.copy() == expected && lists_ > 0; });
  }
  Map now() { return images_.copy(); }

 private:
  bool listing_ = false;
  Map listed_;
  LockGuarded<Map> images_;
  std::atomic<int> lists_ = 0;
};

class ObjectFolderTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    must(write_file_atomically(folder_ + "/" + file, text, 0644));
  }
  void start() {
    folder_store_ = std::make_unique<ObjectFolder>(folder_, ObjectFolder::Sinks{{"Pod", &pods_}},
                                                   [this] { ++changes_; });
  }
  bool says(const std::string& words) {
    return eventually([&] {
      const Status health = folder_store_->health();
      return words.empty() ? health.has_value()
                           : !health && health.error().text().find(words) != std::string::npos;
    });
  }

  test::TempDir dir_;
  const std::string folder_ = dir_.path() + "/objects";
  Images pods_;
  std::atomic<int> changes_ = 0;
  std::unique_ptr<ObjectFolder> folder_store_;
};

TEST_F(ObjectFolderTest, FollowsItsFiles) {
  must(make_directories(folder_));
  write("a.yaml", pod("a", "one"));
  write("others.yaml", "kind: Secret\nmetadata: {name: s}\n");
  write("README.md", "no manifest: {");
  start();
  EXPECT_TRUE(pods_.becomes({{"a", "one"}}));
  EXPECT_TRUE(says(""));
  write("b.json", R"({"kind": "Pod", "metadata": {"name": "b"}, "spec": {"image": "one"}})");
  write(".hidden.yaml", pod("hidden", "one"));
  EXPECT_TRUE(pods_.becomes({{"a", "one"}, {"b", "one"}}));
  write("a.yaml", pod("a", "two"));
  EXPECT_TRUE(pods_.becomes({{"a", "two"}, {"b", "one"}}));
  must(remove_file(folder_ + "/a.yaml"));
  EXPECT_TRUE(pods_.becomes({{"b", "one"}}));
  EXPECT_GT(changes_, 0);
}

TEST_F(ObjectFolderTest, AFileThatCannotBeReadCountsAsWhatItWas) {
  must(make_directories(folder_));
  write("a.yaml", pod("a", "one"));
  write("b.yaml", pod("b", "one"));
  start();
  EXPECT_TRUE(pods_.becomes({{"a", "one"}, {"b", "one"}}));
  write("a.yaml", "kind: [");
  EXPECT_TRUE(says("a.yaml: "));
  write("b.yaml", pod("b", "two"));
  EXPECT_TRUE(pods_.becomes({{"a", "one"}, {"b", "two"}}));
  write("a.yaml", pod("a", "two"));
  EXPECT_TRUE(says(""));
  EXPECT_TRUE(pods_.becomes({{"a", "two"}, {"b", "two"}}));
  write("c.yaml", pod("a", "three"));
  EXPECT_TRUE(says("does not count"));
  EXPECT_EQ(pods_.now().at("a"), "two");
}

TEST_F(ObjectFolderTest, AFolderThatIsGoneIsNoEmptyCluster) {
  start();
  EXPECT_TRUE(says("is gone"));
  must(make_directories(folder_));
  write("a.yaml", pod("a", "one"));
  EXPECT_TRUE(pods_.becomes({{"a", "one"}}));
  std::filesystem::rename(folder_, folder_ + ".away");
  EXPECT_TRUE(says("the objects last read stay in use"));
  EXPECT_EQ(pods_.now(), (Images::Map{{"a", "one"}}));
  // It comes back with something else in it.
  must(make_directories(folder_ + ".new"));
  must(write_file_atomically(folder_ + ".new/b.yaml", pod("b", "one"), 0644));
  std::filesystem::rename(folder_ + ".new", folder_);
  EXPECT_TRUE(pods_.becomes({{"b", "one"}}));
  EXPECT_TRUE(says(""));
}

}  // namespace
}  // namespace weft
