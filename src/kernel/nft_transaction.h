// nft_transaction.h: edits of nftables that the kernel carries out all at once or not at all.
//
// Edits are carried out in the order in which they were added, each seeing what those before
// it did. Sent by Nftables::commit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/netlink_message.h"
#include "net/nft.h"
#include "net/nft_plan.h"

namespace weft::kernel {

class Transaction {
 public:
  /// One message, and the object that it is about, for error messages.
  struct Step {
    Request request;
    std::string about;
  };

  // A put of a table or chain that is there already changes nothing but a chain's policy. A
  // drop of what is not there fails the whole transaction with ENOENT; the ensure_no_ calls
  // take that for done.
  void put_table(const nft::Table& table);
  void drop_table(const nft::TableId& table);
  void ensure_no_table(const nft::TableId& table);

  void put_chain(const nft::TableId& table, const nft::Chain& chain);
  void drop_chain(const nft::TableId& table, std::string_view chain);
  /// For chains without a hook, in a table that is there. EBUSY while something jumps to it.
  void ensure_no_chain(const nft::TableId& table, std::string_view chain);

  /// With its elements.
  void put_set(const nft::TableId& table, const nft::Set& set);
  void drop_set(const nft::TableId& table, std::string_view set);
  void flush_set(const nft::TableId& table, std::string_view set);
  /// Any number: split over as many messages as it takes. An element that is there with the
  /// same data is no error, one with other data is (EEXIST).
  void put_elements(const nft::TableId& table, std::string_view set,
                    const std::vector<nft::Element>& elements);
  /// Only the keys of the elements count.
  void drop_elements(const nft::TableId& table, std::string_view set,
                     const std::vector<nft::Element>& elements);

  void append_rule(const nft::TableId& table, std::string_view chain, const nft::Rule& rule);
  /// In front of all others.
  void prepend_rule(const nft::TableId& table, std::string_view chain, const nft::Rule& rule);
  void insert_rule(const nft::TableId& table, std::string_view chain, const nft::Rule& rule,
                   std::uint64_t before);
  void replace_rule(const nft::TableId& table, std::string_view chain, const nft::Rule& rule,
                    std::uint64_t handle);
  void drop_rule(const nft::TableId& table, std::string_view chain, std::uint64_t handle);
  void flush_chain(const nft::TableId& table, std::string_view chain);

  /// An edit of a plan.
  void add(const nft::TableId& table, const nft::TableEdit& edit);

  bool empty() const { return steps_.empty(); }
  std::vector<Step>& steps() { return steps_; }

 private:
  void step(Request request, std::string about);
  void steps(std::vector<Request> requests, const std::string& about);

  std::vector<Step> steps_;
  std::uint32_t next_set_id_ = 1;
};

}  // namespace weft::kernel
