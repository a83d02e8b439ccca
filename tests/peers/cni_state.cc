#include "cni_state.h"

#include <filesystem>
#include <regex>

#include "base/files.h"
#include "base/text.h"
#include "kernel/sysctl.h"

namespace weft::test {
namespace {

std::string printed(const std::vector<std::string>& argv) {
  const auto outcome = run({.argv = argv});
  return outcome ? outcome->output : outcome.error().text();
}

const std::vector<const char*> kLinkSettings = {
    "net/ipv6/conf/%/accept_ra",  "net/ipv6/conf/%/accept_dad", "net/ipv6/conf/%/disable_ipv6",
    "net/ipv4/conf/%/arp_notify", "net/ipv4/conf/%/rp_filter",  "net/ipv4/conf/%/proxy_arp",
    "net/ipv4/conf/%/forwarding"};

std::string settings_of(const std::string& link) {
  std::string text;
  for (const std::string name : kLinkSettings) {
    const auto mark = name.find('%');
    const auto value = kernel::read_sysctl(name.substr(0, mark) + link + name.substr(mark + 1));
    text += name + " = " + (value ? *value : "none") + "\n";
  }
  return text;
}

std::string links() {
  std::string text = printed({"ip", "-d", "-o", "link", "show"});
  text = std::regex_replace(text, std::regex("promiscuity [01] "), "promiscuity # ");
  text = std::regex_replace(text, std::regex("_timer +[0-9.]+"), "_timer");
  text = std::regex_replace(text, std::regex("bridge_id \\S+|designated_\\S+ \\S+"), "id");
  text = std::regex_replace(text, std::regex("port_(id|no) \\S+"), "port");
  text = std::regex_replace(text, std::regex("link-netnsid [0-9]+"), "link-netnsid");
  // Version 1.1 of the Go plugins gives veths a queue of no length, which they later mended; and
  // "noop" is what a loopback device has that was never up.
  text = std::regex_replace(text, std::regex("default( qlen 1000)? *"), "default ");
  text = std::regex_replace(text, std::regex("qdisc noop state"), "qdisc noqueue state");
  return normalised(text);
}

// Link-local addresses come from random MAC addresses, and "nodad" tells only how one got there;
// with "noprefixroute" the kernel leaves out a route that the Go plugin takes away.
std::string addresses() {
  std::string text;
  for (const auto& line : split(printed({"ip", "-o", "address", "show", "scope", "global"}), '\n'))
    text += line + "\n";
  text = std::regex_replace(text, std::regex(" (nodad|tentative|noprefixroute)"), "");
  return normalised(text);
}

std::string routes() {
  std::string text = printed({"ip", "route", "show", "table", "all"}) +
                     printed({"ip", "-6", "route", "show", "table", "all"});
  std::string kept;
  // Routes of the kernel's own come and go with duplicate address detection.
  for (const auto& line : split(text, '\n'))
    if (line.find("fe80") == std::string::npos && line.find("anycast") == std::string::npos &&
        line.find("ff00::/8") == std::string::npos && !line.starts_with("local "))
      kept += line + "\n";
  return normalised(kept);
}

std::string files_below(const std::string& folder) {
  std::map<std::string, std::string> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || name == ".weft-index") continue;
    found[entry.path().lexically_relative(folder)] = must(read_file(entry.path()));
  }
  std::string text;
  for (const auto& [name, contents] : found) text += name + ": " + contents + "\n";
  return text;
}

}  // namespace

std::string normalised(const std::string& text) {
  std::string result = std::regex_replace(text, std::regex("veth[0-9a-f]{8}"), "vethXXXXXXXX");
  result = std::regex_replace(result, std::regex("([0-9a-f]{2}:){5}[0-9a-f]{2}"), "MAC");
  result = std::regex_replace(result, std::regex("/proc/[0-9]+/fd/[0-9]+"), "NETNS");
  result = std::regex_replace(result, std::regex("(^|\n)[0-9]+: "), "$1#: ");
  result = std::regex_replace(result, std::regex("in path \\[[^\\]]*\\]"), "in path");
  // Whether a port's carrier is up already is a matter of milliseconds.
  result = std::regex_replace(result, std::regex(" linkdown"), "");
  return std::regex_replace(result, std::regex("@if[0-9]+"), "@if");
}

std::map<std::string, std::string> observe(const Container& container, const std::string& bridge,
                                           const std::string& data_dir) {
  std::map<std::string, std::string> state;
  state["host links"] = links();
  state["host addresses"] = addresses();
  state["host routes"] = routes();
  state["host settings of the bridge"] = settings_of(bridge);
  state["ip_forward"] = must(kernel::read_sysctl("net/ipv4/ip_forward")) +
                        must(kernel::read_sysctl("net/ipv6/conf/all/forwarding"));
  state["files"] = files_below(data_dir);
  const auto visit = must(kernel::NetnsVisit::enter(container.netns()));
  state["container links"] = links();
  state["container addresses"] = addresses();
  state["container routes"] = routes();
  state["container settings of lo"] = settings_of("lo");
  state["container settings of eth0"] = settings_of("eth0");
  return state;
}

}  // namespace weft::test
