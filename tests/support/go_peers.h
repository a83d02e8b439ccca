// go_peers.h: the Go programs that tests run beside weft, and what belongs to them, see
// tests/peers/build-go-peers.
#pragma once

#include <cstdlib>
#include <string>

#include "base/process.h"
#include "support/must.h"

namespace weft::test {

/// The path of "flanneld", "kube-apiserver", "kube-controller-manager", "kube-proxy", "coredns",
/// "cnitool" or "kube-flannel.yml", or of the folder "cni-plugins". Built at the first call ever,
/// in minutes; a program that cannot be built ends the test program with the reason.
/// Where WEFT_GO_PEERS names a folder, they are there and nothing is built.
inline std::string go_peer(const std::string& name) {
  if (const char* there = std::getenv("WEFT_GO_PEERS")) return there + ("/" + name);
  const std::string folder = must(run_or_fail(
      {.argv = {WEFT_BUILD_GO_PEERS, name}, .limit = std::chrono::hours(1), .pass_stderr = true}));
  return folder.substr(0, folder.find('\n')) + "/" + name;
}

}  // namespace weft::test
