// cni_container.h: a network namespace that stands for a container.
#pragma once

#include <unistd.h>

#include <string>

#include "base/process.h"
#include "netns/fresh_netns.h"
#include "support/cni_plugins.h"

namespace weft::test {

class Container {
 public:
  explicit Container(std::string id) : id_(std::move(id)), netns_(must(kernel::Netns::create())) {}

  const kernel::Netns& netns() const { return netns_; }
  /// A path that other processes can open while this one lives.
  std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(netns_.fd());
  }
  ContainerPort port(std::string ifname = "eth0") const {
    return {.id = id_, .netns = path(), .ifname = std::move(ifname)};
  }
  /// What a command prints when it runs inside.
  std::string run_inside(std::vector<std::string> argv) const {
    const auto visit = must(kernel::NetnsVisit::enter(netns_));
    return must(run_or_fail({.argv = std::move(argv)}));
  }
  /// Calls `use` with a socket of the container.
  template <class Use>
  auto inside(Use use) const {
    const auto visit = must(kernel::NetnsVisit::enter(netns_));
    auto rtnetlink = must(kernel::Rtnetlink::open());
    return use(rtnetlink);
  }

 private:
  std::string id_;
  kernel::Netns netns_;
};

}  // namespace weft::test
