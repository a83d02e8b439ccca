#include "kernel/nft_codec.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace weft::kernel::nft_codec {
namespace {

using namespace nft;

// The kernel passes userdata on unread; these are nft(8)'s records in it (libnftnl/udata.h).
constexpr std::uint8_t kObjectComment = 0;  // of tables, chains, rules and elements
constexpr std::uint8_t kSetKeyByteorder = 0;
constexpr std::uint8_t kSetDataByteorder = 1;
constexpr std::uint8_t kSetComment = 7;
constexpr std::uint8_t kRuleOwner = 0xcf;  // ours, far from those that nft(8) counts upwards
constexpr std::uint32_t kHostEndian = 1;
constexpr std::uint32_t kBigEndian = 2;

// One byte holds the length, the final NUL included.
constexpr std::size_t kLongestComment = 254;

// A list's attribute length has 16 bits.
constexpr std::size_t kElementsInOneMessage = 60'000;

Request nft_request(int type, std::uint16_t flags, TableFamily family) {
  Request request(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), flags);
  request.header(nfgenmsg{
      .nfgen_family = static_cast<std::uint8_t>(family), .version = NFNETLINK_V0, .res_id = 0});
  return request;
}

Request batch_request(int type) {
  Request request(static_cast<std::uint16_t>(type), 0);
  request.header(nfgenmsg{
      .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htobe16(NFNL_SUBSYS_NFTABLES)});
  return request;
}

Request for_chain(int type, std::uint16_t flags, const TableId& table, std::string_view chain) {
  Request request = nft_request(type, flags, table.family);
  request.string(NFTA_RULE_TABLE, table.name).string(NFTA_RULE_CHAIN, chain);
  return request;
}

// The messages of a kind, and nothing of another subsystem.
std::optional<std::pair<TableFamily, Attributes>> open(const Message& message, int type) {
  if (message.header.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | type)) return std::nullopt;
  const auto opened = message.open<nfgenmsg>();
  if (!opened) return std::nullopt;
  return std::pair(static_cast<TableFamily>(opened->first.nfgen_family), opened->second);
}

void append_record(Bytes& userdata, std::uint8_t type, std::string_view value) {
  userdata.push_back(static_cast<char>(type));
  userdata.push_back(static_cast<char>(value.size()));
  userdata += value;
}

void append_text(Bytes& userdata, std::uint8_t type, std::string_view text) {
  if (!text.empty()) append_record(userdata, type, Bytes(text.substr(0, kLongestComment)) + '\0');
}

void put_comment(Request& request, std::uint16_t attribute, std::string_view comment) {
  Bytes userdata;
  append_text(userdata, kObjectComment, comment);
  if (!userdata.empty()) request.bytes(attribute, userdata);
}

// Calls each(type, value) for the records of userdata, up to the first that does not fit.
template <class Each>
void for_each_record(std::string_view userdata, Each&& each) {
  while (userdata.size() >= 2) {
    const auto length = static_cast<std::uint8_t>(userdata[1]);
    if (userdata.size() - 2 < length) return;
    each(static_cast<std::uint8_t>(userdata[0]), userdata.substr(2, length));
    userdata.remove_prefix(2U + length);
  }
}

std::string without_nul(std::string_view text) {
  return std::string(text.substr(0, std::min(text.find('\0'), kLongestComment)));
}

std::string text_in(const Attributes& attributes, std::uint16_t attribute, std::uint8_t wanted) {
  std::string text;
  for_each_record(attributes.find(attribute).value_or(""),
                  [&](std::uint8_t type, std::string_view value) {
                    if (type == wanted) text = without_nul(value);
                  });
  return text;
}

std::string comment_in(const Attributes& attributes, std::uint16_t attribute) {
  return text_in(attributes, attribute, kObjectComment);
}

// --- hooks: their numbers depend on the family ------------------------------------------------

std::uint32_t hook_number(TableFamily family, HookPoint point) {
  if (family == TableFamily::kNetdev)
    return point == HookPoint::kEgress ? NF_NETDEV_EGRESS : NF_NETDEV_INGRESS;
  // NF_ARP_IN, NF_ARP_OUT, NF_ARP_FORWARD.
  if (family == TableFamily::kArp)
    return point == HookPoint::kInput ? 0 : point == HookPoint::kOutput ? 1 : 2;
  return static_cast<std::uint32_t>(point);  // NF_INET_*, and NF_BR_* alike
}

std::optional<HookPoint> hook_point(TableFamily family, std::uint32_t number) {
  if (family == TableFamily::kNetdev)
    return number == NF_NETDEV_EGRESS ? HookPoint::kEgress : HookPoint::kIngress;
  if (family == TableFamily::kArp)
    return number == 0 ? HookPoint::kInput : number == 1 ? HookPoint::kOutput : HookPoint::kForward;
  if (number > NF_INET_INGRESS) return std::nullopt;
  return static_cast<HookPoint>(number);
}

std::optional<Hook> decode_hook(TableFamily family, const Attributes& chain) {
  const Attributes inside = chain.nested(NFTA_CHAIN_HOOK);
  const auto number = inside.be32(NFTA_HOOK_HOOKNUM);
  const auto point = number ? hook_point(family, *number) : std::nullopt;
  const auto priority = inside.be32(NFTA_HOOK_PRIORITY);
  if (!point || !priority) return std::nullopt;
  auto device = inside.string(NFTA_HOOK_DEV);
  if (!device) device = inside.nested(NFTA_HOOK_DEVS).string(NFTA_DEVICE_NAME);
  return Hook{.type = chain.string(NFTA_CHAIN_TYPE).value_or("filter"),
              .point = *point,
              .priority = static_cast<std::int32_t>(*priority),
              .policy = static_cast<Policy>(chain.be32(NFTA_CHAIN_POLICY).value_or(1)),
              .device = device.value_or("")};
}

// --- sets and elements ---------------------------------------------------------------------------

Bytes byteorder_record(std::uint8_t type, bool host) {
  Bytes record;
  const std::uint32_t order = host ? kHostEndian : kBigEndian;
  append_record(record, type, {reinterpret_cast<const char*>(&order), sizeof order});
  return record;
}

Bytes set_userdata(const Set& set) {
  Bytes userdata = byteorder_record(kSetKeyByteorder, set.host_order_key);
  if ((set.flags & set_flags::kMap) != 0)
    userdata += byteorder_record(kSetDataByteorder, set.host_order_data);
  userdata += set.userdata;
  if (!set.comment.empty())
    append_record(userdata, kSetComment, Bytes(set.comment.substr(0, kLongestComment)) + '\0');
  return userdata;
}

void read_set_userdata(Set& set, std::string_view userdata) {
  const auto is_host = [](std::string_view value) {
    std::uint32_t order = 0;
    if (value.size() == sizeof order) std::memcpy(&order, value.data(), sizeof order);
    return order == kHostEndian;
  };
  for_each_record(userdata, [&](std::uint8_t type, std::string_view value) {
    if (type == kSetKeyByteorder)
      set.host_order_key = is_host(value);
    else if (type == kSetDataByteorder)
      set.host_order_data = is_host(value);
    else if (type == kSetComment)
      set.comment = without_nul(value);
    else
      append_record(set.userdata, type, value);
  });
}

void put_set_description(Request& request, const Set& set) {
  if (set.size == 0 && set.field_lengths.empty()) return;
  request.nest(NFTA_SET_DESC, [&](Request& inside) {
    if (set.size != 0) inside.be32(NFTA_SET_DESC_SIZE, set.size);
    if (set.field_lengths.empty()) return;
    inside.nest(NFTA_SET_DESC_CONCAT, [&](Request& fields) {
      for (const std::uint32_t length : set.field_lengths)
        fields.nest(NFTA_LIST_ELEM,
                    [&](Request& field) { field.be32(NFTA_SET_FIELD_LEN, length); });
    });
  });
}

std::uint32_t element_flags(const Element& element) {
  std::uint32_t flags = 0;
  if (element.interval_end) flags |= NFT_SET_ELEM_INTERVAL_END;
  if (element.catch_all) flags |= NFT_SET_ELEM_CATCHALL;
  return flags;
}

void put_element(Request& list, const Element& element, bool only_key) {
  list.nest(NFTA_LIST_ELEM, [&](Request& inside) {
    if (const auto flags = element_flags(element); flags != 0)
      inside.be32(NFTA_SET_ELEM_FLAGS, flags);
    if (!element.catch_all) encode_data(inside, NFTA_SET_ELEM_KEY, element.key);
    if (!element.key_end.empty()) encode_data(inside, NFTA_SET_ELEM_KEY_END, element.key_end);
    if (only_key) return;
    if (element.data) encode_data(inside, NFTA_SET_ELEM_DATA, *element.data);
    put_comment(inside, NFTA_SET_ELEM_USERDATA, element.comment);
  });
}

// More than an element takes as a message, attribute headers included.
std::size_t space_of(const Element& element) {
  constexpr std::size_t kHeaders = 128;
  std::size_t data = 0;
  if (element.data) {
    const auto* verdict = std::get_if<Verdict>(&*element.data);
    data = verdict != nullptr ? verdict->chain.size() : std::get<Bytes>(*element.data).size();
  }
  return kHeaders + element.key.size() + element.key_end.size() + data + element.comment.size();
}

std::vector<Request> element_messages(int type, std::uint16_t flags, const TableId& table,
                                      std::string_view set, const std::vector<Element>& elements) {
  std::vector<Request> requests;
  for (std::size_t next = 0; next < elements.size();) {
    Request request = nft_request(type, flags, table.family);
    request.string(NFTA_SET_ELEM_LIST_TABLE, table.name).string(NFTA_SET_ELEM_LIST_SET, set);
    request.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&](Request& list) {
      std::size_t space = 0;
      do {
        space += space_of(elements[next]);
        put_element(list, elements[next], type == NFT_MSG_DELSETELEM);
        ++next;
      } while (next < elements.size() && space + space_of(elements[next]) <= kElementsInOneMessage);
    });
    requests.push_back(std::move(request));
  }
  return requests;
}

std::optional<Element> decode_element(const Attributes& attributes) {
  Element element;
  const std::uint32_t flags = attributes.be32(NFTA_SET_ELEM_FLAGS).value_or(0);
  element.interval_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
  element.catch_all = (flags & NFT_SET_ELEM_CATCHALL) != 0;
  const auto key = attributes.nested(NFTA_SET_ELEM_KEY).find(NFTA_DATA_VALUE);
  if (!key && !element.catch_all) return std::nullopt;
  element.key = Bytes(key.value_or(""));
  element.key_end =
      Bytes(attributes.nested(NFTA_SET_ELEM_KEY_END).find(NFTA_DATA_VALUE).value_or(""));
  if (attributes.has(NFTA_SET_ELEM_DATA))
    element.data = decode_data(attributes.nested(NFTA_SET_ELEM_DATA));
  element.comment = comment_in(attributes, NFTA_SET_ELEM_USERDATA);
  return element;
}

// --- rules
// -----------------------------------------------------------------------------------------

Request put_rule(std::uint16_t flags, const TableId& table, std::string_view chain,
                 const Rule& rule) {
  Request request =
      for_chain(NFT_MSG_NEWRULE, static_cast<std::uint16_t>(NLM_F_CREATE | flags), table, chain);
  request.nest(NFTA_RULE_EXPRESSIONS, [&](Request& list) {
    for (const Expression& expression : rule.expressions) encode_expression(list, expression);
  });
  if (rule.checked_protocol)
    request.nest(NFTA_RULE_COMPAT, [&](Request& inside) {
      inside.be32(NFTA_RULE_COMPAT_PROTO, *rule.checked_protocol).be32(NFTA_RULE_COMPAT_FLAGS, 0);
    });
  Bytes userdata;
  append_text(userdata, kObjectComment, rule.comment);
  append_text(userdata, kRuleOwner, rule.owner);
  if (!userdata.empty()) request.bytes(NFTA_RULE_USERDATA, userdata);
  return request;
}

}  // namespace

Request encode_get_generation() {
  return nft_request(NFT_MSG_GETGEN, 0, TableFamily{AF_UNSPEC});
}
Request encode_get_table(const TableId& table) {
  Request request = nft_request(NFT_MSG_GETTABLE, 0, table.family);
  request.string(NFTA_TABLE_NAME, table.name);
  return request;
}
Request encode_get_tables() {
  return nft_request(NFT_MSG_GETTABLE, 0, TableFamily{AF_UNSPEC});
}
Request encode_get_chain(const TableId& table, std::string_view chain) {
  Request request = nft_request(NFT_MSG_GETCHAIN, 0, table.family);
  request.string(NFTA_CHAIN_TABLE, table.name).string(NFTA_CHAIN_NAME, chain);
  return request;
}
Request encode_get_chains(TableFamily family) {
  return nft_request(NFT_MSG_GETCHAIN, 0, family);
}
Request encode_get_rules(const TableId& table) {
  Request request = nft_request(NFT_MSG_GETRULE, 0, table.family);
  request.string(NFTA_RULE_TABLE, table.name);
  return request;
}
Request encode_get_rules(const TableId& table, std::string_view chain) {
  return for_chain(NFT_MSG_GETRULE, 0, table, chain);
}
Request encode_get_sets(const TableId& table) {
  Request request = nft_request(NFT_MSG_GETSET, 0, table.family);
  request.string(NFTA_SET_TABLE, table.name);
  return request;
}
Request encode_get_elements(const TableId& table, std::string_view set) {
  Request request = nft_request(NFT_MSG_GETSETELEM, 0, table.family);
  request.string(NFTA_SET_ELEM_LIST_TABLE, table.name).string(NFTA_SET_ELEM_LIST_SET, set);
  return request;
}

Request encode_batch_begin(std::optional<std::uint32_t> generation) {
  Request request = batch_request(NFNL_MSG_BATCH_BEGIN);
  if (generation) request.be32(NFNL_BATCH_GENID, *generation);
  return request;
}
Request encode_batch_end() {
  return batch_request(NFNL_MSG_BATCH_END);
}

Request encode_put_table(const Table& table) {
  Request request = nft_request(NFT_MSG_NEWTABLE, NLM_F_CREATE, table.id.family);
  request.string(NFTA_TABLE_NAME, table.id.name).be32(NFTA_TABLE_FLAGS, 0);
  put_comment(request, NFTA_TABLE_USERDATA, table.comment);
  return request;
}
Request encode_drop_table(const TableId& table) {
  Request request = nft_request(NFT_MSG_DELTABLE, 0, table.family);
  request.string(NFTA_TABLE_NAME, table.name);
  return request;
}

Request encode_put_chain(const TableId& table, const Chain& chain) {
  Request request = nft_request(NFT_MSG_NEWCHAIN, NLM_F_CREATE, table.family);
  request.string(NFTA_CHAIN_TABLE, table.name).string(NFTA_CHAIN_NAME, chain.name);
  if (const auto& hook = chain.hook) {
    request.nest(NFTA_CHAIN_HOOK, [&](Request& inside) {
      inside.be32(NFTA_HOOK_HOOKNUM, hook_number(table.family, hook->point));
      inside.be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(hook->priority));
      if (!hook->device.empty()) inside.string(NFTA_HOOK_DEV, hook->device);
    });
    request.be32(NFTA_CHAIN_POLICY, static_cast<std::uint32_t>(hook->policy));
    request.string(NFTA_CHAIN_TYPE, hook->type);
  }
  put_comment(request, NFTA_CHAIN_USERDATA, chain.comment);
  return request;
}
Request encode_drop_chain(const TableId& table, std::string_view chain) {
  Request request = nft_request(NFT_MSG_DELCHAIN, 0, table.family);
  request.string(NFTA_CHAIN_TABLE, table.name).string(NFTA_CHAIN_NAME, chain);
  return request;
}

Request encode_put_set(const TableId& table, const Set& set, std::uint32_t id) {
  Request request = nft_request(NFT_MSG_NEWSET, NLM_F_CREATE, table.family);
  request.string(NFTA_SET_TABLE, table.name)
      .string(NFTA_SET_NAME, set.name)
      .be32(NFTA_SET_FLAGS, set.flags)
      .be32(NFTA_SET_KEY_TYPE, set.key_type)
      .be32(NFTA_SET_KEY_LEN, set.key_length)
      .be32(NFTA_SET_ID, id);
  if ((set.flags & set_flags::kMap) != 0)
    request.be32(NFTA_SET_DATA_TYPE, set.data_type).be32(NFTA_SET_DATA_LEN, set.data_length);
  if (set.timeout_ms) request.be64(NFTA_SET_TIMEOUT, *set.timeout_ms);
  put_set_description(request, set);
  request.bytes(NFTA_SET_USERDATA, set_userdata(set));
  return request;
}
Request encode_drop_set(const TableId& table, std::string_view set) {
  Request request = nft_request(NFT_MSG_DELSET, 0, table.family);
  request.string(NFTA_SET_TABLE, table.name).string(NFTA_SET_NAME, set);
  return request;
}
Request encode_flush_set(const TableId& table, std::string_view set) {
  Request request = nft_request(NFT_MSG_DELSETELEM, 0, table.family);
  request.string(NFTA_SET_ELEM_LIST_TABLE, table.name).string(NFTA_SET_ELEM_LIST_SET, set);
  return request;
}

std::vector<Request> encode_put_elements(const TableId& table, std::string_view set,
                                         const std::vector<Element>& elements) {
  return element_messages(NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, set, elements);
}
std::vector<Request> encode_drop_elements(const TableId& table, std::string_view set,
                                          const std::vector<Element>& elements) {
  return element_messages(NFT_MSG_DELSETELEM, 0, table, set, elements);
}

Request encode_insert_rule(const TableId& table, std::string_view chain, const Rule& rule,
                           std::optional<std::uint64_t> before) {
  Request request = put_rule(before ? 0 : NLM_F_APPEND, table, chain, rule);
  if (before) request.be64(NFTA_RULE_POSITION, *before);
  return request;
}
Request encode_prepend_rule(const TableId& table, std::string_view chain, const Rule& rule) {
  return put_rule(0, table, chain, rule);
}
Request encode_replace_rule(const TableId& table, std::string_view chain, const Rule& rule,
                            std::uint64_t handle) {
  Request request = put_rule(NLM_F_REPLACE, table, chain, rule);
  request.be64(NFTA_RULE_HANDLE, handle);
  return request;
}
Request encode_drop_rule(const TableId& table, std::string_view chain, std::uint64_t handle) {
  Request request = for_chain(NFT_MSG_DELRULE, 0, table, chain);
  request.be64(NFTA_RULE_HANDLE, handle);
  return request;
}
Request encode_flush_chain(const TableId& table, std::string_view chain) {
  return for_chain(NFT_MSG_DELRULE, 0, table, chain);
}

std::optional<std::uint32_t> decode_generation(const Message& message) {
  const auto opened = open(message, NFT_MSG_NEWGEN);
  return opened ? opened->second.be32(NFTA_GEN_ID) : std::nullopt;
}

std::optional<Table> decode_table(const Message& message) {
  const auto opened = open(message, NFT_MSG_NEWTABLE);
  if (!opened) return std::nullopt;
  const auto& [family, attributes] = *opened;
  auto name = attributes.string(NFTA_TABLE_NAME);
  if (!name) return std::nullopt;
  return Table{.id = {.family = family, .name = *std::move(name)},
               .comment = comment_in(attributes, NFTA_TABLE_USERDATA)};
}

std::optional<InTable<Chain>> decode_chain(const Message& message) {
  const auto opened = open(message, NFT_MSG_NEWCHAIN);
  if (!opened) return std::nullopt;
  const auto& [family, attributes] = *opened;
  auto table = attributes.string(NFTA_CHAIN_TABLE);
  auto name = attributes.string(NFTA_CHAIN_NAME);
  if (!table || !name) return std::nullopt;
  return InTable<Chain>{.table = {.family = family, .name = *std::move(table)},
                        .value = {.name = *std::move(name),
                                  .hook = decode_hook(family, attributes),
                                  .comment = comment_in(attributes, NFTA_CHAIN_USERDATA)}};
}

std::optional<InTable<RuleOfChain>> decode_rule(const Message& message) {
  const auto opened = open(message, NFT_MSG_NEWRULE);
  if (!opened) return std::nullopt;
  const auto& [family, attributes] = *opened;
  auto table = attributes.string(NFTA_RULE_TABLE);
  auto chain = attributes.string(NFTA_RULE_CHAIN);
  const auto handle = attributes.be64(NFTA_RULE_HANDLE);
  if (!table || !chain || !handle) return std::nullopt;
  Rule rule{.comment = comment_in(attributes, NFTA_RULE_USERDATA),
            .owner = text_in(attributes, NFTA_RULE_USERDATA, kRuleOwner),
            .handle = *handle};
  attributes.nested(NFTA_RULE_EXPRESSIONS).for_each([&](std::uint16_t type, std::string_view data) {
    if (type != NFTA_LIST_ELEM) return;
    if (auto expression = decode_expression(Attributes(data)))
      rule.expressions.push_back(*std::move(expression));
  });
  return InTable<RuleOfChain>{.table = {.family = family, .name = *std::move(table)},
                              .value = {.chain = *std::move(chain), .rule = std::move(rule)}};
}

std::optional<InTable<Set>> decode_set(const Message& message) {
  const auto opened = open(message, NFT_MSG_NEWSET);
  if (!opened) return std::nullopt;
  const auto& [family, attributes] = *opened;
  auto table = attributes.string(NFTA_SET_TABLE);
  auto name = attributes.string(NFTA_SET_NAME);
  if (!table || !name) return std::nullopt;
  const Attributes description = attributes.nested(NFTA_SET_DESC);
  Set set{.name = *std::move(name),
          .flags = attributes.be32(NFTA_SET_FLAGS).value_or(0),
          .key_type = attributes.be32(NFTA_SET_KEY_TYPE).value_or(0),
          .key_length = attributes.be32(NFTA_SET_KEY_LEN).value_or(0),
          .data_type = attributes.be32(NFTA_SET_DATA_TYPE).value_or(0),
          .data_length = attributes.be32(NFTA_SET_DATA_LEN).value_or(0),
          .size = description.be32(NFTA_SET_DESC_SIZE).value_or(0),
          .timeout_ms = attributes.be64(NFTA_SET_TIMEOUT)};
  // The kernel tells the size of its own struct, which is nobody's business.
  if (set.data_type == data_type::kVerdict) set.data_length = 0;
  description.nested(NFTA_SET_DESC_CONCAT).for_each([&](std::uint16_t, std::string_view field) {
    if (const auto length = Attributes(field).be32(NFTA_SET_FIELD_LEN))
      set.field_lengths.push_back(*length);
  });
  read_set_userdata(set, attributes.find(NFTA_SET_USERDATA).value_or(""));
  return InTable<Set>{.table = {.family = family, .name = *std::move(table)},
                      .value = std::move(set)};
}

std::optional<std::vector<Element>> decode_elements(const Message& message) {
  const auto opened = open(message, NFT_MSG_NEWSETELEM);
  if (!opened) return std::nullopt;
  std::vector<Element> elements;
  opened->second.nested(NFTA_SET_ELEM_LIST_ELEMENTS)
      .for_each([&](std::uint16_t, std::string_view data) {
        if (auto element = decode_element(Attributes(data)))
          elements.push_back(*std::move(element));
      });
  return elements;
}

}  // namespace weft::kernel::nft_codec
