// delegate.h: calling another plugin: an IPAM plugin, or the one that flannel drives.
//
// The plugin is looked for on CNI_PATH, where the operator may have put somebody else's. When
// the file found is this very program (a link to it), its handler is called in this process,
// which saves a start; otherwise the file is run with our environment, our standard error and
// the same configuration.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cni/plugin.h"

namespace weft::cni {

class Delegate {
 public:
  /// One that hangs would hang the runtime. The slowest known plugin, dhcp, takes a minute.
  static constexpr std::chrono::milliseconds kLongest{120'000};

  /// The plugin of type `type`; the first regular file of that name on CNI_PATH. A call that takes
  /// longer than `limit` is ended and has failed.
  static CniResult<Delegate> find(std::string_view type, const Call& call,
                                  std::chrono::milliseconds limit = kLongest);

  CniResult<AddResult> add(const Call& call) const;
  /// DEL, CHECK, STATUS or GC.
  CniStatus run(Command command, const Call& call) const;

 private:
  Delegate(std::string file, const Plugin* sibling, std::chrono::milliseconds limit)
      : file_(std::move(file)), sibling_(sibling), limit_(limit) {}
  CniResult<std::string> execute(Command command, const Call& call) const;

  std::string file_;
  const Plugin* sibling_;  // nullptr: another program
  std::chrono::milliseconds limit_;
};

/// A call of the same attachment with another configuration, as flannel hands on.
class DelegatedCall {
 public:
  static CniResult<std::unique_ptr<DelegatedCall>> make(const Call& outer, std::string config_text);
  const Call& call() const { return *call_; }

 private:
  // NOLINTNEXTLINE(bugprone-exception-escape): an empty Json allocates nothing.
  DelegatedCall() = default;
  std::string text_;
  Json config_;
  std::optional<Call> call_;
};

}  // namespace weft::cni
