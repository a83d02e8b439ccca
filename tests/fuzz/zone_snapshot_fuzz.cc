// The names of a cluster from a disk: the whole file, and what stands behind a digest that is
// right.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dns/zone_snapshot.h"

using namespace weft;
using namespace weft::dns;

namespace {

constexpr SnapshotLimits kLimits{
    .bytes = 1U << 16U, .services = 100, .endpoints = 100, .namespaces = 100};

void restore(std::string_view bytes) {
  ZoneOptions options;
  for (const char* zone : {"cluster.local", "in-addr.arpa"})
    options.zones.push_back(ServedZone::of(*Name::parse(zone)));
  ZoneBuilder builder(options);
  if (!restore_snapshot(bytes, "", UnixSeconds(), builder, kLimits)) return;
  const auto zone = builder.zone(1);
  if (zone->services.size() > kLimits.services || zone->reverse.size() > 300) std::abort();
  // What was taken in is written down so that it reads the same.
  const std::string again = encode_names(*zone);
  ZoneBuilder second(options);
  if (!restore_snapshot(seal_snapshot(again, "", UnixSeconds()), "", UnixSeconds(), second))
    std::abort();
  if (encode_names(*second.zone(1)) != again) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  restore(bytes);
  restore(seal_snapshot(bytes, "", UnixSeconds()));
  return 0;
}
