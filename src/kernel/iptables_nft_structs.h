// iptables_nft_structs.h: the structs of iptables' extensions, as they stand in nf_tables' rules.
// For the codec alone.
#pragma once

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_conntrack.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "net/nft.h"

namespace weft::kernel::iptables_nft {

// struct xt_sctp_info; its own header is no C++.
struct SctpInfo {
  std::uint16_t dpts[2];
  std::uint16_t spts[2];
  std::uint32_t chunk_map[64];
  std::uint32_t chunk_match_type;
  std::uint8_t flag_info[4][3];  // chunk type, flag, mask
  std::int32_t flag_count;
  std::uint32_t flags;
  std::uint32_t invflags;
};
inline constexpr std::uint32_t kSctpDestinationPorts = 2;
inline constexpr std::uint8_t kNoChunk = 0xff;

// A struct's bytes as they stand in a rule: padded to eight.
template <class Info>
nft::Bytes info_bytes(const Info& info) {
  nft::Bytes bytes(XT_ALIGN(sizeof info), '\0');
  std::memcpy(bytes.data(), &info, sizeof info);
  return bytes;
}
template <class Info>
std::optional<Info> read_info(std::string_view bytes) {
  if (bytes.size() < sizeof(Info)) return std::nullopt;
  Info info;
  std::memcpy(&info, bytes.data(), sizeof info);
  return info;
}

// "match" and "target" have the same attributes.
static_assert(static_cast<int>(NFTA_MATCH_NAME) == static_cast<int>(NFTA_TARGET_NAME) &&
              static_cast<int>(NFTA_MATCH_REV) == static_cast<int>(NFTA_TARGET_REV) &&
              static_cast<int>(NFTA_MATCH_INFO) == static_cast<int>(NFTA_TARGET_INFO));

// A connection's state has the same bits in iptables and in nf_tables.
static_assert(XT_CONNTRACK_STATE_INVALID == nft::ct_state::kInvalid &&
              XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) == nft::ct_state::kEstablished &&
              XT_CONNTRACK_STATE_BIT(IP_CT_RELATED) == nft::ct_state::kRelated &&
              XT_CONNTRACK_STATE_BIT(IP_CT_NEW) == nft::ct_state::kNew);
}  // namespace weft::kernel::iptables_nft
