// nft_portions.h: a large plan cut into transactions that the kernel takes one after the other.
// Pure.
//
// While the kernel works on a transaction, nobody else in the network namespace can change any
// table. So what fills a table with a hundred thousand elements comes in portions, in an order in
// which a packet never meets a rule before what the rule looks up is there.
#pragma once

#include <cstddef>
#include <vector>

#include "net/nft_plan.h"

namespace weft::nft {

/// The edits of plan_table() as portions of at most about so many elements each: first chains,
/// sets and the rules of new chains that no packet reaches; then the elements, an old and a new one
/// of the same key together; then the other rules; last what nothing refers to any more. All in
/// one where they are few, and where a table is made anew, which must not be seen half done.
std::vector<std::vector<TableEdit>> in_portions(std::vector<TableEdit> edits,
                                                std::size_t elements_each);

}  // namespace weft::nft
