// inquiries.h: what one worker has asked other servers, and which clients wait for it.
//
// Theory of operation. Clients that ask the same wait for one inquiry. An inquiry goes to the
// upstream that promises most, and after that one's usual time to another as well, or again to the
// same, until one has answered or the time is over: sooner than the client gives up, so that it
// hears why. An answer that was cut is asked for again over TCP; where TCP is refused, UDP
// is tried. Nothing waits for anything else: sockets and the clock are served by work().
//
// The tables have a fixed size. When all places are taken the oldest inquiry, which has the least
// hope, ends for the new one. So upstreams that are down cost memory that is known beforehand, and
// names that need no upstream are answered as ever.
//
// An answer counts if it comes from the upstream's address and port, to the port and with the id
// of the question, and repeats the question; ports and ids cannot be foretold (RFC 5452).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "dns/channel_set.h"
#include "dns/inquiry_table.h"
#include "dns/plugin.h"
#include "dns/question_key.h"
#include "dns/reply.h"
#include "dns/timer_wheel.h"
#include "dns/upstream_choice.h"
#include "dns/upstream_group.h"

namespace weft::dns {

class Inquiries : public ArrivalSource, private ChannelUser {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Limits {
    std::uint32_t inquiries = 4096;
    std::uint32_t waiting = 8192;  ///< clients: as many as the responder's table has
    /// Resolvers ask again, or give up, after five seconds.
    std::chrono::milliseconds budget{4'000};
  };
  struct Question {
    std::string_view wire = {};  ///< the name as asked
    const LookupName& name;
    RecordType type = RecordType::kNone;
    QueryFlags flags = {};
    bool over_tcp = false;
  };

  /// `own` must outlive it.
  static Result<std::unique_ptr<Inquiries>> open(const Limits& limits, OwnPorts& own);

  /// Adds peers for the upstreams of the group, which must live as long as this is used.
  /// `tls` for those that speak it.
  void add(UpstreamGroup& group, const std::vector<Upstream>& upstreams,
           const std::shared_ptr<const TlsContext>& tls);

  /// Joins the inquiry for that question or begins one. Nothing when there is no upstream that
  /// may be asked, or no place; `why` then says so.
  std::optional<Ticket> ask(UpstreamGroup& group, const Question& question, std::string_view& why);
  /// Resumes the query with what comes of the inquiry that ask() has just named.
  void wait_for(Ticket ticket, PendingQueries::Id waiter);

  int descriptor() const override { return channels_.descriptor(); }
  void work(Resumer& resumer) override;

  /// How many are under way.
  std::size_t size() const { return table_.size(); }
  /// So many have been ended early, to make way.
  std::uint64_t shed() const { return shed_; }

 private:
  using Kind = Inquiry::Kind;
  using Attempt = Inquiry::Attempt;

  Inquiries(const Limits& limits, OwnPorts& own, Fd timer, Poller poller);

  // The course of an inquiry.
  std::optional<std::uint32_t> begin(UpstreamGroup& group, Kind kind, const Question& question,
                                     std::chrono::milliseconds budget, Time now);
  void shed_oldest(Time now);
  static std::string_view why_nobody(const UpstreamGroup& group, Time now);
  static bool is_looping(const UpstreamGroup& group, std::size_t peer, Time now);
  std::optional<std::size_t> choose(const Inquiry& inquiry, Time now);
  bool attempt_any(std::uint32_t place, Time now);
  bool attempt_at(std::uint32_t place, std::size_t peer, UpstreamPeer::Way way, Time now);
  UpstreamPeer::Way way_to(const Inquiry& inquiry, const UpstreamPeer& peer) const;
  void set_timer(std::uint32_t place, Time now);
  void on_timer(std::uint32_t place, Time now);
  void count_failures(Inquiry& inquiry, Time now, std::chrono::milliseconds age);
  void give_up(std::uint32_t place);
  void complete(std::uint32_t place, const Arrival& arrival);
  bool wants_another(const Inquiry& inquiry) const;
  void note_overtaken(Inquiry& inquiry, Time now);
  void go_on_after(std::uint32_t place, const Attempt& lost, Time now);

  bool take_answer(Ticket ticket, std::string_view message) override;
  void lose(Ticket ticket, const Error& why) override;

  // Upkeep.
  void tend(Time now);
  void check(UpstreamGroup& group, std::size_t peer, Kind kind, const Question& question, Time now);
  void check_health(UpstreamGroup& group, Time now);
  void check_loops(UpstreamGroup& group, Time now);
  void wind_timer();

  const Limits limits_;
  OwnPorts& own_;
  Fd timer_;
  ChannelSet channels_;  // whose poller watches the timer too
  std::vector<UpstreamGroup*> groups_;
  SecretRandom random_;
  InquiryTable table_;
  std::vector<std::uint32_t> next_waiter_;
  std::vector<UpstreamState> states_;  // room for choose()
  TimerWheel timers_;
  Time tended_ = {};
  std::chrono::milliseconds winding_{0};  // the timer's interval; 0: it stands still
  std::uint64_t shed_ = 0;
  Reply reply_;                 // of the message that is being taken in
  Resumer* resumer_ = nullptr;  // within work()
};

}  // namespace weft::dns
