// responder.h: from a message to its answer: the server block that its name belongs to, and that
// block's plugins in their order.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dns/handler.h"
#include "dns/name.h"
#include "dns/pending_queries.h"
#include "dns/plugin.h"
#include "dns/reply.h"
#include "dns/rewrite.h"

namespace weft::dns {

/// The plugins for the names below some zones.
struct ServerBlock {
  std::vector<Name> zones = {};            ///< in small letters
  std::vector<RewriteRule> rewrites = {};  ///< of questions, before any plugin sees them
  std::vector<std::unique_ptr<Plugin>> plugins = {};
  std::vector<std::unique_ptr<Observer>> observers = {};
  std::uint16_t udp_size = kUdpSize;  ///< the largest answer over UDP
};

class Responder : public Handler, private Resumer {
 public:
  struct Options {
    std::string server_id = {};            ///< what NSID tells; empty: nothing
    std::uint16_t idle_deciseconds = 100;  ///< of TCP connections
    std::uint32_t most_pending = 8192;     ///< queries that wait at the same time
  };
  /// For plugins whose answers are not there at once.
  struct Later {
    std::unique_ptr<ArrivalSource> arrivals = {};
    Replies* replies = nullptr;  ///< must outlive the responder
  };

  Responder(std::vector<ServerBlock> blocks, Options options);
  Responder(std::vector<ServerBlock> blocks, Options options, Later later);

  std::size_t handle(std::string_view message, const Client& client, std::span<char> room) override;
  int work_descriptor() const override;
  void work() override;
  bool owes_answers() const override { return pending_.size() != 0; }
  std::unique_ptr<AnswerStream> take_rest() override { return std::move(rest_); }

 private:
  void resume(PendingQueries::Id id, const Arrival& arrival) override;
  struct Asked {
    const Query& query;
    const Client& client;
    std::chrono::steady_clock::time_point at;
    std::uint32_t passed;
    const Arrival* arrival;
  };
  std::size_t answer(const Asked& asked, std::span<char> room);
  MessageWriter begin(const Query& query, const Client& client, std::span<char> room) const;
  ServerBlock* block_of(const LookupName& name);
  // Room for the answer to a question that is asked within another one.
  struct Inner {
    std::array<char, kLargestMessage> room;
    Reply reply;
  };
  Step serve(Exchange& exchange, ServerBlock* block);
  Step serve_plugins(Exchange& exchange, ServerBlock* block);
  Step serve_rewritten(Exchange& exchange, const RewrittenQuestion& question, ServerBlock* block);
  Step follow_alias(Exchange& exchange);
  // Asks so; what `answer` writes is in `inner` if it is kReply, its code in the exchange.
  template <class Answer>
  Step ask_within(Exchange& exchange, std::string_view name, RecordType type, Inner& inner,
                  Answer answer);

  const Options options_;
  PendingQueries pending_;
  Later later_;
  std::vector<ServerBlock> blocks_;  // after what its plugins refer to
  std::uint32_t turn_ = 0;
  std::unique_ptr<AnswerStream> rest_;                       // of the answer that was written last
  std::unique_ptr<std::array<char, kLargestMessage>> room_;  // for later answers
  std::unique_ptr<Inner> alias_;                             // made when they are first needed
  std::unique_ptr<Inner> rewritten_;
};

}  // namespace weft::dns
