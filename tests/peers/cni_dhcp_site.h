// cni_dhcp_site.h: a network whose addresses come from a real DHCP server, and the dhcp plugin's
// daemon, ours or Go's.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/cni_container.h"
#include "support/server_process.h"
#include "support/temp_dir.h"

namespace weft::test {

enum class Side { kWeft, kGo };

inline std::string name_of(Side side) {
  return side == Side::kWeft ? "Weft" : "Go";
}

/// A bridge "br0" with a DHCP server on it, a daemon, and a container with a port of the bridge.
class DhcpSite {
 public:
  DhcpSite(Side plugin, Side daemon);

  void start_dnsmasq(std::vector<std::string> more = {});
  void start_udhcpd(int lease_seconds);
  void stop_server() { server_.end(SIGKILL); }
  void start_daemon();
  void end_daemon(int signal);

  PluginReply call(const char* command, const std::string& more = {}) const;
  PluginReply bridge(const char* command, const Container& pod) const;
  std::string config(const std::string& more = {}) const;
  bool link_is_up() const;
  const PluginFolder& plugins() const { return folder_; }
  std::string server_log() const;
  bool server_said(const std::string& text) const;
  std::size_t times_server_said(const std::string& text) const;
  std::string daemon_log() const;
  std::string file(const std::string& name) const { return data_.path() + "/" + name; }
  std::string socket() const { return file("dhcp.sock"); }
  /// How many leases the daemon keeps on disk.
  std::size_t records() const;

 private:
  bool listens() const;

  TempDir data_;
  WeftPlugins links_;
  PluginFolder folder_ = links_.folder();
  Side daemon_side_;
  Container pod_{"c1"};
  ServerProcess server_;
  ServerProcess daemon_;
};

/// Calls `body(site)` in a fresh namespace; what daemon and server said is shown on a failure.
template <class Body>
void at_site(Side plugin, Side daemon, Body body) {
  in_fresh_netns([&](kernel::Rtnetlink&) {
    DhcpSite site(plugin, daemon);
    body(site);
    if (testing::Test::HasFailure())
      std::fprintf(stderr, "%s\n%s\n", site.daemon_log().c_str(), site.server_log().c_str());
  });
}

}  // namespace weft::test
