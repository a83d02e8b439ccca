#include "cni_dhcp_site.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"
#include "base/unix_address.h"
#include "support/eventually.h"

namespace weft::test {
namespace {

constexpr const char* kDebianPlugins = "/usr/lib/cni";
constexpr const char* kServerAddress = "10.20.0.1/24";

void ip(std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  must(run_or_fail({.argv = std::move(words)}));
}

}  // namespace

DhcpSite::DhcpSite(Side plugin, Side daemon) : daemon_side_(daemon) {
  if (plugin == Side::kGo) {
    must(remove_file(links_.folder().path() + "/dhcp"));
    EXPECT_EQ(::symlink((std::string(kDebianPlugins) + "/dhcp").c_str(),
                        (links_.folder().path() + "/dhcp").c_str()),
              0);
  }
  ip({"link", "add", "name", "br0", "type", "bridge"});
  ip({"address", "add", kServerAddress, "dev", "br0"});
  ip({"link", "set", "br0", "up"});
  ip({"link", "add", "v0", "master", "br0", "type", "veth", "peer", "name", "eth0"});
  ip({"link", "set", "v0", "up"});
  ip({"link", "set", "eth0", "netns", pod_.path()});
  start_daemon();
}

void DhcpSite::start_dnsmasq(std::vector<std::string> more) {
  std::vector<std::string> argv = {"dnsmasq",
                                   "--keep-in-foreground",
                                   "--conf-file=/dev/null",
                                   "--port=0",
                                   "--interface=br0",
                                   "--no-ping",
                                   "--user=root",
                                   "--dhcp-authoritative",
                                   "--log-dhcp",
                                   "--log-facility=-",
                                   "--pid-file=" + file("dnsmasq.pid"),
                                   "--dhcp-leasefile=" + file("leases"),
                                   "--dhcp-range=10.20.0.10,10.20.0.50,255.255.255.0,120s"};
  argv.insert(argv.end(), more.begin(), more.end());
  ASSERT_TRUE(server_.start(argv, file("server.log")));
  ASSERT_TRUE(eventually([&] { return server_said("DHCP, IP range"); })) << server_log();
}

void DhcpSite::start_udhcpd(int lease_seconds) {
  must(write_file_atomically(file("udhcpd.conf"),
                             "start 10.20.0.10\nend 10.20.0.50\ninterface br0\n"
                             "lease_file " +
                                 file("leases") + "\npidfile " + file("pid") +
                                 "\noption subnet 255.255.255.0\noption router 10.20.0.1\n"
                                 "option lease " +
                                 std::to_string(lease_seconds) + "\n",
                             0644, Survives::kProcess));
  must(write_file_atomically(file("leases"), "", 0644, Survives::kProcess));
  ASSERT_TRUE(server_.start({"busybox", "udhcpd", "-f", file("udhcpd.conf")}, file("server.log")));
  ASSERT_TRUE(eventually([&] { return server_said("started"); })) << server_log();
}

void DhcpSite::start_daemon() {
  const std::string program =
      (daemon_side_ == Side::kGo ? kDebianPlugins : links_.folder().path()) + "/dhcp";
  ASSERT_TRUE(
      daemon_.start({program, "daemon", "-socketpath", socket(), "-pidfile", file("daemon.pid")},
                    file("daemon.log")));
  ASSERT_TRUE(eventually([&] { return listens(); }));
}

void DhcpSite::end_daemon(int signal) {
  daemon_.end(signal);
  if (signal == SIGKILL) must(remove_file(socket()));
}

PluginReply DhcpSite::call(const char* command, const std::string& more) const {
  return links_.folder().call("dhcp", command, pod_.port(), config(more));
}

PluginReply DhcpSite::bridge(const char* command, const Container& pod) const {
  return links_.folder().call("bridge", command, pod.port(),
                              R"({"cniVersion":"1.0.0","name":"n","type":"bridge",
                                  "bridge":"br0","ipam":{"type":"dhcp","daemonSocketPath":")" +
                                  socket() + R"("}})");
}

std::string DhcpSite::config(const std::string& more) const {
  return R"({"cniVersion":"1.0.0","name":"n","ipam":{"type":"dhcp",)" + more +
         R"("daemonSocketPath":")" + socket() + R"("}})";
}

bool DhcpSite::link_is_up() const {
  return pod_.inside([](kernel::Rtnetlink& inside) { return must(inside.link("eth0"))->up; });
}

std::string DhcpSite::server_log() const {
  return read_file(file("server.log")).value_or("");
}
bool DhcpSite::server_said(const std::string& text) const {
  return server_log().find(text) != std::string::npos;
}

std::size_t DhcpSite::times_server_said(const std::string& text) const {
  const auto lines = split(server_log(), '\n');
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(),
                    [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

std::string DhcpSite::daemon_log() const {
  return read_file(file("daemon.log")).value_or("");
}
std::size_t DhcpSite::records() const {
  return must(list_directory(file("dhcp"))).size();
}

bool DhcpSite::listens() const {
  const auto address = must(UnixAddress::parse(socket()));
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), address.get(), address.size()) == 0;
}

}  // namespace weft::test
