#include "kernel/iptables_nft_codec.h"

#include <array>

namespace weft::kernel::iptables_nft {
namespace {

struct BuiltIn {
  std::string_view table;
  std::string_view chain;
  nft::HookPoint point;
  std::int32_t priority;
};
constexpr std::array kBuiltIn{
    BuiltIn{"filter", "INPUT", nft::HookPoint::kInput, nft::priority::kFilter},
    BuiltIn{"filter", "FORWARD", nft::HookPoint::kForward, nft::priority::kFilter},
    BuiltIn{"filter", "OUTPUT", nft::HookPoint::kOutput, nft::priority::kFilter},
    BuiltIn{"nat", "PREROUTING", nft::HookPoint::kPrerouting, nft::priority::kDstNat},
    BuiltIn{"nat", "INPUT", nft::HookPoint::kInput, nft::priority::kSrcNat},
    BuiltIn{"nat", "POSTROUTING", nft::HookPoint::kPostrouting, nft::priority::kSrcNat},
    BuiltIn{"nat", "OUTPUT", nft::HookPoint::kOutput, nft::priority::kDstNat},
};

}  // namespace

nft::TableId table_id(Family family, std::string_view table) {
  return {.family = nft::table_family(family), .name = std::string(table)};
}

std::optional<nft::Chain> built_in_chain(std::string_view table, std::string_view chain) {
  for (const BuiltIn& one : kBuiltIn)
    if (one.table == table && one.chain == chain)
      return nft::Chain{.name = std::string(chain),
                        .hook = nft::Hook{.type = table == "nat" ? "nat" : "filter",
                                          .point = one.point,
                                          .priority = one.priority}};
  return std::nullopt;
}

}  // namespace weft::kernel::iptables_nft
