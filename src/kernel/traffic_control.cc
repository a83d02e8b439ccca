#include "kernel/traffic_control.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace weft::kernel {
namespace {

constexpr std::uint16_t kFirstAction = 1;    // actions are numbered from one
constexpr std::uint32_t kFirstPriority = 1;  // of a filter

std::uint32_t number(TcHandle handle) {
  return static_cast<std::uint32_t>(handle);
}

tcmsg header_of(LinkIndex link, TcHandle parent) {
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = static_cast<int>(link);
  header.tcm_parent = number(parent);
  return header;
}

template <class Structure>
std::string_view bytes_of(const Structure& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// The structure at the front of an attribute, which newer kernels may have made longer.
template <class Structure>
std::optional<Structure> structure_in(const Attributes& attributes, std::uint16_t type) {
  const auto bytes = attributes.find(type);
  if (!bytes || bytes->size() < sizeof(Structure)) return std::nullopt;
  Structure value;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

void put_token_bucket(Request& request, const TokenBucket& bucket) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint32_t>::max();
  tc_tbf_qopt parameters{};
  parameters.rate.rate = static_cast<std::uint32_t>(std::min(bucket.rate, kLargest));
  parameters.limit = bucket.limit;
  parameters.buffer = bucket.buffer;
  request.bytes(TCA_TBF_PARMS, bytes_of(parameters));
  if (bucket.rate > kLargest) request.u64(TCA_TBF_RATE64, bucket.rate);
}

std::optional<TokenBucket> decode_token_bucket(const Attributes& options) {
  const auto parameters = structure_in<tc_tbf_qopt>(options, TCA_TBF_PARMS);
  if (!parameters) return std::nullopt;
  return TokenBucket{.rate = options.u64(TCA_TBF_RATE64).value_or(parameters->rate.rate),
                     .limit = parameters->limit,
                     .buffer = parameters->buffer};
}

Request qdisc_request(std::uint16_t type, std::uint16_t flags, const Qdisc& qdisc) {
  tcmsg header = header_of(qdisc.link, qdisc.parent);
  header.tcm_handle = number(qdisc.handle);
  Request request(type, flags);
  request.header(header).string(TCA_KIND, qdisc.kind);
  return request;
}

// It ends in an array without a size, for which there is no initializer in C++.
tc_u32_sel no_selector() {
  tc_u32_sel selector;
  std::memset(&selector, 0, sizeof selector);
  return selector;
}

// A key of no bits matches everything. What follows it in the message is part of the structure.
std::string match_all() {
  tc_u32_sel selector = no_selector();
  selector.flags = TC_U32_TERMINAL;
  selector.nkeys = 1;
  const tc_u32_key key{};
  return std::string(bytes_of(selector)) + std::string(bytes_of(key));
}

bool matches_all(const Attributes& options) {
  const auto bytes = options.find(TCA_U32_SEL);
  tc_u32_sel selector = no_selector();
  tc_u32_key key{};
  if (!bytes || bytes->size() < sizeof selector + sizeof key) return false;
  std::memcpy(&selector, bytes->data(), sizeof selector);
  std::memcpy(&key, bytes->data() + sizeof selector, sizeof key);
  return selector.nkeys == 1 && key.mask == 0;
}

}  // namespace

Request encode_new_qdisc(const Qdisc& qdisc) {
  Request request = qdisc_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, qdisc);
  if (qdisc.token_bucket)
    request.plain_nest(TCA_OPTIONS,
                       [&](Request& inside) { put_token_bucket(inside, *qdisc.token_bucket); });
  return request;
}

Request encode_delete_qdisc(const Qdisc& qdisc) {
  return qdisc_request(RTM_DELQDISC, 0, qdisc);
}

std::optional<Qdisc> decode_qdisc(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWQDISC) return std::nullopt;
  const auto opened = message.open<tcmsg>();
  if (!opened) return std::nullopt;
  const auto& [header, attributes] = *opened;
  Qdisc qdisc{.link = static_cast<LinkIndex>(header.tcm_ifindex),
              .handle = static_cast<TcHandle>(header.tcm_handle),
              .parent = static_cast<TcHandle>(header.tcm_parent),
              .kind = attributes.string(TCA_KIND).value_or("")};
  if (qdisc.kind == "tbf") qdisc.token_bucket = decode_token_bucket(attributes.nested(TCA_OPTIONS));
  return qdisc;
}

Request encode_redirect(const RedirectFilter& filter) {
  tcmsg header = header_of(filter.link, filter.parent);
  header.tcm_info = kFirstPriority << 16U | htobe16(ETH_P_ALL);
  tc_mirred mirred{};
  mirred.action = TC_ACT_STOLEN;
  mirred.eaction = TCA_EGRESS_REDIR;
  mirred.ifindex = static_cast<std::uint32_t>(filter.target);
  Request request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
  request.header(header).string(TCA_KIND, "u32");
  request.plain_nest(TCA_OPTIONS, [&](Request& options) {
    options.bytes(TCA_U32_SEL, match_all());
    options.u32(TCA_U32_CLASSID, number(TcHandle::kFirstClass));
    options.plain_nest(TCA_U32_ACT, [&](Request& actions) {
      actions.plain_nest(kFirstAction, [&](Request& action) {
        action.string(TCA_ACT_KIND, "mirred");
        action.plain_nest(TCA_ACT_OPTIONS, [&](Request& inside) {
          inside.bytes(TCA_MIRRED_PARMS, bytes_of(mirred));
        });
      });
    });
  });
  return request;
}

std::optional<RedirectFilter> decode_redirect(const Message& message) {
  if (message.header.nlmsg_type != RTM_NEWTFILTER) return std::nullopt;
  const auto opened = message.open<tcmsg>();
  if (!opened || opened->second.string(TCA_KIND) != "u32") return std::nullopt;
  const Attributes options = opened->second.nested(TCA_OPTIONS);
  const Attributes action = options.nested(TCA_U32_ACT).nested(kFirstAction);
  const auto mirred = structure_in<tc_mirred>(action.nested(TCA_ACT_OPTIONS), TCA_MIRRED_PARMS);
  if (action.string(TCA_ACT_KIND) != "mirred" || !mirred || !matches_all(options) ||
      mirred->eaction != TCA_EGRESS_REDIR)
    return std::nullopt;
  return RedirectFilter{.link = static_cast<LinkIndex>(opened->first.tcm_ifindex),
                        .parent = static_cast<TcHandle>(opened->first.tcm_parent),
                        .target = static_cast<LinkIndex>(mirred->ifindex)};
}

Result<std::vector<Qdisc>> list_qdiscs(NetlinkSocket& route, LinkIndex link) {
  Request request(RTM_GETQDISC, 0);
  request.header(header_of(link, TcHandle::kNone));
  // The kernel lists those of every device.
  return route.dump<Qdisc>(request, [link](const Message& message) {
    auto qdisc = decode_qdisc(message);
    if (qdisc && qdisc->link != link) qdisc.reset();
    return qdisc;
  });
}

Result<std::vector<RedirectFilter>> list_redirects(NetlinkSocket& route, LinkIndex link,
                                                   TcHandle parent) {
  Request request(RTM_GETTFILTER, 0);
  request.header(header_of(link, parent));
  auto filters = route.dump<RedirectFilter>(request, decode_redirect);
  if (!filters && (filters.error().number == EINVAL || filters.error().number == ENOENT))
    return std::vector<RedirectFilter>();
  return filters;
}

}  // namespace weft::kernel
