#include "cni/plugins/bandwidth_config.h"

#include <limits>

#include "base/sha2.h"
#include "cni/masquerade_rules.h"

namespace weft::cni {
namespace {

/// Bits a second and bits; 0 is no limit.
struct Limit {
  std::int64_t rate = 0;
  std::int64_t burst = 0;
};

struct Limits {
  Limit ingress = {};
  Limit egress = {};
};

bool is_given(const ObjectReader& reader) {
  for (const char* key : {"ingressRate", "ingressBurst", "egressRate", "egressBurst"})
    if (reader.find(key) != nullptr) return true;
  return false;
}

CniResult<Limits> read_limits(ObjectReader& reader) {
  Limits limits;
  reader.read("ingressRate", limits.ingress.rate);
  reader.read("ingressBurst", limits.ingress.burst);
  reader.read("egressRate", limits.egress.rate);
  reader.read("egressBurst", limits.egress.burst);
  for (const auto& [rate, burst] : {limits.ingress, limits.egress})
    if (rate < 0 || burst < 0) reader.reject("bandwidth", "a rate or burst is negative");
  RETURN_IF_ERROR(reader.finish());
  return limits;
}

CniResult<std::optional<TokenBucket>> bucket_of(const Limit& limit) {
  constexpr std::int64_t kBits = 8;
  if (limit.burst == 0 && limit.rate != 0) return refuse("if rate is set, burst must also be set");
  if (limit.rate == 0 && limit.burst != 0) return refuse("if burst is set, rate must also be set");
  if (limit.burst / kBits >= std::numeric_limits<std::uint32_t>::max())
    return refuse("burst cannot be more than 4GB");
  if (limit.rate == 0) return std::optional<TokenBucket>();
  if (limit.rate < kBits) return refuse("a rate must be at least 8 bits a second");
  return std::optional<TokenBucket>(token_bucket(static_cast<std::uint64_t>(limit.rate / kBits),
                                                 static_cast<std::uint32_t>(limit.burst / kBits)));
}

std::string name_with(const std::string& hashed) {
  constexpr std::size_t kDigits = 12;  // of the 15 bytes of a device's name
  return "bwp" + sha512_hex(hashed, kDigits);
}

}  // namespace

CniResult<BandwidthConfig> read_bandwidth_config(const Call& call) {
  ObjectReader own(call.config, "failed to parse network configuration");
  ASSIGN_OR_RETURN(Limits limits, read_limits(own));
  const Json* runtime = own.object("runtimeConfig");
  RETURN_IF_ERROR(own.finish());
  if (runtime != nullptr) {
    ObjectReader outer(*runtime, "failed to parse network configuration: runtimeConfig");
    const Json* given = outer.object("bandwidth");
    RETURN_IF_ERROR(outer.finish());
    if (given != nullptr) {
      ObjectReader inside(*given, "failed to parse network configuration: bandwidth");
      ASSIGN_OR_RETURN(const Limits of_runtime, read_limits(inside));
      if (!is_given(own)) limits = of_runtime;
    }
  }
  BandwidthConfig config;
  ASSIGN_OR_RETURN(config.ingress, bucket_of(limits.ingress));
  ASSIGN_OR_RETURN(config.egress, bucket_of(limits.egress));
  return config;
}

std::string ifb_name(const Call& call) {
  return name_with(call.network + call.environment.container_id);
}

std::string second_ifb_name(const Call& call) {
  return name_with(call.network + call.environment.container_id + "/" + call.environment.ifname);
}

std::string ifb_alias(const Call& call) {
  const Environment& environment = call.environment;
  return attachment_hash({.network = call.network,
                          .container_id = environment.container_id,
                          .ifname = environment.ifname});
}

}  // namespace weft::cni
