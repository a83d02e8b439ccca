// node.h: a Kubernetes Node, as far as the pod network goes, and the lease that it stands for.
//
// Where Kubernetes is the store, a node's lease is written on its Node: the subnet in
// spec.podCIDRs, everything else in annotations (flannel's pkg/subnet/kube). Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/unix_time.h"
#include "cluster/lease.h"
#include "net/address.h"

namespace weft {

/// The names of flannel's annotations: a prefix and a suffix.
class AnnotationPrefix {
 public:
  /// "flannel.alpha.coreos.com/"
  AnnotationPrefix() = default;
  /// --kube-annotation-prefix: a domain name of two labels at least, and a word of its own
  /// behind one slash if there are several networks. "org.com" gives org.com/backend-type,
  /// "org.com/blue" gives org.com/blue-backend-type.
  static Result<AnnotationPrefix> parse(std::string_view text);

  std::string key(std::string_view suffix) const { return text_ + std::string(suffix); }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = "flannel.alpha.coreos.com/";
};

/// By suffix: "public-ip", "backend-data".
using Annotations = std::map<std::string, std::string, std::less<>>;

struct Node {
  std::string name = {};
  std::string uid = {};  ///< another one when a Node of the same name was made anew
  UnixSeconds created = {};
  std::string version = {};                 ///< resourceVersion: equal or not, nothing more
  std::vector<std::string> pod_cidrs = {};  ///< spec.podCIDRs, or the one of spec.podCIDR
  std::vector<IpAddress> internal_ips = {};
  std::vector<IpAddress> external_ips = {};
  std::string zone = {};                 ///< label topology.kubernetes.io/zone
  std::vector<std::string> taints = {};  ///< their keys
  bool deleting = false;
  Annotations annotations = {};  ///< those under the prefix
  /// Of the condition NetworkUnavailable: "True", "False", or empty when there is none.
  std::string network_unavailable = {};

  /// Reads a Node's protobuf message (cluster/kube_fields.h). Addresses that are none and texts
  /// that are no UTF-8 are left out.
  static Result<Node> parse(std::string_view message, const AnnotationPrefix& prefix);
  /// Reads a manifest, without annotations: keys as the API spells them, in any case.
  static Result<Node> read(const Json& manifest);

  /// The value of an annotation; nothing when it is absent or empty.
  std::optional<std::string> annotation(std::string_view suffix) const;
  /// The addresses by which others know it: its first InternalIP, or ExternalIP where there is
  /// none, and the first one of the other family.
  std::vector<IpAddress> host_ips() const;
  bool operator==(const Node&) const = default;
};

/// Which one counts where a Node has several podCIDRs of a family: flannel takes the last one
/// for itself and the first one of a peer.
enum class Whose { kOwn, kPeer };

/// The subnets of the Node. An Error says what is missing or wrong.
Result<LeaseKey> subnet_of_node(const Node& node, Whose whose);

/// What the annotations publish; an Error names the annotation that cannot be used.
Result<LeaseAttributes> published_by_node(const Node& node);

/// The lease of a peer. Nothing when it is none of the overlay's: a Node without the annotation
/// kube-subnet-manager.
Result<std::optional<Lease>> lease_of_node(const Node& node);

/// The annotations that have to be written so that the Node publishes `own`: all that differ,
/// and none when all is well. `public-ip-overwrite` and `node-public-ip` (and those of IPv6) go
/// before the addresses of `own`.
///
/// A flannel peer compares texts, and acts only where those of both of its families have
/// changed; a change of podCIDRs alone it does not see. So where one family has changed, or
/// `respell` is asked for, the data of an unchanged one gets another spelling: a blank at its
/// end, or none.
Annotations annotation_edits(const Node& node, const LeaseAttributes& own, bool respell);

}  // namespace weft
