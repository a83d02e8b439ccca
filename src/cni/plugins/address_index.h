// address_index.h: who holds which address, in one file beside host-local's own.
//
// It saves reading every file of the folder to learn what one container holds. It is believed as
// long as the folder's modification time is the one that was stamped last, in the boot in which
// that was done; otherwise everything is read once and the index written anew. The stamp has
// made-up nanoseconds, so that a change by anybody else (a Go plugin, an operator) shows even
// within one tick of the clock. Nothing is synced to the disk: what a power loss tears belongs to a
// former boot.
//
// The file: a header, then slots of fixed size that are written in place. Numbers are the
// machine's own: the file does not travel.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "net/address.h"

namespace weft::cni {

class AddressIndex {
 public:
  using Entry = std::pair<std::uint64_t, IpAddress>;  ///< hash of an owner, address

  /// The index of a folder; nothing when there is none that can be believed. `directory` must
  /// outlive it; `boot` names the present boot.
  static std::optional<AddressIndex> load(int directory, const std::string& boot);
  /// Writes a new one. Where that fails (a full disk) it serves this process only.
  static AddressIndex create(int directory, const std::string& boot,
                             std::span<const Entry> entries);
  /// The boot in which the folder's index was written; empty when there is none.
  static std::string boot_of(int directory);

  void add(const Entry& entry);
  void remove(const IpAddress& address);
  /// The addresses of an owner, in no order.
  std::vector<IpAddress> of(std::uint64_t owner) const;
  /// Every address, in no order.
  std::vector<IpAddress> all() const;
  /// Declares the index to be what the folder holds now. Nothing without a file.
  void stamp();

 private:
  struct Slot {
    std::uint64_t owner = 0;
    std::uint64_t length = 0;  ///< bytes of the address; 0: a free slot
    std::array<char, 16> address{};
  };
  static_assert(sizeof(Slot) == 32);
  static constexpr int kLongestBoot = 40;
  struct Header {
    std::array<char, 8> magic{};
    std::array<char, kLongestBoot> boot{};
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const Header&) const = default;
  };
  static_assert(sizeof(Header) == 64);

  AddressIndex(int directory, const Header& header) : directory_(directory), header_(header) {}
  static Header header_for(const std::string& boot);
  static Slot slot_of(const Entry& entry);
  void write(std::size_t slot);

  int directory_;
  Header header_;
  Fd file_ = {};  // empty: the index is not on the disk
  std::vector<Slot> slots_ = {};
};

}  // namespace weft::cni
