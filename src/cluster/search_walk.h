// search_walk.h: the names that a resolver asks for, one after the other, when a program looks one
// up. Pure.
//
// Source: resolv.conf(5); glibc, resolv/res_query.c. musl differs: it ends at the first answer that
// is not NXDOMAIN, and asks names with `ndots` dots or more only as they are.
#pragma once

#include <string>
#include <vector>

#include "cluster/resolv_conf.h"

namespace weft {

struct NameToTry {
  std::string name = {};    ///< with a final dot
  std::string reason = {};  ///< "as it is: ...", "in svc.cluster.local"
  /// No question can hold it: the resolver gives the search up here.
  bool is_too_long = false;
  bool operator==(const NameToTry&) const = default;
};

/// In order. The last one is the name as it is, unless that stands further ahead.
std::vector<NameToTry> names_to_try(const ResolvConf& file, const std::string& name);

/// `options ndots:N`; 1 without it, and at most 15.
unsigned ndots_of(const ResolvConf& file);

}  // namespace weft
