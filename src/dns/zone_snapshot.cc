#include "dns/zone_snapshot.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/sha2.h"
#include "dns/bytes.h"

namespace weft::dns {
namespace {

using Kind = ServiceRecords::Kind;

constexpr std::string_view kMagic = "weftname";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kDigest = 32;
// Endpoints that are taken back at once, since as values they take ten times their bytes.
constexpr std::size_t kSliceSize = 1000;

std::string digest_of(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return {digest.begin(), digest.end()};
}

class Writer {
 public:
  void byte(std::size_t value) { bytes_ += static_cast<char>(value); }
  void word(std::size_t value) {
    std::array<char, 2> room{};
    put_word(room.data(), static_cast<std::uint16_t>(value));
    bytes_.append(room.data(), room.size());
  }
  void number(std::size_t value) {
    std::array<char, 4> room{};
    put_number(room.data(), static_cast<std::uint32_t>(value));
    bytes_.append(room.data(), room.size());
  }
  void text(std::string_view text) {
    byte(text.size());
    bytes_ += text;
  }
  void append(std::string_view bytes) { bytes_ += bytes; }
  void ports(const PortSet& set) {
    std::size_t count = 0;
    set.for_each([&](const PortSet::Port&) { ++count; });
    number(count);
    set.for_each([&](const PortSet::Port& port) {
      text(port.name);
      byte(static_cast<std::size_t>(port.protocol));
      word(port.number);
    });
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

void write_cluster_ip(const ServiceRecords& service, Writer& out) {
  out.byte(service.has_endpoints ? 1 : 0);
  std::vector<std::string_view> addresses;
  for (const std::string* record : {&service.a, &service.aaaa})
    if (!record->empty())
      addresses.push_back(std::string_view(*record).substr(kAddressRecordFront));
  out.number(addresses.size());
  for (const std::string_view address : addresses) out.text(address);
  out.ports(service.ports);
}

// Where an endpoint's record and label are.
struct Place {
  const EndpointTable* table;
  std::size_t index;
};

// Endpoints with one set of ports are a slice, or several.
void write_headless(const ServiceRecords& service, Writer& out) {
  static const HeadlessEndpoints kNone;
  const HeadlessEndpoints& all = service.endpoints == nullptr ? kNone : *service.endpoints;
  std::vector<std::vector<Place>> by_ports(all.ports.size());
  for (const EndpointTable* table : {&all.v4, &all.v6})
    for (std::size_t i = 0; i < table->size(); ++i)
      by_ports[table->port_set(i)].push_back({.table = table, .index = i});
  std::size_t slices = 0;
  for (const auto& places : by_ports) slices += (places.size() + kSliceSize - 1) / kSliceSize;
  out.number(slices);
  for (std::size_t set = 0; set < by_ports.size(); ++set) {
    const auto& places = by_ports[set];
    for (std::size_t begin = 0; begin < places.size(); begin += kSliceSize) {
      const std::size_t end = std::min(places.size(), begin + kSliceSize);
      out.ports(all.ports[set].set);
      out.number(end - begin);
      for (std::size_t i = begin; i < end; ++i) {
        out.text(places[i].table->address(places[i].index));
        out.text(places[i].table->label(places[i].index).substr(1));
      }
    }
  }
}

void write_service(const ServiceRecords& service, Writer& out) {
  const ServiceName name = name_of_key(service.name_and_namespace());
  out.text(name.name);
  out.text(name.ns);
  out.byte(static_cast<std::size_t>(service.kind));
  switch (service.kind) {
    case Kind::kClusterIp:
      return write_cluster_ip(service, out);
    case Kind::kHeadless:
      return write_headless(service, out);
    case Kind::kExternalName:
      return out.text(service.external_name);
  }
}

// Takes the bytes apart. Once something does not fit, everything is empty and nothing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::string_view bytes(std::size_t size) {
    if (size > left_.size()) return fail(), std::string_view();
    const std::string_view part = left_.substr(0, size);
    left_.remove_prefix(size);
    return part;
  }
  std::size_t byte() {
    const std::string_view part = bytes(1);
    return part.empty() ? 0 : byte_at(part, 0);
  }
  std::uint16_t word() {
    const std::string_view part = bytes(2);
    return part.empty() ? std::uint16_t{0} : word_at(part, 0);
  }
  std::uint32_t number() {
    const std::string_view part = bytes(4);
    return part.empty() ? 0 : number_at(part, 0);
  }
  std::string_view text() { return bytes(byte()); }
  ServiceProtocol protocol() {
    const auto protocol = static_cast<ServiceProtocol>(byte());
    switch (protocol) {
      case ServiceProtocol::kTcp:
      case ServiceProtocol::kUdp:
      case ServiceProtocol::kSctp:
        return protocol;
    }
    return fail(), ServiceProtocol::kTcp;
  }
  std::optional<IpAddress> address() {
    const auto address = IpAddress::from_bytes(text());
    if (!address) fail();
    return address;
  }
  // Calls `take` as often as the list's count says, as long as there is something.
  template <class Take>
  void list(Take take) {
    for (std::uint32_t left = number(); left > 0 && !failed_; --left) take();
  }
  void fail() {
    failed_ = true;
    left_ = {};
  }
  bool failed() const { return failed_; }
  bool is_at_end() const { return !failed_ && left_.empty(); }

 private:
  std::string_view left_;
  bool failed_ = false;
};

// A service's port and a slice's.
template <class Port>
std::vector<Port> read_ports(Reader& in) {
  std::vector<Port> ports;
  in.list([&] {
    Port port;
    port.name = in.text();
    port.protocol = in.protocol();
    port.port = in.word();
    ports.push_back(std::move(port));
  });
  return ports;
}

// As text in the order of numbers, in which the builder goes through slices.
std::string ordered(std::size_t number) {
  constexpr std::size_t kDigits = 10;
  const std::string text = std::to_string(number);
  return std::string(kDigits - std::min(kDigits, text.size()), '0') + text;
}

// Puts what it reads into the builder.
class Restorer {
 public:
  Restorer(Reader& in, const SnapshotLimits& limits, ZoneBuilder& builder)
      : in_(in), limits_(limits), builder_(builder) {}

  void run() {
    in_.list([&] {
      const std::string name(in_.text());
      count(namespaces_, limits_.namespaces);
      if (!in_.failed()) builder_.put_namespace(name);
    });
    in_.list([&] {
      count(services_, limits_.services);
      service();
    });
  }

 private:
  void count(std::size_t& counter, std::size_t most) {
    if (++counter > most) in_.fail();
  }

  void service() {
    Service made;
    made.name.name = in_.text();
    made.name.ns = in_.text();
    switch (static_cast<Kind>(in_.byte())) {
      case Kind::kClusterIp:
        return cluster_ip(std::move(made));
      case Kind::kHeadless:
        return headless(std::move(made));
      case Kind::kExternalName:
        return alias(std::move(made));
    }
    in_.fail();
  }

  void cluster_ip(Service made) {
    const bool has_endpoints = in_.byte() != 0;
    in_.list([&] {
      if (const auto address = in_.address()) made.cluster_ips.push_back(*address);
    });
    made.ports = read_ports<ServicePort>(in_);
    if (in_.failed()) return;
    builder_.put(made);
    if (!builder_.counts_endpoints() || !has_endpoints || made.cluster_ips.empty()) return;
    // One stands for those that nobody has written down: it only counts that there is any.
    EndpointSlice slice = next_slice(made);
    slice.endpoints.push_back({.addresses = {made.cluster_ips.front()}});
    builder_.put(slice);
  }

  void headless(Service made) {
    made.headless = true;
    if (!in_.failed()) builder_.put(made);
    in_.list([&] {
      EndpointSlice slice = next_slice(made);
      slice.headless_label = true;
      slice.ports = read_ports<EndpointPort>(in_);
      in_.list([&] {
        count(endpoints_, limits_.endpoints);
        const auto address = in_.address();
        const std::string_view label = in_.text();
        if (!address || in_.failed()) return;
        slice.endpoints.push_back({.addresses = {*address}, .hostname = std::string(label)});
        if (slice.endpoints.size() > kSliceSize) in_.fail();
      });
      if (!in_.failed()) builder_.put(slice);
    });
  }

  void alias(Service made) {
    made.type = ServiceType::kExternalName;
    // Without a target there is a Service, but nothing to be said of it.
    const std::string_view wire = in_.text();
    const auto target = Name::from_wire(wire);
    if (!target && !wire.empty()) in_.fail();
    if (in_.failed()) return;
    if (target) made.external_name = target->to_string();
    builder_.put(made);
  }

  // No slice of a store has such a name, so that its whole list takes these out.
  EndpointSlice next_slice(const Service& of) {
    EndpointSlice slice;
    slice.ns = of.name.ns;
    slice.name = of.name.name + "@" + ordered(slices_++);
    slice.service = of.name.name;
    return slice;
  }

  Reader& in_;
  const SnapshotLimits& limits_;
  ZoneBuilder& builder_;
  std::size_t namespaces_ = 0;
  std::size_t services_ = 0;
  std::size_t endpoints_ = 0;
  std::size_t slices_ = 0;
};

Result<Reader> open_sealed(std::string_view bytes) {
  Reader in(bytes);
  if (in.bytes(kMagic.size()) != kMagic) return fail("it is no snapshot of names");
  const std::uint32_t version = in.number();
  if (version != kVersion)
    return fail("it has version " + std::to_string(version) + ", and this program knows " +
                std::to_string(kVersion));
  const std::string_view digest = in.bytes(kDigest);
  if (in.failed()) return fail("it is cut off");
  const std::string_view rest = bytes.substr(kMagic.size() + sizeof kVersion + kDigest);
  if (digest_of(rest) != digest) return fail("it is cut off, or has been changed");
  return Reader(rest);
}

}  // namespace

std::string encode_names(const ClusterZone& zone) {
  Writer out;
  out.number(zone.namespaces->size());
  for (const std::string& ns : *zone.namespaces) out.text(ns);
  out.number(zone.services.size());
  zone.services.for_each(
      [&](const std::shared_ptr<const ServiceRecords>& service) { write_service(*service, out); });
  return out.take();
}

std::string seal_snapshot(std::string_view names, std::string_view origin, UnixSeconds written) {
  Writer rest;
  rest.number(static_cast<std::size_t>(written.time_since_epoch().count()));
  rest.word(origin.size());
  rest.append(origin);
  rest.append(names);
  const std::string covered = rest.take();
  Writer whole;
  whole.append(kMagic);
  whole.number(kVersion);
  whole.append(digest_of(covered));
  whole.append(covered);
  return whole.take();
}

Result<UnixSeconds> restore_snapshot(std::string_view bytes, std::string_view origin,
                                     UnixSeconds now, ZoneBuilder& builder,
                                     const SnapshotLimits& limits) {
  if (bytes.size() > limits.bytes) return fail("it is too large");
  ASSIGN_OR_RETURN(Reader in, open_sealed(bytes));
  const UnixSeconds written{std::chrono::seconds(in.number())};
  if (in.bytes(in.word()) != origin) return fail("its names are those of another cluster");
  if (written > now)
    return fail("it says that it is of " + print_time(written) + ", which is not yet");
  if (now - written > kSnapshotExpires)
    return fail("it is of " + print_time(written) + ", which is too long ago");
  Restorer(in, limits, builder).run();
  if (!in.is_at_end()) return fail("its digest is right, but its contents are not");
  builder.set_stale(true);
  return written;
}

}  // namespace weft::dns
