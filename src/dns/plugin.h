// plugin.h: what a server block does with a query, one plugin after the other.
//
// A plugin whose answer is not there yet keeps the query (Exchange::wait()) and says so; when the
// answer has come, the whole block is asked again, with what has come at hand. So no plugin has to
// remember where in the row a query was, and what stands in front of it applies as it did.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "dns/client.h"
#include "dns/flag_changes.h"
#include "dns/handler.h"
#include "dns/lookup_name.h"
#include "dns/message_writer.h"
#include "dns/pending_queries.h"
#include "dns/protocol.h"
#include "dns/query.h"

namespace weft::dns {

class Reply;
class UpstreamPeer;

/// What a query has waited for.
struct Arrival {
  const void* from = nullptr;    ///< who was asked: a plugin knows its own
  const Reply* reply = nullptr;  ///< nullptr: none has come, and the rest says why
  ExtendedError error = ExtendedError::kOther;
  std::string_view why = {};
  const UpstreamPeer* peer = nullptr;  ///< whose reply it is
  std::chrono::steady_clock::duration took = {};
};

/// One query on its way through the plugins, and the answer as far as it is written.
struct Exchange {
  const Query& query;
  const Client& client;
  const Query& received;  ///< what the client has sent, where `query` asks for something else
  LookupName name;        ///< the question's
  MessageWriter& writer;
  PendingQueries& pending;
  std::chrono::steady_clock::time_point asked = {};
  std::uint32_t turn = 0;  ///< a number that is another one each time, see ZoneAnswer
  const Arrival* arrival = nullptr;
  /// Marks of plugins, kept while the query waits: who has given it up already.
  std::uint32_t passed = 0;
  Rcode rcode = Rcode::kNoError;
  bool authoritative = false;
  bool authentic = false;  ///< as an upstream says (AD)
  FlagChanges flags = {};  ///< of the answer
  /// What the TTLs of an upstream's answer are raised to and cut at.
  std::uint32_t least_ttl = 0;
  std::uint32_t most_ttl = std::numeric_limits<std::uint32_t>::max();
  /// Over TCP: the messages that follow this one, once the answer is whole.
  std::unique_ptr<AnswerStream> rest = {};
  /// The answer is aliases that end in this name, which is to be looked up like any other. Empty
  /// where it is whole.
  std::string_view alias_target = {};

  /// Ends with `code` alone, and says why to who can hear it.
  void fail(Rcode code, ExtendedError error, std::string_view why) {
    writer.forget_records();
    writer.explain(error, why);
    rcode = code;
    authoritative = false;
  }

  /// Keeps the query, for Step::kLater. Nothing when too many wait already.
  std::optional<PendingQueries::Id> wait() const {
    return pending.keep(received, client, asked, passed);
  }
};

enum class Step : std::uint8_t {
  kNext,   ///< not mine: the next plugin shall see it
  kReply,  ///< the answer is written
  kLater,  ///< what it needs has been asked for, see Exchange::wait()
  kDrop,   ///< nobody shall answer
};

/// Of one worker thread alone.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual Step serve(Exchange& exchange) = 0;
  /// Where its answers come from, for EdnsOption::kSource, if it has told nothing better.
  virtual std::string_view source() const { return {}; }
};

/// An answer as those see it who count and write down.
struct Answered {
  const Query& query;
  const Client& client;
  const Header& header;  ///< of the answer
  Rcode rcode = Rcode::kNoError;
  std::size_t size = 0;
  std::chrono::steady_clock::duration time = {};
  std::string_view why = {};  ///< the extended error's text
};

/// Told of every answer of a block. Of one worker thread alone.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void answered(const Answered& answered) = 0;
};

/// Who puts a query to the plugins again.
class Resumer {
 public:
  virtual ~Resumer() = default;
  virtual void resume(PendingQueries::Id id, const Arrival& arrival) = 0;
};

/// What brings the arrivals of one worker.
class ArrivalSource {
 public:
  virtual ~ArrivalSource() = default;
  /// See Handler::work_descriptor().
  virtual int descriptor() const = 0;
  /// Resumes the queries whose arrivals are there, or will not come.
  virtual void work(Resumer& resumer) = 0;
};

}  // namespace weft::dns
