// dhcp_leases.h: the leases that the dhcp daemon keeps, and who waits for them.
//
// One thread. poll() waits for the descriptors and until wake(); then on_readable() and on_time()
// are called.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cni/attachments.h"
#include "cni/plugins/dhcp_client.h"
#include "cni/plugins/dhcp_config.h"
#include "cni/plugins/dhcp_daemon_options.h"
#include "cni/plugins/dhcp_records.h"
#include "cni/plugins/dhcp_wire.h"

namespace weft::cni {

class DhcpLeases {
 public:
  /// Told of a lease, or of why there is none.
  using Answer = std::function<void(const CniResult<AddResult>&)>;

  explicit DhcpLeases(const DhcpDaemonOptions& options);

  /// Goes on with the leases of a daemon before this one.
  void resume();

  /// The lease of an attachment, at once where it has one. Equal calls wait for one lease.
  void allocate(const DhcpCall& call, Answer answer);
  /// Gives the lease of an attachment back; none is success.
  CniStatus release(const DhcpCall& call);
  /// Gives back the leases of a network's attachments that are not on its list.
  CniStatus collect(const DhcpCall& call);

  std::vector<int> descriptors() const;
  void on_readable(int fd);
  void on_time();
  /// Milliseconds until on_time() has something to do; -1: never.
  int wait() const;

 private:
  struct Attachment {
    DhcpCall call = {};
    std::string network = {};
    DhcpClient client;
    MacAddress server_mac = {};
    IpAddress server = {};
    std::optional<DhcpWire> wire = {};
    DhcpTime wire_until{};  // a socket that nobody answers is closed
    std::vector<Answer> waiting = {};
  };
  using Attachments = std::map<std::string, Attachment>;  // by client id

  std::string netns_of(const DhcpCall& call) const { return options_.host_prefix + call.netns; }
  DhcpClient make_client(const std::string& id, const MacAddress& mac,
                         const DhcpOptions& options) const;
  Status open_wire(Attachment& attachment) const;
  bool send(Attachments::iterator at, const DhcpClient::Step& step);
  /// `cause`: what has arrived, when that is what led to the step.
  void follow(Attachments::iterator at, const DhcpClient::Step& step,
              const DhcpWire::Received* cause = nullptr);
  void bound(Attachments::iterator at, const DhcpWire::Received& ack);
  void drop(Attachments::iterator at, const std::string& why);
  void give_back(Attachments::iterator at);

  DhcpDaemonOptions options_;
  DhcpRecords records_;
  Attachments attachments_;
};

}  // namespace weft::cni
