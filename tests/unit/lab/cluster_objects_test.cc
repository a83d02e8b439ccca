#include "lab/cluster_objects.h"

#include <gtest/gtest.h>

#include "base/yaml.h"
#include "cluster/endpoint_slice.h"
#include "cluster/node.h"

namespace weft::lab {
namespace {

Json manifest(const std::string& yaml) {
  return parse_yaml("apiVersion: v1\nkind: Service\n" + yaml)->front();
}

Pod pod(const char* name, const char* node, const char* app, std::uint16_t port) {
  return {.name = name,
          .node = node,
          .labels = {{"app", app}},
          .ports = {{.name = "web", .port = port}}};
}

PodView seen(const char* name, const char* node, const char* address, bool running = true) {
  return {.name = name,
          .node = node,
          .addresses = {*InterfaceAddress::parse(address)},
          .running = running};
}

// Two pods of "a" that name their port alike and mean different numbers, one of them down, and one
// of "b".
Lab small_lab(const std::string& service) {
  Lab lab{.name = "lab", .nodes = {{.name = "node1"}, {.name = "node2"}}};
  lab.pods = {pod("a1", "node1", "a", 80), pod("a2", "node2", "a", 81), pod("a3", "node2", "a", 80),
              pod("b1", "node1", "b", 80)};
  lab.services.subnets = {*Prefix::parse("10.96.0.0/12")};
  lab.services.manifests = {manifest(service)};
  return lab;
}

const LabView kView = {
    .nodes = {{.name = "node1",
               .addresses = {*InterfaceAddress::parse("172.31.0.11/24")},
               .subnets = {*Prefix::parse("10.244.1.0/24")}},
              {.name = "node2", .addresses = {*InterfaceAddress::parse("172.31.0.12/24")}}},
    .pods = {seen("a1", "node1", "10.244.1.2/24"), seen("a2", "node2", "10.244.2.2/24"),
             seen("a3", "node2", "10.244.2.3/24", false), seen("b1", "node1", "10.244.1.3/24")}};

std::vector<EndpointSlice> slices_of(const std::vector<Json>& objects) {
  std::vector<EndpointSlice> slices;
  for (const Json& object : objects) {
    if (object["kind"] != "EndpointSlice") continue;
    const auto slice = EndpointSlice::read(object);
    EXPECT_TRUE(slice && slice->faults.empty()) << object.dump();
    slices.push_back(*slice);
  }
  return slices;
}

TEST(ClusterObjects, NameAPortByNumberOrByName) {
  const auto slices = slices_of(plan_cluster_objects(
      small_lab("metadata: {name: s}\n"
                "spec: {selector: {app: a}, ports: [{port: 8080, targetPort: web}]}"),
      kView));
  ASSERT_EQ(slices.size(), 2U) << "one for each number that the name stands for";
  EXPECT_EQ(slices[0].service, "s");
  EXPECT_EQ(slices[0].ports.at(0).port, 80);
  ASSERT_EQ(slices[0].endpoints.size(), 2U);
  EXPECT_EQ(slices[0].endpoints[0].pod, "a1");
  EXPECT_EQ(slices[0].endpoints[0].node, "node1");
  EXPECT_TRUE(slices[0].endpoints[0].ready);
  EXPECT_EQ(slices[0].endpoints[1].pod, "a3");
  EXPECT_FALSE(slices[0].endpoints[1].ready) << "its program is not running";
  EXPECT_EQ(slices[1].ports.at(0).port, 81);
}

TEST(ClusterObjects, SelectByAllLabelsInTheServicesNamespace) {
  const auto count = [](const std::string& service) {
    return slices_of(plan_cluster_objects(small_lab(service), kView)).size();
  };
  const std::string ports = ", ports: [{port: 80}]}";
  EXPECT_EQ(count("metadata: {name: s}\nspec: {selector: {app: b}" + ports), 1U);
  EXPECT_EQ(count("metadata: {name: s}\nspec: {selector: {app: b, tier: x}" + ports), 0U);
  EXPECT_EQ(count("metadata: {name: s, namespace: shop}\nspec: {selector: {app: b}" + ports), 0U);
  EXPECT_EQ(count("metadata: {name: s}\nspec: {type: ClusterIP" + ports), 0U) << "no selector";
}

TEST(ClusterObjects, TellOfNodesAndPods) {
  const auto objects =
      plan_cluster_objects(small_lab("metadata: {name: s}\nspec: {ports: [{port: 80}]}"), kView);
  ASSERT_EQ(objects.size(), 2U + 4U + 1U);
  EXPECT_EQ(objects[0]["spec"]["podCIDR"], "10.244.1.0/24");
  EXPECT_EQ(objects[0]["status"]["addresses"][0]["address"], "172.31.0.11");
  EXPECT_TRUE(objects[1]["spec"].empty()) << "it has no subnet yet";
  EXPECT_EQ(objects[2]["status"]["podIP"], "10.244.1.2");
  EXPECT_EQ(objects[2]["spec"]["containers"][0]["ports"][0]["containerPort"], 80);
}

}  // namespace
}  // namespace weft::lab
