// What `weft lab` does, with the real agent and the real CNI plugins.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "lab_fixture.h"

extern "C" char** environ;

namespace weft::test {
namespace {

using Strings = std::vector<std::string>;

TEST_F(LabTest, ComesUpIsSeenAndGoesAway) {
  const std::string lab = lab_name();
  must({"lab", "up", "--name", lab});
  EXPECT_TRUE(contains(must({"lab", "list"}), lab));

  const Json seen = status(lab);
  EXPECT_EQ(seen["name"], lab);
  ASSERT_EQ(seen["nodes"].size(), 3U);
  ASSERT_EQ(seen["pods"].size(), 6U);
  for (const auto& node : seen["nodes"]) {
    EXPECT_EQ(node["netns"], "weft-" + lab + "-" + node["name"].get<std::string>());
    EXPECT_EQ(node["addresses"].size(), 1U);
    EXPECT_EQ(node["subnets"].size(), 1U);
    EXPECT_EQ(::kill(node["agent"]["pid"].get<pid_t>(), 0), 0);
  }
  const std::string address = seen["pods"][0]["addresses"][0].get<std::string>();
  EXPECT_TRUE(contains(in(lab, "node1-pod1", {"ip", "-o", "address"}), address));
  EXPECT_TRUE(contains(in(lab, "node1", {"cat", "/run/flannel/subnet.env"}), "FLANNEL_MTU=1450"));
  EXPECT_TRUE(contains(in(lab, "node1", {"ls", "/etc/cni/net.d"}), "10-flannel.conflist"));

  const Matrix found = matrix(lab);
  EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);
  EXPECT_EQ(found.report["failed"], 0);
  EXPECT_EQ(found.pairs("pod-to-pod-other-node"), 24U * 3U);
  for (const auto& pair : found.report["classes"][1]["pairs"]) {
    EXPECT_EQ(pair["hops"], 2) << pair.dump();
    const Json wanted = pair["protocol"] == "icmp" ? Json(1450) : Json(nullptr);
    EXPECT_EQ(pair["mtu"], wanted) << pair.dump();
  }

  const std::string drawn = must({"lab", "graph", "--name", lab});
  EXPECT_TRUE(contains(drawn, "via flannel.1 (vxlan) to 172.31.0.12 (node2)")) << drawn;
  EXPECT_TRUE(contains(must({"lab", "graph", "--name", lab, "-o", "svg"}), "</svg>"));

  must({"lab", "down", "--name", lab});
  EXPECT_EQ(leftovers(lab), Strings());
  must({"lab", "down", "--name", lab});
}

TEST_F(LabTest, WrongUsageIsToldWithTheNextStep) {
  const std::string lab = lab_name();
  const auto refused = [&](const Strings& words, const std::string& reason) {
    const Outcome outcome = weft(words);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
    EXPECT_TRUE(contains(outcome.errors, reason)) << outcome.errors;
  };
  refused({"lab", "statsu"}, "did you mean status?");
  refused({"lab", "up", "--nam", lab}, "did you mean --name?");
  refused({"matrx"}, "did you mean matrix?");
  // The next step depends on whether a lab of a like name is there.
  refused({"lab", "status", "--name", lab}, "there is no lab \"" + lab + "\"; ");
  refused({"matrix", "--name", lab}, "there is no lab \"" + lab + "\"; ");
  refused({"lab", "up", "/nowhere/lab.yaml", "--name", lab}, "/nowhere/lab.yaml");
  refused({"lab", "up", "--name", "my-lab"}, "cannot be a lab's name");
  must({"lab", "up", "--name", lab});
  refused({"lab", "up", "--name", lab}, "weft lab down --name " + lab);
  refused({"lab", "exec", "--name", lab, "nod1", "true"}, "did you mean node1?");
  refused({"lab", "exec", "--name", lab, "node1"}, "no program to run");
  refused({"lab", "remove-node", "node9", "--name", lab}, "no node or pod \"node9\"");
  refused({"lab", "add-pod", "x", "--node", "node9", "--name", lab}, "node9");
  EXPECT_EQ(weft({"lab", "exec", "--name", lab, "node1", "sh", "-c", "exit 7"}).exit_code, 7);
}

TEST_F(LabTest, NodesAndPodsComeAndGo) {
  const std::string lab = lab_name();
  must({"lab", "up", "--name", lab});
  must({"lab", "add-node", "--name", lab});
  must({"lab", "add-pod", "web", "--node", "node2", "--name", lab});
  must({"lab", "add-pod", "idle", "--name", lab, "--", "sleep", "1000"});
  EXPECT_EQ(status(lab)["nodes"].size(), 4U);
  EXPECT_EQ(status(lab)["pods"].size(), 10U);
  Matrix found = matrix(lab);
  EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);

  const std::string subnet = status(lab)["nodes"][3]["subnets"][0].get<std::string>();
  EXPECT_TRUE(contains(in(lab, "node1", {"ip", "route"}), subnet));
  must({"lab", "remove-node", "node4", "--name", lab});
  for (const char* node : {"node1", "node2", "node3"}) {
    EXPECT_TRUE(eventually([&] { return !contains(in(lab, node, {"ip", "route"}), subnet); }));
    EXPECT_TRUE(eventually([&] {
      return !contains(in(lab, node, {"bridge", "fdb", "show", "dev", "flannel.1"}), "172.31.0.14");
    }));
  }
  must({"lab", "remove-pod", "web", "--name", lab});
  EXPECT_EQ(weft({"lab", "exec", "--name", lab, "web", "true"}).exit_code, 2);
  found = matrix(lab);
  EXPECT_EQ(found.exit_code, 0) << found.report.dump(1);
  must({"lab", "add-node", "node4", "--name", lab});
  EXPECT_EQ(matrix(lab).exit_code, 0) << "a node may come back at once";
}

TEST_F(LabTest, AnAgentCanBeStoppedAndStarted) {
  const std::string lab = lab_name();
  must({"lab", "up", "--name", lab});
  must({"lab", "agent", "stop", "node2", "--name", lab});
  const Outcome seen = weft({"lab", "status", "--name", lab});
  EXPECT_EQ(seen.exit_code, 1);
  EXPECT_TRUE(contains(seen.output, "weft lab agent start node2 --name " + lab)) << seen.output;
  EXPECT_EQ(matrix(lab).exit_code, 0) << "the data plane stays without the agent";
  must({"lab", "agent", "start", "node2", "--name", lab});
  must({"lab", "agent", "restart", "node1", "--name", lab});
  EXPECT_EQ(weft({"lab", "status", "--name", lab}).exit_code, 0);
}

TEST_F(LabTest, TwoLabsStandSideBySide) {
  const std::string one = lab_name("a");
  const std::string two = lab_name("b");
  must({"lab", "up", "--name", one});
  must({"lab", "up", "--name", two});
  EXPECT_EQ(matrix(one).exit_code, 0);
  must({"lab", "down", "--name", one});
  EXPECT_EQ(leftovers(one), Strings());
  EXPECT_EQ(matrix(two).exit_code, 0) << "the other lab goes on";
}

TEST_F(LabTest, KeepsItsLeasesInEtcd) {
  const std::string lab = lab_name();
  const std::string file = "/tmp/weft-" + lab + ".yaml";
  ASSERT_TRUE(write_file_atomically(file, "store: etcd\nnodes: 2\npods: 1\n", 0644));
  must({"lab", "up", file, "--name", lab});
  EXPECT_EQ(matrix(lab).exit_code, 0);
  must({"lab", "remove-node", "node2", "--name", lab});
  EXPECT_TRUE(eventually([&] {
    return !contains(in(lab, "node1", {"ip", "route"}), "dev flannel.1");
  }));
  ASSERT_TRUE(remove_file(file));
}

// `weft lab up`, killed after a while.
void killed_up(const std::string& lab, std::chrono::milliseconds after) {
  std::string program = WEFT_PROGRAM;
  std::string words[] = {"lab", "up", "--name", lab};
  char* argv[] = {program.data(),  words[0].data(), words[1].data(),
                  words[2].data(), words[3].data(), nullptr};
  pid_t pid = -1;
  ASSERT_EQ(::posix_spawn(&pid, WEFT_PROGRAM, nullptr, nullptr, argv, environ), 0);
  std::this_thread::sleep_for(after);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST_F(LabTest, WhatAKilledUpLeavesIsRemovedByDown) {
  // The moment of the crash is the point here; a whole `up` takes some 150 ms.
  for (const int after : {2, 5, 8, 12, 20, 30, 45, 60, 80, 110, 150}) {
    const std::string lab = lab_name("k" + std::to_string(after));
    killed_up(lab, std::chrono::milliseconds(after));
    const Outcome again = weft({"lab", "up", "--name", lab});
    EXPECT_TRUE(again.exit_code == 0 || contains(again.errors, "weft lab down")) << again.errors;
    must({"lab", "down", "--name", lab});
    EXPECT_EQ(leftovers(lab), Strings()) << "killed after " << after << " ms";
  }
}

}  // namespace
}  // namespace weft::test
