#include "lab/names.h"

#include <algorithm>
#include <string_view>

namespace weft::lab {
namespace {

constexpr std::size_t kLongestLab = 20;
constexpr std::size_t kLongestNode = 15;  // IFNAMSIZ - 1
constexpr std::size_t kLongestLabel = 63;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_dns_label(std::string_view name) {
  const auto is_end = [](char c) { return is_lower(c) || is_digit(c); };
  return !name.empty() && name.size() <= kLongestLabel && is_end(name.front()) &&
         is_end(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_end(c) || c == '-'; });
}

bool is_reserved(std::string_view name) {
  return name == kUnderlay || name == kRouter || name == kOutside;
}

// The bridges "seg0", "seg1", ... and the router's legs "gw0", "gw1", ... stand beside the nodes'
// ports.
bool is_underlay_device(std::string_view name) {
  if (name == "lo") return true;
  for (const std::string_view stem : {"seg", "gw", "host"})
    if (name.size() > stem.size() && name.substr(0, stem.size()) == stem &&
        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(stem.size()), name.end(), is_digit))
      return true;
  return false;
}

}  // namespace

Status check_lab_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kLongestLab && is_lower(name.front()) &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
  if (good) return {};
  return fail("\"" + name + "\" cannot be a lab's name",
              "take a lower-case letter, then at most 19 lower-case letters, digits and _");
}

Status check_node_name(const std::string& name) {
  if (is_reserved(name) || is_underlay_device(name))
    return fail("\"" + name + "\" cannot be a node's name: the lab itself uses it");
  if (is_dns_label(name) && name.size() <= kLongestNode) return {};
  return fail("\"" + name + "\" cannot be a node's name",
              "take at most 15 lower-case letters, digits and hyphens");
}

Status check_pod_name(const std::string& name) {
  if (is_reserved(name))
    return fail("\"" + name + "\" cannot be a pod's name: the lab itself uses it");
  if (is_dns_label(name)) return {};
  return fail("\"" + name + "\" cannot be a pod's name",
              "take at most 63 lower-case letters, digits and hyphens");
}

std::string netns_prefix(const std::string& lab) {
  return "weft-" + lab + "-";
}

std::string netns_name(const std::string& lab, const std::string& member) {
  return netns_prefix(lab) + member;
}

std::string netns_path(const std::string& lab, const std::string& member) {
  return std::string(kNetnsRoot) + "/" + netns_name(lab, member);
}

std::string state_folder(const std::string& lab) {
  return std::string(kStateRoot) + "/labs/" + lab;
}

std::string objects_folder(const std::string& lab) {
  return state_folder(lab) + "/objects";
}

std::string dns_folder(const std::string& lab) {
  return state_folder(lab) + "/dns";
}

std::string node_folder(const std::string& lab, const std::string& node) {
  return state_folder(lab) + "/nodes/" + node;
}

}  // namespace weft::lab
