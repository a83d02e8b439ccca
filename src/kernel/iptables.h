// iptables.h: iptables of one family, read and changed by running its own programs.
//
// Only they know their matches and targets, and the legacy variant has no other door. They act
// in the network namespace in which the calling thread stands (a child inherits it), not in the
// one where find() was called.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/address.h"
#include "net/iptables.h"

namespace weft::kernel {

struct IptablesVersion {
  enum class Variant { kNft, kLegacy };
  std::array<unsigned, 3> number{};
  Variant variant = Variant::kLegacy;

  /// What `iptables --version` prints: "iptables v1.8.9 (nf_tables)". Versions before 1.8 name
  /// no variant and are legacy.
  static Result<IptablesVersion> parse(std::string_view text);
  /// MASQUERADE --random-fully, since 1.6.2.
  bool has_random_fully() const { return number >= std::array<unsigned, 3>{1, 6, 2}; }
  /// iptables-restore --wait, since 1.6.2.
  bool has_restore_wait() const { return has_random_fully(); }
  bool operator==(const IptablesVersion&) const = default;
};

class Iptables {
 public:
  /// The programs in PATH: iptables, iptables-save, iptables-restore, or ip6tables-*. With a
  /// flavour ("nft", "legacy") iptables-nft, iptables-nft-save and so on. The error names a
  /// program that is missing.
  static Result<Iptables> find(Family family, std::string_view flavour = {});

  const IptablesVersion& version() const { return version_; }
  /// "iptables" or what find() chose, for messages.
  const std::string& name() const { return name_; }

  /// A whole table. One that the kernel does not have yet is empty.
  Result<IptablesTable> read(const std::string& table) const;

  /// Carries out the input of iptables-restore ("*nat", commands, "COMMIT"), each table whole or
  /// not at all, and leaves what it does not name as it is. Waits for the lock of others.
  Status restore(const std::string& script) const;

 private:
  std::string name_;
  IptablesVersion version_;
};

/// Whether there is a program `iptables` in PATH. Runs nothing.
bool iptables_is_installed();

/// Whether the legacy variant has a filter or nat table in the calling thread's namespace: it has
/// once somebody has used it there.
bool legacy_iptables_in_use(Family family);

}  // namespace weft::kernel
