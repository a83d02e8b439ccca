#include "store/kube_selection.h"

#include <gtest/gtest.h>

#include "support/kube_messages.h"

namespace weft {
namespace {

using Labels = std::map<std::string, std::string>;

bool selects(const KubeSelection& selection, const std::string& name, const Labels& labels) {
  const auto selector = KubeSelector::parse(selection);
  EXPECT_TRUE(selector) << selection.labels << selection.fields;
  const KubeMeta meta{.name = name};
  const std::string message = test::kube_object(meta, labels);
  return selector && selector->matches(KubeObject(meta, message));
}

// As k8s.io/apimachinery's labels.Parse and Matches have it.
TEST(KubeSelection, LabelsAreTakenAsTheApiTakesThem) {
  const struct {
    const char* selector;
    Labels labels;
    bool selected;
  } cases[] = {
      {"", {}, true},
      {"  ", {{"a", "1"}}, true},
      {"a", {{"a", "1"}}, true},
      {"a", {{"a", ""}}, true},
      {"a", {}, false},
      {"!a", {}, true},
      {"!a", {{"a", ""}}, false},
      {"a=1", {{"a", "1"}}, true},
      {"a==1", {{"a", "1"}}, true},
      {"a = 1", {{"a", "1"}}, true},
      {"a=1", {{"a", "2"}}, false},
      {"a=1", {}, false},
      {"a=", {{"a", ""}}, true},
      {"a=", {{"a", "1"}}, false},
      {"a!=1", {{"a", "1"}}, false},
      {"a!=1", {{"a", "2"}}, true},
      {"a!=1", {}, true},
      {"a in (1,2)", {{"a", "2"}}, true},
      {"a in ( 1 , 2 )", {{"a", "3"}}, false},
      {"a in (1)", {}, false},
      {"a notin (1,2)", {{"a", "2"}}, false},
      {"a notin (1,2)", {}, true},
      {"in", {{"in", "x"}}, true},
      {"a=1,b!=2,!c", {{"a", "1"}, {"b", "3"}}, true},
      {"a=1,b!=2,!c", {{"a", "1"}, {"b", "2"}}, false},
      {"a=1,b!=2,!c", {{"a", "1"}, {"c", ""}}, false},
      {"!service.kubernetes.io/headless", {{"service.kubernetes.io/headless", ""}}, false},
  };
  for (const auto& each : cases)
    EXPECT_EQ(selects({.labels = each.selector}, "x", each.labels), each.selected)
        << each.selector << " of " << testing::PrintToString(each.labels);
}

TEST(KubeSelection, NamesAreTheOnlyFieldsThatAreKnownHere) {
  const KubeSelection node{.labels = "a", .fields = "metadata.name=node-1"};
  EXPECT_TRUE(selects(node, "node-1", {{"a", ""}}));
  EXPECT_FALSE(selects(node, "node-1", {}));
  EXPECT_FALSE(selects(node, "node-2", {{"a", ""}}));
  EXPECT_FALSE(KubeSelector::parse({.fields = "spec.nodeName=node-1"}));
  EXPECT_FALSE(KubeSelector::parse({.fields = "metadata.name=a,metadata.namespace=b"}));
}

TEST(KubeSelection, WhatOnlyAServerKnowsIsLeftToIt) {
  for (const char* text : {"a>1", "a<1", "a in", "a in (", "a in (1", "a notin 1", "a b", "=1", "!",
                           ",", "a,", "a,,b", "a=1=2", "a in (1) b", "!a=1", "\"a\""})
    EXPECT_FALSE(KubeSelector::parse({.labels = text})) << text;
}

TEST(KubeSelection, AnObjectThatIsNoneHasNoLabels) {
  const KubeMeta meta{.name = "x"};
  const KubeObject broken(meta, "\x0a\xff");
  EXPECT_FALSE(KubeSelector::parse({.labels = "a"})->matches(broken));
  EXPECT_TRUE(KubeSelector::parse({.labels = "!a"})->matches(broken));
}

}  // namespace
}  // namespace weft
