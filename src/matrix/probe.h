// probe.h: probes from one place to many others at once: ICMP, TCP and UDP.
//
// Acts in the calling thread's network namespace. All targets are probed side by side, so that a
// round takes as long as its slowest answer and at most the time limit.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "matrix/model.h"

namespace weft::matrix {

struct ProbeOptions {
  std::chrono::milliseconds timeout{1000};  ///< of one probe
  unsigned count = 3;                       ///< probes a pair and protocol
};

inline constexpr std::uint16_t kResponderPort = 8080;

struct Target {
  IpAddress address = {};
  std::vector<Protocol> protocols = {};  ///< ICMP first
  std::uint16_t port = kResponderPort;
  unsigned probes = 0;        ///< a protocol, of one that answers, when more than the options say
  std::string question = {};  ///< a DNS query, over UDP, instead of the responder's
};

/// The results of each target, in the order of its protocols.
Result<std::vector<std::vector<ProbeResult>>> probe_targets(const std::vector<Target>& targets,
                                                            const ProbeOptions& options);

/// Sends `burst` packets of a protocol to a target and waits for no answer: something to count.
void send_burst(const IpAddress& target, Protocol protocol, unsigned burst, std::uint32_t size);

}  // namespace weft::matrix
