// nft_codec.h: nftables objects to and from the kernel's messages (linux/netfilter/nf_tables.h).
//
// Pure. Decoding takes any bytes: a message that is not what it should be decodes to nothing,
// an expression that weft does not know to nft::Opaque.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/netlink_message.h"
#include "net/nft.h"

namespace weft::kernel::nft_codec {

/// A decoded object and the table that it is in.
template <class Value>
struct InTable {
  nft::TableId table = {};
  Value value = {};
};
struct RuleOfChain {
  std::string chain = {};
  nft::Rule rule = {};
};

// Questions. Those for several objects are dumps.
Request encode_get_generation();
Request encode_get_table(const nft::TableId& table);
Request encode_get_tables();
Request encode_get_chain(const nft::TableId& table, std::string_view chain);
Request encode_get_chains(nft::TableFamily family);
Request encode_get_rules(const nft::TableId& table);
/// Of one chain.
Request encode_get_rules(const nft::TableId& table, std::string_view chain);
Request encode_get_sets(const nft::TableId& table);
Request encode_get_elements(const nft::TableId& table, std::string_view set);

// Messages of a batch.
/// `generation` makes the kernel refuse the batch with ERESTART when another one came between.
Request encode_batch_begin(std::optional<std::uint32_t> generation);
Request encode_batch_end();
Request encode_put_table(const nft::Table& table);
Request encode_drop_table(const nft::TableId& table);
Request encode_put_chain(const nft::TableId& table, const nft::Chain& chain);
Request encode_drop_chain(const nft::TableId& table, std::string_view chain);
/// Without the elements. `id` tells the sets of one batch apart.
Request encode_put_set(const nft::TableId& table, const nft::Set& set, std::uint32_t id);
Request encode_drop_set(const nft::TableId& table, std::string_view set);
Request encode_flush_set(const nft::TableId& table, std::string_view set);
/// As many messages as the elements need: the list in each is shorter than 64 KiB.
std::vector<Request> encode_put_elements(const nft::TableId& table, std::string_view set,
                                         const std::vector<nft::Element>& elements);
std::vector<Request> encode_drop_elements(const nft::TableId& table, std::string_view set,
                                          const std::vector<nft::Element>& elements);
/// In front of the rule with the handle `before`, or at the end of the chain.
Request encode_insert_rule(const nft::TableId& table, std::string_view chain, const nft::Rule& rule,
                           std::optional<std::uint64_t> before);
/// At the front of the chain.
Request encode_prepend_rule(const nft::TableId& table, std::string_view chain,
                            const nft::Rule& rule);
Request encode_replace_rule(const nft::TableId& table, std::string_view chain,
                            const nft::Rule& rule, std::uint64_t handle);
Request encode_drop_rule(const nft::TableId& table, std::string_view chain, std::uint64_t handle);
/// All rules of a chain.
Request encode_flush_chain(const nft::TableId& table, std::string_view chain);

// Answers.
std::optional<std::uint32_t> decode_generation(const Message& message);
std::optional<nft::Table> decode_table(const Message& message);
std::optional<InTable<nft::Chain>> decode_chain(const Message& message);
std::optional<InTable<RuleOfChain>> decode_rule(const Message& message);
/// Without the elements.
std::optional<InTable<nft::Set>> decode_set(const Message& message);
std::optional<std::vector<nft::Element>> decode_elements(const Message& message);

// Parts, shared by the files of the codec.
void encode_data(Request& request, std::uint16_t attribute, const nft::Data& data);
std::optional<nft::Data> decode_data(const Attributes& data);
void encode_expression(Request& request, const nft::Expression& expression);
std::optional<nft::Expression> decode_expression(const Attributes& expression);

}  // namespace weft::kernel::nft_codec
