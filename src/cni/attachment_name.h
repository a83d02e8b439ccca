// attachment_name.h: how the rules of an attachment say whose they are. Pure.
//
// Names, hashes and comments are those of containernetworking/plugins (pkg/utils, pkg/ip), so
// that either side finds what the other made. Rules are found by them and not by addresses, which
// may be gone.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cni/attachments.h"
#include "net/iptables_plan.h"

namespace weft::cni {

/// One interface of one container in one network.
struct AttachmentName {
  std::string network = {};
  std::string container_id = {};
  std::string ifname = {};
};

/// "6fd94d501e58f0aa": what the owners of a network begin with.
std::string network_hash(const std::string& network);
/// "6fd94d501e58f0aa-287fc69eff0574a2"
std::string attachment_hash(const AttachmentName& attachment);
/// Whether an owner is of the network and none of its attachments.
class StaleOwners {
 public:
  StaleOwners(const std::string& network, const std::vector<Attachment>& valid);
  bool contains(const std::string& owner) const;

 private:
  std::string prefix_;
  std::set<std::string> kept_;
};

/// The iptables chain of a container in a network: "CNI-", a plugin's mark ("DN-") and as many
/// hexadecimal digits as make 28 characters.
std::string container_chain(const AttachmentName& attachment, std::string_view mark = {});
/// `name: "NETWORK" id: "CONTAINER"`, behind a plugin's mark ("dnat "), as rules that jump to that
/// chain have it for a comment.
std::string container_comment(const AttachmentName& attachment, std::string_view mark = {});
/// The chains that those of the rules jump to which are, by such a comment, of a container of the
/// network that has no attachment any more.
std::set<std::string> stale_chains(const std::vector<PresentRule>& rules,
                                   const std::string& network, const std::vector<Attachment>& valid,
                                   std::string_view mark = {});

}  // namespace weft::cni
