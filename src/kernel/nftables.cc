#include "kernel/nftables.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/file_lock.h"
#include "kernel/nft_codec.h"
#include "net/nft_portions.h"

namespace weft::kernel {
namespace {

using namespace nft;
using namespace nft_codec;

// Others may write all the time; each try reads and plans anew.
constexpr int kTries = 200;

bool is_stale(const Error& error) {
  return error.number == ERESTART || error.number == EAGAIN || error.number == EINTR;
}

// The kernel takes a batch in one datagram, which must fit the socket's send space.
void make_room(int fd, std::size_t bytes) {
  constexpr std::size_t kOverhead = 64U << 10U;
  const int space = static_cast<int>(bytes + kOverhead);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &space, sizeof space);
}

// Where a node starts many pods, each plugin's transaction would make all the others read anew. So
// those of this house take turns: the lock is one of the network namespace itself, which has an
// inode like a file. Others know nothing of it, and whoever holds it for too long is not waited
// for: the generation is what a change is safe by.
class Turn {
 public:
  explicit Turn(int socket) : netns_(::ioctl(socket, SIOCGSKNS)) {
    constexpr std::chrono::milliseconds kPatience{1000};
    if (!netns_.empty()) static_cast<void>(lock_file(netns_.get(), kPatience));
  }

 private:
  Fd netns_;
};

Failure kept_changing(const TableId& table) {
  return fail("the nftables ruleset changed during each of " + std::to_string(kTries) +
              " attempts to work on table " + table.to_string());
}

}  // namespace

Result<Nftables> Nftables::open() {
  ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::open(NETLINK_NETFILTER));
  Nftables nftables(std::move(socket));
  if (const auto generation = nftables.generation(); !generation) {
    Failure failure = because("nftables", generation.error());
    failure.value().next = "load the kernel module nf_tables, and run as root";
    return failure;
  }
  return nftables;
}

Result<std::uint32_t> Nftables::generation() {
  std::optional<std::uint32_t> number;
  RETURN_IF_ERROR(socket_.query(encode_get_generation(), [&](const Message& message) {
    if (const auto decoded = decode_generation(message)) number = decoded;
  }));
  if (!number) return fail("the kernel did not tell the generation of its ruleset");
  return *number;
}

Result<std::vector<Table>> Nftables::tables() {
  auto read = socket_.dump<Table>(encode_get_tables(), decode_table);
  if (!read) return because("listing nftables tables", read.error());
  return read;
}

Result<bool> Nftables::has_chain(const TableId& table, std::string_view chain) {
  const Status found = socket_.query(encode_get_chain(table, chain), [](const Message&) {});
  if (!found && found.error().number == ENOENT) return false;
  if (!found)
    return because("looking for a chain of nftables table " + table.to_string(), found.error());
  return true;
}

Status Nftables::read_chains(TableContents& contents) {
  const TableId& table = contents.table.id;
  ASSIGN_OR_RETURN(auto chains,
                   socket_.dump<InTable<Chain>>(encode_get_chains(table.family), decode_chain));
  for (auto& [of, chain] : chains)
    if (of == table) contents.add(std::move(chain));
  return {};
}

Status Nftables::read_rules(TableContents& contents) {
  const TableId& table = contents.table.id;
  ASSIGN_OR_RETURN(auto rules,
                   socket_.dump<InTable<RuleOfChain>>(encode_get_rules(table), decode_rule));
  for (auto& [of, rule] : rules)
    if (of == table) contents.rules[rule.chain].push_back(std::move(rule.rule));
  return {};
}

// A set that has just grown is moved to a larger hash table in the background, and a dump that
// meets this lists some elements twice and others never, without a word of the kernel's. It
// resumes by the number of elements listed, so whatever is left out has a double in its place.
Result<std::vector<Element>> Nftables::read_elements(const TableId& table, const std::string& set) {
  for (int i = 0; i < kTries; ++i) {
    ASSIGN_OR_RETURN(auto parts, socket_.dump<std::vector<Element>>(encode_get_elements(table, set),
                                                                    decode_elements));
    std::vector<Element> elements;
    for (auto& part : parts) std::move(part.begin(), part.end(), std::back_inserter(elements));
    std::sort(elements.begin(), elements.end());
    if (std::adjacent_find(elements.begin(), elements.end()) == elements.end()) return elements;
  }
  return fail("the elements of set " + set + " were never listed whole");
}

// What the packet path remembers may be a million clients, which the kernel would list for a
// minute.
Status Nftables::read_sets(TableContents& contents, DynamicElements dynamic) {
  const TableId& table = contents.table.id;
  ASSIGN_OR_RETURN(auto sets, socket_.dump<InTable<Set>>(encode_get_sets(table), decode_set));
  for (auto& [of, set] : sets) {
    if (of != table) continue;
    if (!set.is_dynamic() || dynamic == DynamicElements::kRead) {
      ASSIGN_OR_RETURN(set.elements, read_elements(table, set.name));
    }
    contents.add(std::move(set));
  }
  return {};
}

Result<std::optional<Table>> Nftables::read_table(const TableId& table) {
  std::optional<Table> found;
  const Status asked = socket_.query(
      encode_get_table(table), [&](const Message& message) { found = decode_table(message); });
  if (!asked && asked.error().number == ENOENT) return found;
  if (!asked) return Failure(asked.error());
  if (!found) return fail("the kernel's answer is not a table");
  return found;
}

Result<bool> Nftables::has_table(const TableId& table) {
  const auto found = read_table(table);
  if (!found) return because("looking for nftables table " + table.to_string(), found.error());
  return found->has_value();
}

Nftables::Contents Nftables::read_once(const TableId& table, DynamicElements dynamic) {
  ASSIGN_OR_RETURN(const auto found, read_table(table));
  if (!found) return std::optional<TableContents>();
  TableContents contents{.table = *found};
  RETURN_IF_ERROR(read_chains(contents));
  RETURN_IF_ERROR(read_rules(contents));
  RETURN_IF_ERROR(read_sets(contents, dynamic));
  return std::optional(std::move(contents));
}

Nftables::Contents Nftables::read_chains_once(const TableId& table,
                                              const std::vector<std::string>& chains) {
  ASSIGN_OR_RETURN(const auto found, read_table(table));
  if (!found) return std::optional<TableContents>();
  TableContents contents{.table = *found};
  for (const auto& name : chains) {
    const Status asked = socket_.query(encode_get_chain(table, name), [&](const Message& message) {
      if (auto chain = decode_chain(message)) contents.add(std::move(chain->value));
    });
    if (!asked && asked.error().number == ENOENT) continue;
    RETURN_IF_ERROR(asked);
    ASSIGN_OR_RETURN(
        auto rules, socket_.dump<InTable<RuleOfChain>>(encode_get_rules(table, name), decode_rule));
    for (auto& [of, rule] : rules)
      if (of == table && rule.chain == name) contents.rules[name].push_back(std::move(rule.rule));
  }
  return std::optional(std::move(contents));
}

Result<Nftables::Reading> Nftables::read_one_generation(const TableId& table,
                                                        const std::function<Contents()>& read) {
  const std::string tried = "reading nftables table " + table.to_string();
  for (int i = 0; i < kTries; ++i) {
    const auto before = generation();
    if (!before) return because(tried, before.error());
    auto contents = read();
    const auto after = generation();
    if (!after) return because(tried, after.error());
    // An error of a reading that was overtaken (a set that is gone) is no error.
    if (*before != *after) continue;
    if (!contents) return because(tried, contents.error());
    return Reading{.generation = *before, .contents = *std::move(contents)};
  }
  return kept_changing(table);
}

Nftables::Contents Nftables::read(const TableId& table) {
  ASSIGN_OR_RETURN(Reading reading, read_one_generation(table, [&] {
                     return read_once(table, DynamicElements::kRead);
                   }));
  return std::move(reading.contents);
}

Status Nftables::change_what(const TableId& table, const std::function<Contents()>& read,
                             const Plan& plan) {
  const Turn turn(socket_.fd());
  for (int i = 0; i < kTries; ++i) {
    ASSIGN_OR_RETURN(const Reading reading, read_one_generation(table, read));
    Transaction transaction;
    plan(reading.contents, transaction);
    if (transaction.empty()) return {};
    Status done = commit(std::move(transaction), reading.generation);
    if (done || !is_stale(done.error())) return done;
  }
  return kept_changing(table);
}

Status Nftables::change(const TableId& table, const Plan& plan) {
  return change_what(
      table, [&] { return read_once(table, DynamicElements::kLeftOut); }, plan);
}

Status Nftables::change_chains(const TableId& table, const std::vector<std::string>& chains,
                               const Plan& plan) {
  return change_what(
      table, [&] { return read_chains_once(table, chains); }, plan);
}

Status Nftables::commit(Transaction transaction, std::optional<std::uint32_t> on_generation) {
  auto& steps = transaction.steps();
  if (steps.empty()) return {};
  const std::uint32_t first = socket_.take_sequences(static_cast<std::uint32_t>(steps.size()) + 2);
  std::uint32_t sequence = first;
  std::string bytes;
  const auto append = [&](Request& request) {
    request.set_sequence(sequence++);
    bytes += request.message();
  };
  Request begin = encode_batch_begin(on_generation);
  Request end = encode_batch_end();
  append(begin);
  for (auto& step : steps) append(step.request);
  append(end);
  make_room(socket_.fd(), bytes.size());

  std::uint32_t failed = first;
  const Status status = socket_.batch(bytes, failed);
  if (status) return {};
  const std::uint32_t index = failed - first - 1;  // the first message begins the batch
  const std::string about =
      index < steps.size() ? steps[index].about : std::string("changing the nftables ruleset");
  return because(about, status.error());
}

Status Nftables::apply_edits(const TableId& table, const std::vector<TableEdit>& edits,
                             std::optional<std::uint32_t> on_generation) {
  Transaction transaction;
  for (const auto& edit : edits) transaction.add(table, edit);
  return commit(std::move(transaction), on_generation);
}

Result<std::vector<std::string>> Nftables::apply(const TableContents& desired) {
  return apply_in_portions(
      desired.table.id, std::numeric_limits<std::size_t>::max(),
      [&](const std::optional<TableContents>&) -> const TableContents& { return desired; });
}

Result<std::vector<std::string>> Nftables::apply_in_portions(const TableId& table,
                                                             std::size_t elements_each,
                                                             const Wish& wish) {
  for (int i = 0; i < kTries; ++i) {
    ASSIGN_OR_RETURN(Reading reading, read_one_generation(table, [&] {
                       return read_once(table, DynamicElements::kLeftOut);
                     }));
    auto edits = plan_table(wish(reading.contents), reading.contents);
    reading.contents.reset();
    std::vector<std::string> words;
    for (const auto& edit : edits) words.push_back(describe(edit));
    auto portions = in_portions(std::move(edits), elements_each);
    if (portions.empty()) return words;
    const Status done = apply_edits(table, portions.front(), reading.generation);
    if (!done && is_stale(done.error())) continue;
    RETURN_IF_ERROR(done);
    for (auto portion = std::next(portions.begin()); portion != portions.end(); ++portion) {
      RETURN_IF_ERROR(apply_edits(table, *portion));
      portion->clear();
    }
    return words;
  }
  return kept_changing(table);
}

Status Nftables::remove_table(const TableId& table) {
  Transaction transaction;
  transaction.ensure_no_table(table);
  return commit(std::move(transaction));
}

}  // namespace weft::kernel
