// look_up.h: a name looked up as a pod's resolver does it, question by question, and what is to be
// said of it. Pure: who sends the questions is given.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/search_walk.h"
#include "matrix/dns_query.h"
#include "matrix/model.h"

namespace weft::matrix {

/// One question to one server.
struct Asked {
  Family family = Family::kIpv4;
  IpAddress server = {};
  std::optional<DnsAnswer> answer = {};  ///< nothing: none came in time
  std::string failure = {};              ///< why none came
  std::chrono::microseconds took{0};
};

/// One name of the search, and whom it was asked of: both families of one server after the other
/// until one has said something of use.
struct LookUpStep {
  NameToTry tried = {};
  std::vector<Asked> asked = {};
};

struct LookUp {
  std::string name = {};
  std::vector<LookUpStep> steps = {};  ///< as far as the resolver goes
  std::size_t names = 0;               ///< how many it would have tried
  std::set<IpAddress> addresses = {};
};

/// Asks one server for a name's addresses of both families, side by side.
using AskServer =
    std::function<std::vector<Asked>(const std::string& name, const IpAddress& server)>;

/// As glibc does it: the first name with an address ends it. A server that fails or is silent is
/// followed by the next one; when all are silent only the name as it is is tried yet.
LookUp look_up(const ResolvConf& file, const std::string& name, const AskServer& ask);

/// One sentence, and what to do next; the reason is the worst that a server has said.
struct LookUpVerdict {
  Mark mark = Mark::kFine;
  std::string sentence = {};
  std::string next = {};
  /// A server has nobody to ask for this name (RFC 8914, code 22): its own resolv.conf matters.
  bool lacks_upstream = false;
};
LookUpVerdict judge(const LookUp& looked_up);

}  // namespace weft::matrix
