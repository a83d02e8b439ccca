#include "cni/plugins/bandwidth.h"

#include <algorithm>
#include <set>

#include "cni/attachments.h"
#include "cni/interface.h"
#include "cni/masquerade_rules.h"
#include "cni/plugins/bandwidth_config.h"
#include "cni/rollback.h"
#include "kernel/traffic_control.h"

namespace weft::cni {
namespace {

using kernel::NetlinkSocket;
using kernel::Rtnetlink;

constexpr Versions kVersions = Versions(kAllVersions).subspan(2);  // from 0.3.0 on

Qdisc bucket_on(LinkIndex link, const TokenBucket& bucket) {
  return {.link = link,
          .handle = TcHandle::kFirst,
          .parent = TcHandle::kRoot,
          .kind = "tbf",
          .token_bucket = bucket};
}

Qdisc ingress_of(LinkIndex link) {
  return {.link = link,
          .handle = TcHandle::kIngress,
          .parent = TcHandle::kIngressRoot,
          .kind = "ingress"};
}

// The number of the host's end as the container's end tells it.
CniResult<Link> find_container_end(const Call& call) {
  const std::string& ifname = call.environment.ifname;
  ASSIGN_OR_RETURN(const auto container, open_netns(call.environment.netns));
  ASSIGN_OR_RETURN(const auto visit, kernel::NetnsVisit::enter(container));
  ASSIGN_OR_RETURN(auto inside, Rtnetlink::open());
  ASSIGN_OR_RETURN(auto link, inside.link(ifname));
  const std::string lacks = "container interface " + ifname + " has no veth peer: ";
  if (!link) return refuse(lacks + "it does not exist");
  if (link->kind != "veth" || link->peer == LinkIndex::kNone)
    return refuse(lacks + "it is no veth");
  return *std::move(link);
}

// The host's end of the container's veth, which a plugin before must have told of.
CniResult<Link> find_host_end(Rtnetlink& host, const Call& call, const AddResult& result) {
  if (result.interfaces.empty()) return refuse("no interfaces provided");
  ASSIGN_OR_RETURN(const Link inner, find_container_end(call));
  ASSIGN_OR_RETURN(auto link, host.link(inner.peer));
  if (!link || link->kind != "veth" || link->peer != inner.index)
    return refuse("veth peer with index " + std::to_string(static_cast<int>(inner.peer)) +
                  " is not in host ns");
  const bool told = std::any_of(result.interfaces.begin(), result.interfaces.end(),
                                [&](const ResultInterface& interface) {
                                  return interface.sandbox.empty() && interface.name == link->name;
                                });
  if (!told) return refuse("no veth peer of container interface found in host ns");
  return *std::move(link);
}

CniStatus make_qdisc(NetlinkSocket& route, const Qdisc& qdisc, const std::string& tried,
                     Rollback& rollback) {
  const Status made = route.request(kernel::encode_new_qdisc(qdisc));
  if (!made) return because(tried, CniError(made.error()));
  rollback.push([&route, qdisc] { (void)route.request(kernel::encode_delete_qdisc(qdisc)); });
  return {};
}

// A name for the device. One of ours that an ADD left which was cut off goes; where another
// interface of the container has the Go plugin's name already, this one gets a name of its own.
CniResult<std::string> free_ifb_name(Rtnetlink& host, const Call& call) {
  std::string name = ifb_name(call);
  ASSIGN_OR_RETURN(const auto present, host.link(name));
  if (!present) return name;
  if (present->alias == ifb_alias(call)) {
    RETURN_IF_ERROR(kernel::ignore_errno(host.remove(present->index), ENODEV));
  } else if (present->kind == "ifb" && !present->alias.empty()) {
    name = second_ifb_name(call);
  }
  return name;
}

CniResult<Link> make_ifb(Rtnetlink& host, const Call& call, std::uint32_t mtu, Rollback& rollback) {
  ASSIGN_OR_RETURN(const std::string name, free_ifb_name(host, call));
  // Without a queue of its own: what waits, waits in the bucket.
  const Status made =
      host.create({.name = name, .kind = "ifb", .mtu = mtu, .tx_queue_length = 0, .up = true});
  if (!made) return because("adding link", CniError(made.error()));
  ASSIGN_OR_RETURN(auto link, host.link(name));
  if (!link) return refuse("failed to lookup " + in_quotes(name) + ": link not found");
  rollback.push([&host, index = link->index] { (void)host.remove(index); });
  RETURN_IF_ERROR(host.change(link->index, {.alias = ifb_alias(call)}));
  return *std::move(link);
}

CniResult<AddResult> previous(const Call& call) {
  ASSIGN_OR_RETURN(auto result, previous_result(call.config, call.version));
  if (!result) return refuse("must be called as chained plugin");
  return *std::move(result);
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const BandwidthConfig config, read_bandwidth_config(call));
  ASSIGN_OR_RETURN(AddResult result, previous(call));
  if (config.empty()) return result;
  ASSIGN_OR_RETURN(auto host, Rtnetlink::open());
  ASSIGN_OR_RETURN(auto route, NetlinkSocket::open(NETLINK_ROUTE));
  ASSIGN_OR_RETURN(const Link port, find_host_end(host, call, result));
  Rollback rollback;
  if (config.ingress)
    RETURN_IF_ERROR(
        make_qdisc(route, bucket_on(port.index, *config.ingress), "create qdisc", rollback));
  if (config.egress) {
    ASSIGN_OR_RETURN(const Link ifb, make_ifb(host, call, port.mtu, rollback));
    RETURN_IF_ERROR(make_qdisc(route, ingress_of(port.index), "create ingress qdisc", rollback));
    const Status redirected =
        route.request(kernel::encode_redirect({.link = port.index, .target = ifb.index}));
    if (!redirected) return because("add filter", CniError(redirected.error()));
    RETURN_IF_ERROR(make_qdisc(route, bucket_on(ifb.index, *config.egress),
                               "create ifb qdisc: create qdisc", rollback));
    result.interfaces.push_back({.name = ifb.name, .mac = ifb.mac.to_string()});
  }
  rollback.keep();
  return result;
}

// The device of an attachment: by its alias, or by the name that the Go plugin gives it.
CniResult<std::optional<Link>> find_ifb(Rtnetlink& host, const Call& call) {
  ASSIGN_OR_RETURN(auto link, host.link(ifb_name(call)));
  const auto is_ours = [&] {
    return link && link->kind == "ifb" && (link->alias.empty() || link->alias == ifb_alias(call));
  };
  if (is_ours()) return link;
  ASSIGN_OR_RETURN(link, host.link(second_ifb_name(call)));
  return is_ours() ? link : std::optional<Link>();
}

// The rest goes with the veth, which is another plugin's.
CniStatus del(const Call& call) {
  ASSIGN_OR_RETURN(auto host, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto ifb, find_ifb(host, call));
  if (ifb) RETURN_IF_ERROR(kernel::ignore_errno(host.remove(ifb->index), ENODEV));
  return {};
}

CniStatus check_bucket(NetlinkSocket& route, LinkIndex link, const TokenBucket& wanted) {
  ASSIGN_OR_RETURN(const auto qdiscs, kernel::list_qdiscs(route, link));
  const auto found = std::find_if(qdiscs.begin(), qdiscs.end(), [](const Qdisc& qdisc) {
    return qdisc.parent == TcHandle::kRoot && qdisc.token_bucket.has_value();
  });
  if (found == qdiscs.end()) return refuse("Failed to find qdisc");
  if (found->token_bucket->rate != wanted.rate) return refuse("Rate doesn't match");
  if (found->token_bucket->limit != wanted.limit) return refuse("Limit doesn't match");
  if (found->token_bucket->buffer != wanted.buffer) return refuse("Buffer doesn't match");
  return {};
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const BandwidthConfig config, read_bandwidth_config(call));
  ASSIGN_OR_RETURN(const auto result, previous_result(call.config, call.version));
  if (!result) return refuse("must be called as a chained plugin");
  if (config.empty()) return {};
  ASSIGN_OR_RETURN(auto host, Rtnetlink::open());
  ASSIGN_OR_RETURN(auto route, NetlinkSocket::open(NETLINK_ROUTE));
  ASSIGN_OR_RETURN(const Link port, find_host_end(host, call, *result));
  if (config.ingress) RETURN_IF_ERROR(check_bucket(route, port.index, *config.ingress));
  if (!config.egress) return {};
  ASSIGN_OR_RETURN(const auto ifb, find_ifb(host, call));
  if (!ifb) return refuse("get ifb device: Link not found");
  ASSIGN_OR_RETURN(const auto filters,
                   kernel::list_redirects(route, port.index, TcHandle::kIngress));
  const bool redirected = std::any_of(filters.begin(), filters.end(), [&](const auto& filter) {
    return filter.target == ifb->index;
  });
  if (!redirected)
    return refuse("Failed to find the filter that redirects from " + port.name + " to " +
                  ifb->name);
  return check_bucket(route, ifb->index, *config.egress);
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const auto valid, valid_attachments(call.config));
  std::set<std::string> kept;
  for (const auto& [container_id, ifname] : valid)
    kept.insert(
        attachment_hash({.network = call.network, .container_id = container_id, .ifname = ifname}));
  ASSIGN_OR_RETURN(auto host, Rtnetlink::open());
  ASSIGN_OR_RETURN(const auto links, host.links());
  CniStatus result;
  for (const auto& link : links) {
    if (link.kind != "ifb" || !link.alias.starts_with(network_hash(call.network) + "-") ||
        kept.contains(link.alias))
      continue;
    const Status removed = kernel::ignore_errno(host.remove(link.index), ENODEV);
    if (!removed) result = CniFailure(removed.error());
  }
  return result;
}

}  // namespace

const Plugin kBandwidth{.name = "bandwidth",
                        .add = add,
                        .del = del,
                        .check = check,
                        .status = nullptr,
                        .gc = gc,
                        .versions = kVersions,
                        .kind = Kind::kMeta};

}  // namespace weft::cni
