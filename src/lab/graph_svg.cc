#include <algorithm>
#include <map>

#include "lab/graph.h"

namespace weft::lab {
namespace {

// Sizes in SVG user units.
constexpr int kMargin = 24;
constexpr int kBoxWidth = 250;
constexpr int kGap = 40;
constexpr int kLine = 18;
constexpr int kTop = 150;   // where the nodes begin, below outside host and router
constexpr int kArcs = 150;  // room for the tunnels below the nodes

const char* const kStyle =
    "text{font:13px sans-serif;fill:#1d2733}.bold{font-weight:bold}.faint{fill:#5c6b7a}"
    ".node{fill:#eef4fb;stroke:#3b6ea5}.pod{fill:#fff;stroke:#8fb3d9}.dead{stroke:#c0392b}"
    ".wire{stroke:#5c6b7a;fill:none}.tunnel{stroke:#2e8b57;fill:none;stroke-width:2}"
    ".lost{stroke:#c0392b;stroke-dasharray:5 4}";

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<')
      safe += "&lt;";
    else if (c == '&')
      safe += "&amp;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

std::string number(int value) {
  return std::to_string(value);
}

std::string label(int x, int y, const std::string& text, const std::string& look = {}) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\"" +
         (look.empty() ? "" : " class=\"" + look + "\"") + ">" + escaped(text) + "</text>\n";
}

std::string box(int x, int y, int width, int height, const std::string& look) {
  return "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) +
         "\" height=\"" + number(height) + "\" rx=\"6\" class=\"" + look + "\"/>\n";
}

std::string line(int x1, int y1, int x2, int y2) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" class=\"wire\"/>\n";
}

template <class Value>
std::string words(const std::vector<Value>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : " ") + value.to_string();
  return text;
}

class Drawing {
 public:
  explicit Drawing(const LabView& view) : view_(view) {
    int x = kMargin;
    for (const auto& node : view.nodes) {
      left_[node.name] = x;
      x += kBoxWidth + kGap;
      tallest_ = std::max(tallest_, height_of(node));
    }
    width_ = std::max(x - kGap + kMargin, kBoxWidth + 2 * kMargin);
  }

  std::string draw() {
    const int height = kTop + tallest_ + kArcs;
    std::string body = top();
    for (const auto& node : view_.nodes) body += draw_node(node);
    for (const auto& node : view_.nodes) body += draw_tunnels(node);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width_) + "\" height=\"" +
           number(height) + "\" viewBox=\"0 0 " + number(width_) + " " + number(height) +
           "\">\n<title>weft lab " + escaped(view_.name) + "</title>\n<style>" + kStyle +
           "</style>\n" + body + "</svg>\n";
  }

 private:
  std::vector<PodView> pods_on(const NodeView& node) const {
    std::vector<PodView> pods;
    for (const auto& pod : view_.pods)
      if (pod.node == node.name) pods.push_back(pod);
    return pods;
  }

  int height_of(const NodeView& node) const {
    return 4 * kLine + static_cast<int>(pods_on(node).size()) * (2 * kLine + 10);
  }

  std::string top() const {
    const int centre = width_ / 2;
    std::string text = label(kMargin, 24, "lab " + view_.name, "bold");
    text += label(centre - 60, 24, "outside" + outside());
    text += line(centre, 30, centre, 60);
    text += box(centre - 50, 60, 100, 28, "node") + label(centre - 22, 79, "router", "bold");
    text += line(centre, 88, centre, 110);
    text += line(kMargin + kBoxWidth / 2, 110, width_ - kMargin - kBoxWidth / 2, 110);
    return text;
  }

  std::string outside() const {
    std::string text;
    for (const auto& host : view_.outside) text += " " + host.address.to_string();
    return text;
  }

  std::string draw_node(const NodeView& node) const {
    const int x = left_.at(node.name);
    int y = kTop;
    std::string text = line(x + kBoxWidth / 2, 110, x + kBoxWidth / 2, kTop);
    text += box(x, y, kBoxWidth, height_of(node), node.agent == 0 ? "node dead" : "node");
    text += label(x + 10, y += kLine + 2, node.name, "bold");
    text += label(x + 10, y += kLine, words(node.addresses), "faint");
    text += label(x + 10, y += kLine,
                  node.subnets.empty() ? "no subnet yet" : "subnet " + words(node.subnets));
    y += 10;
    for (const auto& pod : pods_on(node)) {
      text += box(x + 10, y, kBoxWidth - 20, 2 * kLine + 4, pod.running ? "pod" : "pod dead");
      text += label(x + 18, y + kLine - 2, pod.name);
      text += label(x + 18, y + 2 * kLine - 3, words(pod.addresses), "faint");
      y += 2 * kLine + 10;
    }
    return text;
  }

  std::string draw_tunnels(const NodeView& node) const {
    std::string text;
    for (const auto& tunnel : node.tunnels) {
      const auto to = left_.find(tunnel.to);
      if (to == left_.end()) continue;
      const int from_x = left_.at(node.name) + kBoxWidth / 2;
      const int to_x = to->second + kBoxWidth / 2;
      // One arc a direction: there is one below the other.
      const int depth = 40 + std::abs(to_x - from_x) / 8 + (from_x < to_x ? 0 : 18);
      const int y = kTop + tallest_ + 6;
      text += "<path d=\"M" + number(from_x) + " " + number(y) + " C" + number(from_x) + " " +
              number(y + depth) + " " + number(to_x) + " " + number(y + depth) + " " +
              number(to_x) + " " + number(y) + "\" class=\"tunnel" +
              (tunnel.remote ? "" : " lost") + "\"><title>" +
              escaped(node.name + " to " + tunnel.to + ": " + tunnel.subnet.to_string() + " via " +
                      tunnel.device) +
              "</title></path>\n";
    }
    return text;
  }

  const LabView& view_;
  std::map<std::string, int> left_;
  int tallest_ = 0;
  int width_ = 0;
};

}  // namespace

std::string draw_svg(const LabView& view) {
  return Drawing(view).draw();
}

}  // namespace weft::lab
