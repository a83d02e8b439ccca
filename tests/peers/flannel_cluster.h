// flannel_cluster.h: a cluster on one Ethernet segment in which every node runs flannel's own
// flanneld or weftd, whichever the test says, and has one pod.
//
// While it lives the calling thread stands in the namespace of the store.
#pragma once

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/subnet_env.h"
#include "support/segment.h"
#include "support/server_process.h"
#include "support/traffic.h"

namespace weft::test {

enum class Program { kFlannel, kWeft };
enum class StoreKind { kEtcd, kKubernetes };

struct Member {
  int number;
  std::string address = {};  ///< of eth0
  std::unique_ptr<Node> node = {};
  std::unique_ptr<Pod> pod = {};
  TempDir files = {};
  ServerProcess daemon = {};

  std::string name() const { return "node-" + std::to_string(number); }
  SubnetEnv env() const;
  /// Its IPv4 subnet.
  Prefix subnet() const { return env().subnets.at(Family::kIpv4); }
  /// Of its IPv4 subnet's VTEP.
  Link vtep() const { return node->link("flannel.1"); }
  std::string log() const { return read_file(files.path() + "/log").value_or(""); }
};

class FlannelCluster {
 public:
  /// `net_conf` is the text of net-conf.json.
  static std::unique_ptr<FlannelCluster> create(StoreKind kind, const std::string& net_conf);
  virtual ~FlannelCluster() = default;
  FlannelCluster(const FlannelCluster&) = delete;
  FlannelCluster& operator=(const FlannelCluster&) = delete;

  /// A new node 192.0.2.NUMBER with its program, and its pod once the node has a subnet.
  Member& join(int number, Program program);
  /// Starts a program as flanneld of a node whose own has ended, and waits until it says that it
  /// is ready. Throws when that does not happen: nothing can be tested then.
  void start(Member& member, Program program);
  /// Ends a node's program and takes the node out of the store.
  void leave(Member& member);
  /// Lets nobody know the node's VTEP any more: it is gone and so is what was published of it.
  void forget_vtep(Member& member);

  /// A host that is no node of the cluster.
  virtual const kernel::Netns& outside() = 0;
  virtual IpAddress outside_address() const = 0;

 protected:
  FlannelCluster() = default;
  /// Ends all programs; after a failure, with what they have said. For the destructors.
  void end_all();

 private:
  virtual Segment& segment() = 0;
  virtual void admit(const Member& member) = 0;
  virtual void dismiss(const Member& member) = 0;
  virtual void unpublish(const Member& member) = 0;
  virtual std::vector<std::string> flags() const = 0;

  std::map<int, std::unique_ptr<Member>> members_;
};

/// Whether pods reach each other, in both directions, by single datagrams and by TCP.
bool connected(const Member& one, const Member& other);
/// Whether no datagram of the one's pod reaches the other's any more.
bool cut_off(const Member& from, const Member& to);

}  // namespace weft::test
