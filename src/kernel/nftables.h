// nftables.h: the nftables of one network namespace: read whole, changed in transactions.
//
// Acts in the namespace in which it was opened. One user at a time. No program is run.
//
// A reading is of one generation of the ruleset: the kernel counts transactions, and when one
// came in between, the reading starts again. A change made by apply() names the generation that
// it was planned on and is refused by the kernel (and planned anew) when it is not the newest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/late_close.h"
#include "kernel/netlink_socket.h"
#include "kernel/nft_transaction.h"
#include "net/nft.h"

namespace weft::kernel {

class Nftables {
 public:
  /// In the calling thread's namespace. Fails where the kernel has no nf_tables.
  static Result<Nftables> open();
  Nftables(Nftables&&) = default;
  Nftables& operator=(Nftables&&) = default;
  /// May close its socket late (kernel/late_close.h).
  ~Nftables() { LateClose::close(socket_.release()); }

  Result<std::vector<nft::Table>> tables();
  Result<bool> has_table(const nft::TableId& table);
  /// Whether a table has a chain of that name, without reading the table.
  Result<bool> has_chain(const nft::TableId& table, std::string_view chain);
  /// Whole, or an error; nothing when there is no such table.
  Result<std::optional<nft::TableContents>> read(const nft::TableId& table);

  /// Makes the table what it should be with as few edits as it takes, in one transaction.
  /// Returns the edits that were made, as words ("rule 3 of forward: replaced"); none when the
  /// table was right already.
  Result<std::vector<std::string>> apply(const nft::TableContents& desired);
  /// The same for large tables, in portions of so many elements (net/nft_portions.h): other
  /// transactions may come in between, and an error may leave a part done. Applying again goes on
  /// from there. `wish` says what the table should be, knowing what it is; the value must live as
  /// long as the call. It is asked again where the ruleset has changed meanwhile.
  using Wish = std::function<const nft::TableContents&(const std::optional<nft::TableContents>&)>;
  Result<std::vector<std::string>> apply_in_portions(const nft::TableId& table,
                                                     std::size_t elements_each, const Wish& wish);
  /// Carries edits of a table out, planned on what it is known to hold. Whole or not at all.
  Status apply_edits(const nft::TableId& table, const std::vector<nft::TableEdit>& edits,
                     std::optional<std::uint32_t> on_generation = {});
  /// Reads the table but for the elements of dynamic sets, lets `plan` fill a transaction, and
  /// commits it on the generation that was read; anew when others have changed the ruleset
  /// meanwhile. An empty transaction is success.
  using Plan = std::function<void(const std::optional<nft::TableContents>&, Transaction&)>;
  Status change(const nft::TableId& table, const Plan& plan);
  /// The same with nothing read but these chains: the table of a node may hold 50,000 rules.
  Status change_chains(const nft::TableId& table, const std::vector<std::string>& chains,
                       const Plan& plan);
  /// A table that is not there is success.
  Status remove_table(const nft::TableId& table);

  /// The number of the newest generation; any transaction in the namespace raises it.
  Result<std::uint32_t> generation();
  /// Carries a transaction out, whole or not at all. With a generation, ERESTART when it is not
  /// the newest any more. The error names the object and carries the kernel's words.
  Status commit(Transaction transaction, std::optional<std::uint32_t> on_generation = {});

  /// See NetlinkSocket::port().
  Result<std::uint32_t> port() const { return socket_.port(); }

 private:
  struct Reading {
    std::uint32_t generation = 0;
    std::optional<nft::TableContents> contents = {};
  };

  explicit Nftables(NetlinkSocket socket) : socket_(std::move(socket)) {}
  using Contents = Result<std::optional<nft::TableContents>>;
  Result<Reading> read_one_generation(const nft::TableId& table,
                                      const std::function<Contents()>& read);
  Result<std::optional<nft::Table>> read_table(const nft::TableId& table);
  /// Nobody plans by the elements of dynamic sets.
  enum class DynamicElements : std::uint8_t { kRead, kLeftOut };
  Contents read_once(const nft::TableId& table, DynamicElements dynamic);
  Contents read_chains_once(const nft::TableId& table, const std::vector<std::string>& chains);
  Status change_what(const nft::TableId& table, const std::function<Contents()>& read,
                     const Plan& plan);
  Status read_chains(nft::TableContents& contents);
  Status read_rules(nft::TableContents& contents);
  Status read_sets(nft::TableContents& contents, DynamicElements dynamic);
  Result<std::vector<nft::Element>> read_elements(const nft::TableId& table,
                                                  const std::string& set);

  NetlinkSocket socket_;
};

}  // namespace weft::kernel
