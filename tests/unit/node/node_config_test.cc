#include "node/node_config.h"

#include <gtest/gtest.h>

namespace weft::node {
namespace {

TEST(NodeConfig, TakesWhatThePartsAreToBe) {
  using Arguments = std::vector<std::string>;
  const struct {
    const char* text;
    NodeConfig config;
  } cases[] = {
      {"coredns:", {.coredns = Arguments{}}},
      {"coredns: {corefile: /etc/Corefile}", {.coredns = Arguments{"-conf=/etc/Corefile"}}},
      {"coredns:\n  corefile: C\n  args: [-workers, \"2\"]\n",
       {.coredns = Arguments{"-conf=C", "-workers", "2"}}},
      {"kubeProxy: {config: /p.conf, args: [--v=2]}",
       {.kube_proxy = Arguments{"--config=/p.conf", "--v=2"}}},
      {"flanneld: {args: --ip-masq}", {.flanneld = Arguments{"--ip-masq"}}},
      {"kubeconfig: /k\nnodeName: n\nlog: {format: json, level: debug}\nflanneld: {}\n",
       {.kubeconfig = "/k",
        .node_name = "n",
        .log = {.format = LogFormat::kJson, .level = "debug"},
        .flanneld = Arguments{}}},
      {"storeDir: /objects\nkubeProxy:\n", {.store_dir = "/objects", .kube_proxy = Arguments{}}},
      {"{flanneld: , kubeProxy: , coredns: }",
       {.flanneld = Arguments{}, .kube_proxy = Arguments{}, .coredns = Arguments{}}},
  };
  for (const auto& each : cases) {
    const auto config = read_node_config(each.text);
    ASSERT_TRUE(config) << each.text << ": " << config.error().text();
    EXPECT_EQ(*config, each.config) << each.text;
  }
}

TEST(NodeConfig, RefusesWhatItDoesNotUnderstandAndSaysWhatWouldDo) {
  const struct {
    const char* text;
    const char* words;
  } cases[] = {
      {"", "not one document"},
      {"coredns:\n---\nflanneld:\n", "not one document"},
      {"[coredns]", "the file must be a map"},
      {"{}", "the node has no part; name one"},
      {"kubeproxy: {}", "unknown key \"kubeproxy\"; did you mean \"kubeProxy\"?"},
      {"coredns: {coreFile: x}", "coredns: unknown key \"coreFile\"; did you mean \"corefile\"?"},
      {"flanneld: {config: x}", "flanneld: unknown key \"config\""},
      {"coredns: {corefile: 5}", "coredns: \"corefile\" must be a text"},
      {"coredns: {args: [5]}", "coredns: \"args\" must be"},
      {"coredns: yes please", "coredns must be a map"},
      {"nodeName: [a]\ncoredns:\n", "the file: \"nodeName\" must be a text"},
      {"log: {level: warning}\ncoredns:\n", "no level \"warning\""},
      {"log: {format: jsn}\ncoredns:\n", "no format \"jsn\"; did you mean json?"},
      {"kubeconfig: /k\nstoreDir: /d\ncoredns:\n", "both there; take one of them out"},
      {"coredns: [", "line"},
  };
  for (const auto& each : cases) {
    const auto config = read_node_config(each.text);
    ASSERT_FALSE(config) << each.text;
    EXPECT_NE(config.error().text().find(each.words), std::string::npos)
        << each.text << ": " << config.error().text();
  }
}

}  // namespace
}  // namespace weft::node
