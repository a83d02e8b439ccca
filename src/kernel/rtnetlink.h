// rtnetlink.h: the links, addresses, routes, neighbours and rules of one network namespace.
//
// Acts in the namespace in which it was opened. One user at a time. Every list is whole or an
// Error. Errors name the object: "creating flannel.1: the kernel refused: File exists".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/netlink_socket.h"
#include "kernel/rtnetlink_codec.h"

namespace weft::kernel {

class Rtnetlink {
 public:
  /// In the calling thread's namespace.
  static Result<Rtnetlink> open();

  // Links.
  Result<std::vector<Link>> links();
  /// Nothing when there is no device of that name or number.
  Result<std::optional<Link>> link(std::string_view name);
  Result<std::optional<Link>> link(LinkIndex index);
  Result<LinkCounters> counters(LinkIndex index);
  /// EEXIST when the name is taken.
  Status create(const NewLink& link);
  Status change(LinkIndex link, const LinkChange& change);
  Status set_port(LinkIndex port, const BridgePort& options);
  /// ENODEV when it is gone already.
  Status remove(LinkIndex link);

  // Addresses; of one device, or of all with kNone.
  Result<std::vector<LinkAddress>> addresses(LinkIndex link = LinkIndex::kNone);
  /// `without_dad`: an IPv6 address is usable at once (IFA_F_NODAD). EEXIST when it is there.
  Status add(const LinkAddress& address, bool without_dad = true);
  /// EADDRNOTAVAIL when it is gone already.
  Status remove(const LinkAddressKey& address);

  // Routes of one table, all or those of one type. A table that does not exist is empty.
  Result<std::vector<Route>> routes(Family family, RouteTable table = RouteTable::kMain,
                                    std::optional<RouteType> type = {});
  Status put(const Route& route, RouteWrite write = RouteWrite::kReplace);
  /// ESRCH when it is gone already.
  Status remove(const Route& route);
  /// The route that a packet to `destination` would take; ENETUNREACH when there is none.
  Result<Route> route_to(const IpAddress& destination);

  // Neighbours and forwarding entries of one device.
  Result<std::vector<Neighbour>> neighbours(Family family, LinkIndex link);
  Result<std::vector<FdbEntry>> fdb(LinkIndex link);

  Result<std::vector<PolicyRule>> rules(Family family);

  /// Many requests at once, for tables with thousands of entries; the verdicts in order.
  std::vector<Status> request_all(std::vector<Request>& requests) {
    return socket_.request_all(requests);
  }

  /// See NetlinkSocket::port().
  Result<std::uint32_t> port() const { return socket_.port(); }

 private:
  explicit Rtnetlink(NetlinkSocket socket) : socket_(std::move(socket)) {}

  Result<std::optional<Link>> get_link(Request request);
  Status request(Request request, const std::string& tried);

  NetlinkSocket socket_;
};

/// Success also where the errno says that the wished state is there already.
Status ignore_errno(Status status, int number);

}  // namespace weft::kernel
