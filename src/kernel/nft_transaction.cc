#include "kernel/nft_transaction.h"

#include <utility>
#include <variant>

#include "kernel/nft_codec.h"

namespace weft::kernel {
namespace {

using namespace nft;
using namespace nft_codec;

std::string within(const TableId& table, std::string_view kind, std::string_view name) {
  return std::string(kind) + " " + std::string(name) + " of table " + table.to_string();
}

// Carries one edit of a plan over into a transaction.
struct AddEdit {
  Transaction& transaction;
  const TableId& table;

  void operator()(const PutTable& edit) const { transaction.put_table(edit.table); }
  void operator()(const DropTable& edit) const { transaction.drop_table(edit.table); }
  void operator()(const PutChain& edit) const { transaction.put_chain(table, edit.chain); }
  void operator()(const DropChain& edit) const { transaction.drop_chain(table, edit.chain); }
  void operator()(const PutSet& edit) const { transaction.put_set(table, edit.set); }
  void operator()(const DropSet& edit) const { transaction.drop_set(table, edit.set); }
  void operator()(const PutElements& edit) const {
    transaction.put_elements(table, edit.set, edit.elements);
  }
  void operator()(const DropElements& edit) const {
    transaction.drop_elements(table, edit.set, edit.elements);
  }
  void operator()(const FlushSet& edit) const { transaction.flush_set(table, edit.set); }
  void operator()(const InsertRule& edit) const {
    if (edit.before)
      transaction.insert_rule(table, edit.chain, edit.rule, *edit.before);
    else
      transaction.append_rule(table, edit.chain, edit.rule);
  }
  void operator()(const ReplaceRule& edit) const {
    transaction.replace_rule(table, edit.chain, edit.rule, edit.handle);
  }
  void operator()(const DropRule& edit) const {
    transaction.drop_rule(table, edit.chain, edit.handle);
  }
};

}  // namespace

void Transaction::step(Request request, std::string about) {
  steps_.push_back({std::move(request), std::move(about)});
}
void Transaction::steps(std::vector<Request> requests, const std::string& about) {
  for (Request& request : requests) step(std::move(request), about);
}

void Transaction::put_table(const Table& table) {
  step(encode_put_table(table), "putting table " + table.id.to_string());
}
void Transaction::drop_table(const TableId& table) {
  step(encode_drop_table(table), "removing table " + table.to_string());
}
void Transaction::ensure_no_table(const TableId& table) {
  put_table({.id = table});
  drop_table(table);
}

void Transaction::put_chain(const TableId& table, const Chain& chain) {
  step(encode_put_chain(table, chain), "putting " + within(table, "chain", chain.name));
}
void Transaction::drop_chain(const TableId& table, std::string_view chain) {
  step(encode_drop_chain(table, chain), "removing " + within(table, "chain", chain));
}
void Transaction::ensure_no_chain(const TableId& table, std::string_view chain) {
  put_chain(table, {.name = std::string(chain)});
  flush_chain(table, chain);
  drop_chain(table, chain);
}

void Transaction::put_set(const TableId& table, const Set& set) {
  step(encode_put_set(table, set, next_set_id_++), "putting " + within(table, "set", set.name));
  put_elements(table, set.name, set.elements);
}
void Transaction::drop_set(const TableId& table, std::string_view set) {
  step(encode_drop_set(table, set), "removing " + within(table, "set", set));
}
void Transaction::flush_set(const TableId& table, std::string_view set) {
  step(encode_flush_set(table, set), "emptying " + within(table, "set", set));
}
void Transaction::put_elements(const TableId& table, std::string_view set,
                               const std::vector<Element>& elements) {
  steps(encode_put_elements(table, set, elements),
        "putting elements into " + within(table, "set", set));
}
void Transaction::drop_elements(const TableId& table, std::string_view set,
                                const std::vector<Element>& elements) {
  steps(encode_drop_elements(table, set, elements),
        "removing elements from " + within(table, "set", set));
}

void Transaction::append_rule(const TableId& table, std::string_view chain, const Rule& rule) {
  step(encode_insert_rule(table, chain, rule, std::nullopt),
       "adding a rule to " + within(table, "chain", chain));
}
void Transaction::prepend_rule(const TableId& table, std::string_view chain, const Rule& rule) {
  step(encode_prepend_rule(table, chain, rule),
       "adding a rule to " + within(table, "chain", chain));
}
void Transaction::insert_rule(const TableId& table, std::string_view chain, const Rule& rule,
                              std::uint64_t before) {
  step(encode_insert_rule(table, chain, rule, before),
       "adding a rule to " + within(table, "chain", chain));
}
void Transaction::replace_rule(const TableId& table, std::string_view chain, const Rule& rule,
                               std::uint64_t handle) {
  step(encode_replace_rule(table, chain, rule, handle),
       "replacing a rule of " + within(table, "chain", chain));
}
void Transaction::drop_rule(const TableId& table, std::string_view chain, std::uint64_t handle) {
  step(encode_drop_rule(table, chain, handle),
       "removing a rule from " + within(table, "chain", chain));
}
void Transaction::flush_chain(const TableId& table, std::string_view chain) {
  step(encode_flush_chain(table, chain), "emptying " + within(table, "chain", chain));
}

void Transaction::add(const TableId& table, const TableEdit& edit) {
  std::visit(AddEdit{*this, table}, edit);
}

}  // namespace weft::kernel
