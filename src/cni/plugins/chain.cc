#include "cni/plugins/chain.h"

#include "cni/delegate.h"
#include "cni/plugins/chain_config.h"

namespace weft::cni {
namespace {

CniFailure blame(const Json& member, CniError error) {
  return because("plugin type=" + in_quotes(type_of_member(member)) + " failed", std::move(error));
}

CniStatus run_member(Command command, const Call& call, const Json& member, const Json* previous) {
  ASSIGN_OR_RETURN(const auto inner,
                   DelegatedCall::make(call, member_config(call, member, previous)));
  ASSIGN_OR_RETURN(const Delegate plugin, Delegate::find(type_of_member(member), call));
  return plugin.run(command, inner->call());
}

CniResult<AddResult> add_member(const Call& call, const Json& member, const Json* previous) {
  ASSIGN_OR_RETURN(const auto inner,
                   DelegatedCall::make(call, member_config(call, member, previous)));
  ASSIGN_OR_RETURN(const Delegate plugin, Delegate::find(type_of_member(member), call));
  return plugin.add(inner->call());
}

// Calls every member, whatever the others answer: the first failure's code, and all their words.
template <class Members, class Each>
CniStatus run_all(const Members& members, Each each) {
  CniStatus all;
  for (const Json& member : members) {
    const CniStatus status = each(member);
    if (status) continue;
    CniError error = std::move(blame(member, status.error())).value();
    if (!all) {
      all.error().message += "; " + error.message;
    } else {
      all = CniFailure(std::move(error));
    }
  }
  return all;
}

CniStatus del_all(const Call& call, const std::vector<Json>& members, const Json* previous) {
  const std::vector<Json> backwards(members.rbegin(), members.rend());
  return run_all(backwards, [&](const Json& member) {
    return run_member(Command::kDel, call, member, previous);
  });
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const auto members, chain_members(call.config));
  AddResult result;
  Json previous;
  if (const Json* given = find_member(call.config, "prevResult")) previous = *given;
  std::vector<Json> called;
  for (const Json& member : members) {
    called.push_back(member);
    const Json* before = previous.is_null() ? nullptr : &previous;
    auto added = add_member(call, member, before);
    auto encoded = added ? encode_result(*added, call.version) : CniFailure(added.error());
    if (!encoded) {
      // The member that failed is asked too: it may not have undone all of its work.
      (void)del_all(call, called, before);
      return blame(member, encoded.error());
    }
    result = *std::move(added);
    previous = *std::move(encoded);
  }
  return result;
}

CniStatus del(const Call& call) {
  ASSIGN_OR_RETURN(const auto members, chain_members(call.config));
  return del_all(call, members, find_member(call.config, "prevResult"));
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const auto members, chain_members(call.config));
  for (const Json& member : members) {
    const auto checked =
        run_member(Command::kCheck, call, member, find_member(call.config, "prevResult"));
    if (!checked) return blame(member, checked.error());
  }
  return {};
}

CniStatus status(const Call& call) {
  const auto members = chain_members(call.config);
  if (!members) return refuse(Code::kNotAvailable, members.error().message);
  for (const Json& member : *members) {
    const auto ready = run_member(Command::kStatus, call, member, nullptr);
    if (!ready) return blame(member, ready.error());
  }
  return {};
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const auto members, chain_members(call.config));
  return run_all(
      members, [&](const Json& member) { return run_member(Command::kGc, call, member, nullptr); });
}

}  // namespace

const Plugin kChain{.name = kChainType,
                    .add = add,
                    .del = del,
                    .check = check,
                    .status = status,
                    .gc = gc,
                    .kind = Kind::kMeta};

}  // namespace weft::cni
