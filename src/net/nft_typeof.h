// nft_typeof.h: the note on a set by which nft(8) prints its keys and data as expressions.
//
// A type such as "integer" does not say how wide it is: a set whose key holds a random number can
// only be declared by `typeof`, and nft keeps that declaration in the set's userdata, which the
// kernel passes on unread. Pure.
//
// Source: nftables, src/payload.c, src/meta.c, src/numgen.c (their build_udata functions).
#pragma once

#include <cstdint>
#include <vector>

#include "net/address.h"
#include "net/nft.h"

namespace weft::nft {

/// One expression behind `typeof`.
class TypeofField {
 public:
  static TypeofField destination_address(Family family);  ///< ip daddr
  static TypeofField destination_port();                  ///< th dport
  static TypeofField l4_protocol();                       ///< meta l4proto
  static TypeofField random(std::uint32_t modulus);       ///< numgen random mod MODULUS

  const Bytes& bytes() const { return bytes_; }

 private:
  explicit TypeofField(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};

/// What Set::userdata holds of a map whose key and data are several fields each.
Bytes typeof_record(const std::vector<TypeofField>& key, const std::vector<TypeofField>& data);

}  // namespace weft::nft
