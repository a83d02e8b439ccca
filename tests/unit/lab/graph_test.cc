#include "lab/graph.h"

#include <gtest/gtest.h>

namespace weft::lab {
namespace {

LabView two_nodes() {
  LabView view{.name = "lab", .outside_netns = "weft-lab-outside"};
  view.outside = {{.address = *IpAddress::parse("203.0.113.121"), .device = "eth0"}};
  view.segments = {{*InterfaceAddress::parse("172.31.0.1/24")}};
  view.nodes = {
      NodeView{.name = "node1",
               .addresses = {*InterfaceAddress::parse("172.31.0.11/24")},
               .subnets = {*Prefix::parse("10.244.1.0/24")},
               .agent = 7,
               .tunnels = {{.subnet = *Prefix::parse("10.244.2.0/24"),
                            .device = "flannel.1",
                            .kind = "vxlan",
                            .remote = IpAddress::parse("172.31.0.12"),
                            .to = "node2"},
                           {.subnet = *Prefix::parse("10.244.3.0/24"),
                            .device = "flannel.1",
                            .kind = "vxlan"}}},
      NodeView{.name = "node2", .addresses = {*InterfaceAddress::parse("172.31.0.12/24")}}};
  view.pods = {PodView{.name = "a<b",
                       .node = "node1",
                       .addresses = {*InterfaceAddress::parse("10.244.1.2/24")},
                       .running = true}};
  return view;
}

TEST(Graph, DrawsATreeOfLines) {
  EXPECT_EQ(draw_text(two_nodes()),
            "lab lab\n"
            "\n"
            "outside 203.0.113.121\n"
            "  |\n"
            "router\n"
            "  |\n"
            "  segment 0, gateway 172.31.0.1/24\n"
            "  +-- node1 172.31.0.11/24\n"
            "  |     subnet 10.244.1.0/24\n"
            "  |     route  10.244.2.0/24 via flannel.1 (vxlan) to 172.31.0.12 (node2)\n"
            "  |     route  10.244.3.0/24 via flannel.1 (vxlan) to nowhere: no forwarding entry "
            "(no node has that subnet)\n"
            "  |     pod    a<b 10.244.1.2/24\n"
            "  +-- node2 172.31.0.12/24\n"
            "  |     subnet none yet  (agent not running)\n");
}

TEST(Graph, DrawsSvgThatEscapesNames) {
  const std::string svg = draw_svg(two_nodes());
  EXPECT_EQ(svg.find("<svg "), 0U);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
  EXPECT_EQ(svg.find("a<b"), std::string::npos);
  EXPECT_NE(svg.find("node1 to node2: 10.244.2.0/24 via flannel.1"), std::string::npos);
}

}  // namespace
}  // namespace weft::lab
