#include "cni/plugins/dhcp_leases.h"

#include <sys/random.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <ctime>

namespace weft::cni {
namespace {

constexpr MacAddress kEverybody{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

// Goes on while the machine sleeps, as a server's clock does.
DhcpTime now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + DhcpTime(time.tv_nsec / 1'000'000);
}

std::uint32_t any_number() {
  std::uint32_t number = 0;
  (void)!::getrandom(&number, sizeof number, 0);
  return number;
}

void say(const DhcpCall& call, const std::string& text) {
  std::fprintf(stderr, "%s %s: %s\n", call.container_id.c_str(), call.ifname.c_str(), text.c_str());
}

CniResult<Json> config_of(const DhcpCall& call) {
  auto json = parse_json(call.config);
  if (!json || !json->is_object()) return refuse("error parsing netconf: it is no JSON object");
  return *std::move(json);
}

std::string network_of(const Json& config) {
  std::string name;
  ObjectReader(config, "network config").read("name", name);
  return name;
}

AddResult result_of(const DhcpLease& lease, std::uint32_t priority) {
  AddResult result{.ips = {{.address = lease.address, .gateway = lease.gateway}},
                   .routes = lease.routes};
  for (auto& route : result.routes) route.priority = priority;
  return result;
}

}  // namespace

DhcpLeases::DhcpLeases(const DhcpDaemonOptions& options)
    : options_(options), records_(options.host_prefix + options.socket) {}

DhcpClient DhcpLeases::make_client(const std::string& id, const MacAddress& mac,
                                   const DhcpOptions& options) const {
  return DhcpClient(
      {.mac = mac, .client_id = id, .options = options, .broadcast = options_.broadcast},
      options_.timeouts, any_number);
}

void DhcpLeases::resume() {
  for (auto& record : records_.load()) {
    const auto json = config_of(record.call);
    const auto config = json ? read_dhcp_config(*json, record.call.args)
                             : CniResult<DhcpConfig>(CniFailure(json.error()));
    const auto lease = lease_of(record.ack);
    if (!config || !lease) continue;
    const std::string network = network_of(*json);
    const std::string id = dhcp_client_id(record.call.container_id, network, record.call.ifname);
    Attachment attachment{.call = record.call,
                          .network = network,
                          .client = make_client(id, record.ack.mac, config->options),
                          .server_mac = record.server,
                          .server = lease->server};
    attachment.client.resume(*lease, record.granted);
    const auto at = attachments_.insert_or_assign(id, std::move(attachment)).first;
    if (const auto opened = open_wire(at->second); !opened)
      drop(at, "the container is gone: " + opened.error().text());
    else
      at->second.wire.reset();
  }
}

Status DhcpLeases::open_wire(Attachment& attachment) const {
  ASSIGN_OR_RETURN(auto wire, DhcpWire::open(netns_of(attachment.call), attachment.call.ifname));
  attachment.wire.emplace(std::move(wire));
  return {};
}

void DhcpLeases::allocate(const DhcpCall& call, Answer answer) {
  const auto json = config_of(call);
  if (!json) return answer(CniFailure(json.error()));
  const auto config = read_dhcp_config(*json, call.args);
  if (!config) return answer(CniFailure(config.error()));
  const std::uint32_t priority = config->priority;
  Answer with_priority = [answer = std::move(answer),
                          priority](const CniResult<AddResult>& result) {
    CniResult<AddResult> own = result;
    if (own)
      for (auto& route : own->routes) route.priority = priority;
    answer(own);
  };
  const std::string network = network_of(*json);
  const std::string id = dhcp_client_id(call.container_id, network, call.ifname);
  if (const auto found = attachments_.find(id); found != attachments_.end()) {
    if (const auto& lease = found->second.client.lease())
      return with_priority(result_of(*lease, priority));
    found->second.waiting.push_back(std::move(with_priority));
    return;
  }
  auto wire = DhcpWire::open(netns_of(call), call.ifname);
  if (!wire) return with_priority(CniFailure(wire.error()));
  Attachment attachment{
      .call = call, .network = network, .client = make_client(id, wire->mac(), config->options)};
  attachment.wire.emplace(*std::move(wire));
  attachment.waiting.push_back(std::move(with_priority));
  const auto at = attachments_.emplace(id, std::move(attachment)).first;
  follow(at, at->second.client.start(now()));
}

// False when the container is gone, and with it the attachment.
bool DhcpLeases::send(Attachments::iterator at, const DhcpClient::Step& step) {
  Attachment& attachment = at->second;
  if (!step.send) return true;
  if (!attachment.wire)
    if (const auto opened = open_wire(attachment); !opened) {
      drop(at, "the container is gone: " + opened.error().text());
      return false;
    }
  attachment.wire_until = now() + options_.timeouts.answer;
  const DhcpEndpoints ends{
      .from = step.send->client,
      .to = step.to_server ? attachment.server : IpAddress::any(Family::kIpv4).filled(0)};
  const auto sent =
      attachment.wire->send(*step.send, ends, step.to_server ? attachment.server_mac : kEverybody);
  if (!sent) say(attachment.call, sent.error().text());
  return true;
}

void DhcpLeases::bound(Attachments::iterator at, const DhcpWire::Received& ack) {
  Attachment& attachment = at->second;
  const DhcpLease& lease = *attachment.client.lease();
  attachment.server = lease.server;
  attachment.server_mac = ack.from;
  attachment.wire.reset();
  const auto kept = records_.put(at->first, {.call = attachment.call,
                                             .ack = ack.packet,
                                             .granted = attachment.client.granted(),
                                             .server = ack.from});
  if (!kept) say(attachment.call, "a restart would lose the lease: " + kept.error().text());
  say(attachment.call, lease.address.to_string() + " for " + std::to_string(lease.seconds) + " s");
  for (const auto& answer : std::exchange(attachment.waiting, {})) answer(result_of(lease, 0));
}

void DhcpLeases::drop(Attachments::iterator at, const std::string& why) {
  const auto node = attachments_.extract(at);
  say(node.mapped().call, why);
  (void)records_.remove(node.key());
  for (const auto& answer : node.mapped().waiting) answer(refuse(why));
}

void DhcpLeases::follow(Attachments::iterator at, const DhcpClient::Step& step,
                        const DhcpWire::Received* cause) {
  if (!send(at, step)) return;
  switch (step.event) {
    case DhcpClient::Event::kNone:
      return;
    case DhcpClient::Event::kBound:
      if (cause != nullptr) bound(at, *cause);
      return;
    case DhcpClient::Event::kGaveUp:
      return drop(at, "no more tries: no DHCP server has given a lease");
    case DhcpClient::Event::kExpired:
      if (const auto down = set_interface_down(netns_of(at->second.call), at->second.call.ifname);
          !down)
        say(at->second.call, down.error().text());
      return drop(at, "the lease is over, the interface is set down");
  }
}

void DhcpLeases::give_back(Attachments::iterator at) {
  const auto step = at->second.client.release();
  if (send(at, step)) drop(at, "released");
}

CniStatus DhcpLeases::release(const DhcpCall& call) {
  ASSIGN_OR_RETURN(const Json config, config_of(call));
  const auto found =
      attachments_.find(dhcp_client_id(call.container_id, network_of(config), call.ifname));
  if (found != attachments_.end()) give_back(found);
  return {};
}

CniStatus DhcpLeases::collect(const DhcpCall& call) {
  ASSIGN_OR_RETURN(const Json config, config_of(call));
  ASSIGN_OR_RETURN(const auto valid, valid_attachments(config));
  const std::string network = network_of(config);
  for (auto at = attachments_.begin(); at != attachments_.end();) {
    const auto each = at++;
    const DhcpCall& held = each->second.call;
    // What is still being asked for is younger than the list.
    if (each->second.network == network && each->second.client.lease() &&
        !is_valid(valid, held.container_id, held.ifname))
      give_back(each);
  }
  return {};
}

std::vector<int> DhcpLeases::descriptors() const {
  std::vector<int> fds;
  for (const auto& [id, attachment] : attachments_)
    if (attachment.wire) fds.push_back(attachment.wire->fd());
  return fds;
}

void DhcpLeases::on_readable(int fd) {
  const auto at = std::find_if(attachments_.begin(), attachments_.end(), [&](const auto& each) {
    return each.second.wire && each.second.wire->fd() == fd;
  });
  if (at == attachments_.end()) return;
  const std::string id = at->first;
  // What comes of a packet may close the socket or end the attachment.
  while (attachments_.contains(id) && at->second.wire) {
    const auto received = at->second.wire->receive();
    if (!received) return;
    follow(at, at->second.client.on_packet(received->packet, now()), &*received);
  }
}

void DhcpLeases::on_time() {
  const DhcpTime time = now();
  for (auto at = attachments_.begin(); at != attachments_.end();) {
    const auto each = at++;
    Attachment& attachment = each->second;
    if (attachment.client.lease() && attachment.wire && time >= attachment.wire_until)
      attachment.wire.reset();
    follow(each, attachment.client.on_time(time));
  }
}

int DhcpLeases::wait() const {
  if (attachments_.empty()) return -1;
  DhcpTime first = DhcpTime::max();
  for (const auto& [id, attachment] : attachments_) {
    first = std::min(first, attachment.client.wake());
    if (attachment.client.lease() && attachment.wire)
      first = std::min(first, attachment.wire_until);
  }
  return static_cast<int>(std::clamp<std::int64_t>((first - now()).count(), 0, INT_MAX));
}

}  // namespace weft::cni
