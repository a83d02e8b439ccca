#include "service/conntrack_settings.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "kernel/sysctl.h"

namespace weft::service {
namespace {

constexpr const char* kBuckets = "net/netfilter/nf_conntrack_buckets";
constexpr const char* kMax = "net/netfilter/nf_conntrack_max";

}  // namespace

Sysctls conntrack_settings(const ProxyConfig::Conntrack& wishes, unsigned processors,
                           std::optional<std::uint64_t> buckets) {
  Sysctls settings;
  if (wishes.max_per_core > 0) {
    const auto most =
        std::max<std::uint64_t>(static_cast<std::uint64_t>(wishes.max_per_core) * processors,
                                static_cast<std::uint64_t>(wishes.min));
    settings[kMax] = std::to_string(most);
    if (buckets && *buckets < most / 4) settings[kBuckets] = std::to_string(most / 4);
  }
  const auto set_timeout = [&](const char* name, Period timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
    if (seconds > 0) settings[name] = std::to_string(seconds);
  };
  set_timeout("net/netfilter/nf_conntrack_tcp_timeout_established", wishes.tcp_established_timeout);
  set_timeout("net/netfilter/nf_conntrack_tcp_timeout_close_wait", wishes.tcp_close_wait_timeout);
  set_timeout("net/netfilter/nf_conntrack_udp_timeout", wishes.udp_timeout);
  set_timeout("net/netfilter/nf_conntrack_udp_timeout_stream", wishes.udp_stream_timeout);
  if (wishes.tcp_be_liberal) settings.emplace("net/netfilter/nf_conntrack_tcp_be_liberal", "1");
  return settings;
}

std::vector<std::string> apply_conntrack_settings(const ProxyConfig::Conntrack& wishes) {
  const auto present = kernel::read_sysctl(kBuckets);
  if (!present && present.error().number == ENOENT) {
    const std::string sentence = std::string("the kernel follows no connections: there is no ") +
                                 kBuckets + "; load nf_conntrack";
    spdlog::warn("{}", sentence);
    return {sentence};
  }
  const auto settings =
      conntrack_settings(wishes, std::max(1U, std::thread::hardware_concurrency()),
                         present ? parse_number(*present) : std::nullopt);
  std::vector<std::string> refusals;
  for (const auto& [name, value] : settings) {
    // Some belong to the whole machine and cannot be set out of a container.
    const Status set = kernel::write_sysctl(name, value);
    if (set) continue;
    spdlog::info("{}; it stays as it is", set.error().text());
    refusals.push_back(set.error().text());
  }
  return refusals;
}

}  // namespace weft::service
