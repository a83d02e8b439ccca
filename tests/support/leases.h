// leases.h: leases in few words, and waiting for a watch to see them.
#pragma once

#include <string>

#include "cluster/lease.h"
#include "store/lease_store.h"
#include "support/eventually.h"

namespace weft::test {

inline LeaseKey key(const std::string& text) {
  return LeaseKey::parse(text).value();
}

inline LeaseAttributes attributes(const std::string& public_ipv4) {
  LeaseAttributes result;
  result.public_ipv4 = IpAddress::parse(public_ipv4).value();
  return result;
}

/// 10.0.0.0/24, 10.0.1.0/24, ...
inline LeaseKey numbered(unsigned i) {
  return {.ipv4 = Prefix(IpAddress::v4(0x0a000000U + 256U * i), 24), .ipv6 = {}};
}

/// The value under which attributes("1.2.3.4") are stored.
constexpr char kValue[] = R"({"PublicIP":"1.2.3.4","PublicIPv6":null})";

inline std::string words(const Status& status) {
  return status ? "" : status.error().text();
}

/// A watch's first complete view has come, and nothing keeps it from being current.
inline bool is_current(const LeaseWatch& watch) {
  return eventually([&] { return watch.view() && watch.health(); });
}

inline bool sees(const LeaseWatch& watch, const std::string& name) {
  const auto view = watch.view();
  return view && view->leases.contains(key(name));
}

inline bool comes(const LeaseWatch& watch, const std::string& name) {
  return eventually([&] { return sees(watch, name); });
}

inline bool goes(const LeaseWatch& watch, const std::string& name) {
  return eventually([&] { return !sees(watch, name); });
}

}  // namespace weft::test
