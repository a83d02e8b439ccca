#include "overlay/udp/udp_data_plane.h"

#include <cerrno>
#include <utility>

#include <spdlog/spdlog.h>

#include "overlay/forwarding_pass.h"
#include "overlay/tunnel_device_pass.h"

namespace weft::overlay::udp {

UdpDataPlane::UdpDataPlane(const NetConf& conf, const UdpBackend& backend)
    : network_(conf.networks.at(Family::kIpv4)), backend_(backend) {
  if (conf.networks.contains(Family::kIpv6))
    spdlog::warn("backend udp carries IPv4 only: IPv6 reaches the pods of its own node");
}

Counters UdpDataPlane::carried() const {
  return carriers_.with([](const Carriers& carriers) {
    Counters sum = carriers.former;
    if (carriers.present) sum += carriers.present->counters();
    return sum;
  });
}

std::vector<BackendCounter> UdpDataPlane::counters() const {
  const Counters sum = carried();
  const MetricLabels sent = {{"direction", "sent"}};
  const MetricLabels received = {{"direction", "received"}};
  std::vector<BackendCounter> counters = {
      {.name = "udp_packets", .labels = sent, .value = sum.sent_packets},
      {.name = "udp_packets", .labels = received, .value = sum.received_packets},
      {.name = "udp_bytes", .labels = sent, .value = sum.sent_bytes},
      {.name = "udp_bytes", .labels = received, .value = sum.received_bytes}};
  for (std::size_t i = 0; i < kDropReasons; ++i)
    counters.push_back({.name = "udp_drops",
                        .labels = {{"reason", std::string(to_string(static_cast<Drop>(i)))}},
                        .value = sum.drops[i]});
  return counters;
}

void UdpDataPlane::close_tunnel() {
  tunnel_ = nullptr;
  // It ends its threads after the lock is free.
  const auto former = carriers_.with([](Carriers& carriers) {
    if (carriers.present) carriers.former += carriers.present->counters();
    return std::move(carriers.present);
  });
}

// `found` is the device of that name. One of another kind, or one that allows a single queue,
// cannot be attached to; the port is ours by then, so no flanneld is behind it.
Status UdpDataPlane::open_tunnel(const Tunnel::Options& options, const std::optional<Link>& found,
                                 const Pass& pass) {
  close_tunnel();  // it has the port
  auto opened = Tunnel::open(options);
  const std::string object = "link " + options.device;
  if (!opened && opened.error().number == EINVAL && found) {
    RETURN_IF_ERROR(kernel::ignore_errno(pass.rtnetlink.remove(found->index), ENODEV));
    pass.report.edit("links", object, "unusable", "removed");
    opened = Tunnel::open(options);
  }
  if (!opened) return Failure(opened.error());
  tunnel_ = opened->get();
  carriers_.with([&](Carriers& carriers) { carriers.present = *std::move(opened); });
  ASSIGN_OR_RETURN(const auto link, pass.rtnetlink.link(options.device));
  if (!link) return fail(options.device + " went away again");
  if (!found || found->index != link->index)
    pass.report.edit("links", object, "missing", "created");
  device_ = link->index;
  peers_.clear();
  return {};
}

Result<LinkIndex> UdpDataPlane::settle_tunnel(const Pass& pass) {
  const Tunnel::Options options{.device = kDeviceName,
                                .local = pass.uplink.local.at(Family::kIpv4),
                                .port = backend_.port,
                                .device_address = pass.own.key.ipv4->address()};
  ASSIGN_OR_RETURN(auto link, pass.rtnetlink.link(options.device));
  if (tunnel_ == nullptr || !link || link->index != device_ || tunnel_->options() != options) {
    RETURN_IF_ERROR(open_tunnel(options, link, pass));
    ASSIGN_OR_RETURN(link, pass.rtnetlink.link(device_));
    if (!link) return fail(options.device + " went away again");
  }
  const auto& peers = pass.peers.of.at(Family::kIpv4);
  if (peers != peers_) {
    tunnel_->set_peers(PeerTable(peers, backend_.port));
    peers_ = peers;
  }
  const TunnelDevice desired = plan_device(*pass.own.key.ipv4, pass.uplink.link(Family::kIpv4).mtu);
  RETURN_IF_ERROR(
      settle_tunnel_device(*link, desired, network_.network, pass.rtnetlink, pass.report));
  return device_;
}

std::vector<LinkIndex> UdpDataPlane::settle(const Pass& pass) {
  const auto device = settle_tunnel(pass);
  if (!device) {
    pass.report.note(Failure(device.error()));
    return {};
  }
  const auto plan = [&](const std::vector<Route>&) {
    return plan_route(network_.network, *device);
  };
  pass.report.note(settle_forwarding(
      {.network = network_, .device = *device, .uplink = pass.uplink.link(Family::kIpv4).index},
      plan, pass.rtnetlink, pass.report));
  return {*device};
}

}  // namespace weft::overlay::udp
