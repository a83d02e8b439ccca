#include "dns/inquiries.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "dns/message_reader.h"

namespace weft::dns {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Way = UpstreamPeer::Way;

// An upstream that has said nothing for so long has failed, whatever comes later.
constexpr milliseconds kSilence{1'000};
constexpr milliseconds kCheckBudget{1'000};
// Upkeep is done so often while there is any.
constexpr milliseconds kTending{250};
constexpr std::chrono::seconds kLoopCheck{20};
// A few more than may be under way, for those that take the place of the oldest.
constexpr std::uint32_t kSpare = 8;

std::uint64_t bit(std::size_t peer) {
  return std::uint64_t{1} << peer;
}

}  // namespace

Result<std::unique_ptr<Inquiries>> Inquiries::open(const Limits& limits, OwnPorts& own) {
  ASSIGN_OR_RETURN(Poller poller, Poller::open());
  Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (timer.empty()) return fail_errno("making a timer");
  RETURN_IF_ERROR(poller.watch(timer.get(), EPOLLIN));
  return std::unique_ptr<Inquiries>(
      new Inquiries(limits, own, std::move(timer), std::move(poller)));
}

Inquiries::Inquiries(const Limits& limits, OwnPorts& own, Fd timer, Poller poller)
    : limits_(limits),
      own_(own),
      timer_(std::move(timer)),
      channels_(std::move(poller)),
      table_(limits.inquiries + limits.inquiries / kSpare + 1),
      next_waiter_(limits.waiting, Inquiry::kNone),
      timers_(limits.inquiries + limits.inquiries / kSpare + 1, Clock::now()) {}

void Inquiries::add(UpstreamGroup& group, const std::vector<Upstream>& upstreams,
                    const std::shared_ptr<const TlsContext>& tls) {
  for (const Upstream& upstream : upstreams) {
    const bool is_tls = upstream.transport == Upstream::Transport::kTls;
    group.peers.push_back(
        std::make_unique<UpstreamPeer>(upstream, is_tls ? tls : nullptr, channels_, own_));
  }
  groups_.push_back(&group);
  if (group.watch_loops) wind_timer();
}

std::optional<Ticket> Inquiries::ask(UpstreamGroup& group, const Question& question,
                                     std::string_view& why) {
  const QuestionKey key(question.name, question.type, question.flags);
  if (const auto place = table_.find(group, key.bytes())) return table_.ticket(*place, 0);
  const Time now = Clock::now();
  if (table_.size() >= limits_.inquiries) shed_oldest(now);
  const auto place = begin(group, Kind::kQuestion, question, limits_.budget, now);
  if (!place) {
    why = "too many questions wait for upstreams";
    return std::nullopt;
  }
  const bool is_asked = attempt_any(*place, now);
  if (is_asked || table_.at(*place).attempt_count != 0) {
    if (!is_asked) set_timer(*place, now);  // all have refused: again in a moment
    wind_timer();
    return table_.ticket(*place, 0);
  }
  why = why_nobody(group, now);
  table_.remove(*place);
  return std::nullopt;
}

std::string_view Inquiries::why_nobody(const UpstreamGroup& group, Time now) {
  if (group.peers.empty()) return "there is no upstream";
  for (std::size_t i = 0; i < group.peers.size(); ++i)
    if (!is_looping(group, i, now)) return "no upstream is healthy";
  return "every upstream leads back to this server";
}

void Inquiries::wait_for(Ticket ticket, PendingQueries::Id waiter) {
  Inquiry& inquiry = table_.at(ticket.place);
  next_waiter_[waiter] = std::exchange(inquiry.first_waiter, waiter);
  ++inquiry.group->waiting;
}

std::optional<std::uint32_t> Inquiries::begin(UpstreamGroup& group, Kind kind,
                                              const Question& question, milliseconds budget,
                                              Time now) {
  std::array<char, kPlainUdpSize> room;
  MessageWriter writer(room, room.size());
  writer.ask(question.wire, question.type, kUdpSize, question.flags.dnssec_ok);
  const std::size_t size = writer.finish({.recursion_desired = question.flags.recursion_desired,
                                          .checking_disabled = question.flags.checking_disabled});
  const QuestionKey key(question.name, question.type, question.flags);
  const auto place = table_.add(group, kind, key.bytes(), {room.data(), size});
  if (!place) return std::nullopt;
  Inquiry& inquiry = table_.at(*place);
  inquiry.deadline = now + budget;
  inquiry.prefers_stream = question.over_tcp;
  return place;
}

// The new one takes the place of the oldest, which has waited for longest in vain.
void Inquiries::shed_oldest(Time now) {
  auto oldest = table_.oldest();
  while (oldest && table_.at(*oldest).is_shed) oldest = table_.younger_than(*oldest);
  if (!oldest) return;
  Inquiry& inquiry = table_.at(*oldest);
  inquiry.is_shed = true;
  inquiry.deadline = now;
  inquiry.last_error = "too many questions wait for upstreams";
  timers_.set(*oldest, now, now);
  ++shed_;
}

bool Inquiries::is_looping(const UpstreamGroup& group, std::size_t peer, Time now) {
  return group.loops != nullptr && group.loops->is_looping(peer, now);
}

std::optional<std::size_t> Inquiries::choose(const Inquiry& inquiry, Time now) {
  UpstreamGroup& group = *inquiry.group;
  if (inquiry.kind != Kind::kQuestion) return inquiry.only_peer;
  states_.clear();
  for (std::size_t i = 0; i < group.peers.size(); ++i)
    states_.push_back({.down = group.is_down(*group.peers[i]),
                       .looping = is_looping(group, i, now),
                       .tried = (inquiry.tried & bit(i)) != 0,
                       .cost = group.peers[i]->score.cost().count()});
  return choose_upstream(states_, {.policy = group.options->policy,
                                   .failfast = group.options->failfast,
                                   .random = random_(),
                                   .turn = group.turn++});
}

Way Inquiries::way_to(const Inquiry& inquiry, const UpstreamPeer& peer) const {
  const ForwardOptions& options = *inquiry.group->options;
  const bool by_stream = peer.is_tls() || options.force_tcp ||
                         (inquiry.prefers_stream && !options.prefer_udp) || !inquiry.held.empty();
  return by_stream ? Way::kStream : Way::kUdp;
}

// False when nobody could be asked.
bool Inquiries::attempt_any(std::uint32_t place, Time now) {
  Inquiry& inquiry = table_.at(place);
  for (std::size_t i = 0; i < inquiry.group->peers.size(); ++i) {
    const auto peer = choose(inquiry, now);
    if (!peer) return false;
    if (attempt_at(place, *peer, way_to(inquiry, *inquiry.group->peers[*peer]), now)) return true;
    if (inquiry.attempt_count == Inquiry::kMostAttempts) return false;
  }
  return false;
}

bool Inquiries::attempt_at(std::uint32_t place, std::size_t peer, Way way, Time now) {
  Inquiry& inquiry = table_.at(place);
  if (inquiry.attempt_count == Inquiry::kMostAttempts) return false;
  UpstreamPeer& upstream = *inquiry.group->peers[peer];
  const unsigned number = inquiry.attempt_count++;
  inquiry.tried |= bit(peer);
  auto channel = upstream.send(way, inquiry.message(), table_.ticket(place, number), random_, now);
  if (!channel) {
    upstream.score.failed();
    inquiry.last_error = channel.error().what;
    return false;
  }
  inquiry.attempts[number] = {.peer = static_cast<std::uint32_t>(peer),
                              .way = way,
                              .channel = *channel,
                              .sent = now,
                              .is_counted = false};
  set_timer(place, now);
  return true;
}

// Each attempt is given twice the time of the one before.
void Inquiries::set_timer(std::uint32_t place, Time now) {
  const Inquiry& inquiry = table_.at(place);
  Time next = now;
  if (inquiry.attempt_count > 0 && inquiry.has_live_attempt()) {
    const auto& last = inquiry.attempts[inquiry.attempt_count - 1U];
    const auto patience = inquiry.group->peers[last.peer]->score.patience();
    next = now + patience * (1U << (inquiry.attempt_count - 1U));
  }
  const bool is_last =
      inquiry.attempt_count == Inquiry::kMostAttempts || inquiry.kind != Kind::kQuestion;
  timers_.set(place, is_last ? inquiry.deadline : std::min(next, inquiry.deadline), now);
}

void Inquiries::on_timer(std::uint32_t place, Time now) {
  Inquiry& inquiry = table_.at(place);
  if (now >= inquiry.deadline) {
    if (!inquiry.is_shed) count_failures(inquiry, now, milliseconds(0));
    return give_up(place);
  }
  count_failures(inquiry, now, kSilence);
  const bool is_full = inquiry.attempt_count == Inquiry::kMostAttempts;
  if ((is_full || !attempt_any(place, now)) && !inquiry.has_live_attempt()) return give_up(place);
  set_timer(place, now);
}

// Attempts that are older than `age` without an answer have failed.
void Inquiries::count_failures(Inquiry& inquiry, Time now, milliseconds age) {
  for (unsigned i = 0; i < inquiry.attempt_count; ++i) {
    Attempt& attempt = inquiry.attempts[i];
    if (attempt.channel == nullptr || attempt.is_counted || now - attempt.sent < age) continue;
    attempt.is_counted = true;
    UpstreamPeer& peer = *inquiry.group->peers[attempt.peer];
    peer.score.failed();
    if (inquiry.last_error.empty()) inquiry.last_error = "no answer from " + peer.describe();
  }
}

void Inquiries::give_up(std::uint32_t place) {
  Inquiry& inquiry = table_.at(place);
  if (!inquiry.held.empty() && reply_.read(inquiry.held))
    return complete(place, {.from = inquiry.group, .reply = &reply_});
  const std::string why = inquiry.last_error;
  complete(place, {.from = inquiry.group, .error = ExtendedError::kNetworkError, .why = why});
}

void Inquiries::complete(std::uint32_t place, const Arrival& arrival) {
  Inquiry& inquiry = table_.at(place);
  UpstreamGroup& group = *inquiry.group;
  for (unsigned i = 0; i < inquiry.attempt_count; ++i)
    if (Channel* channel = std::exchange(inquiry.attempts[i].channel, nullptr))
      channel->forget(table_.ticket(place, i));
  if (arrival.reply != nullptr && group.keeper != nullptr && inquiry.kind == Kind::kQuestion)
    group.keeper->keep(inquiry.key(), *arrival.reply, Clock::now());
  std::uint32_t waiter = inquiry.first_waiter;
  timers_.clear(place);
  table_.remove(place);
  // Resuming may begin other inquiries, at this place too.
  while (waiter != Inquiry::kNone) {
    const std::uint32_t next = next_waiter_[waiter];
    --group.waiting;
    resumer_->resume(waiter, arrival);
    waiter = next;
  }
}

bool Inquiries::take_answer(Ticket ticket, std::string_view message) {
  Inquiry* inquiry = table_.find(ticket);
  if (inquiry == nullptr) return false;
  Attempt& attempt = inquiry->attempts[InquiryTable::attempt_of(ticket)];
  if (attempt.channel == nullptr || !reply_.read(message) ||
      !equal_in_any_case(reply_.question(), inquiry->question()))
    return false;
  const Time now = Clock::now();
  UpstreamPeer& peer = *inquiry->group->peers[attempt.peer];
  const Time::duration took = now - attempt.sent;
  peer.score.answered(took);
  if (reply_.rcode() == Rcode::kServerFailure) peer.score.disappointed();
  std::exchange(attempt.channel, nullptr)->forget(ticket);
  if (inquiry->kind != Kind::kQuestion) {
    complete(ticket.place, {.from = inquiry->group});
    return true;
  }
  if (reply_.truncated() && attempt.way == Way::kUdp) {
    const std::size_t from = attempt.peer;
    inquiry->held = message;
    if (!attempt_at(ticket.place, from, Way::kStream, now)) give_up(ticket.place);
    return true;
  }
  if (wants_another(*inquiry) && attempt_any(ticket.place, now)) return true;
  note_overtaken(*inquiry, now);
  complete(ticket.place, {.from = inquiry->group, .reply = &reply_, .peer = &peer, .took = took});
  return true;
}

// `failover`: an answer with one of its codes, while others have not been asked yet.
bool Inquiries::wants_another(const Inquiry& inquiry) const {
  const auto& codes = inquiry.group->options->failover;
  const auto everybody = bit(inquiry.group->peers.size()) - 1;
  return std::find(codes.begin(), codes.end(), reply_.rcode()) != codes.end() &&
         (inquiry.tried & everybody) != everybody;
}

// Another one was quicker, though it was asked later. If it was only slow its next answer, or a
// health check, says so.
void Inquiries::note_overtaken(Inquiry& inquiry, Time now) {
  for (unsigned i = 0; i < inquiry.attempt_count; ++i) {
    const Attempt& attempt = inquiry.attempts[i];
    if (attempt.channel == nullptr || attempt.is_counted) continue;
    UpstreamScore& score = inquiry.group->peers[attempt.peer]->score;
    if (now - attempt.sent >= score.patience()) score.failed();
  }
}

void Inquiries::lose(Ticket ticket, const Error& why) {
  Inquiry* inquiry = table_.find(ticket);
  if (inquiry == nullptr) return;
  Attempt& attempt = inquiry->attempts[InquiryTable::attempt_of(ticket)];
  if (attempt.channel == nullptr) return;
  attempt.channel = nullptr;
  if (!attempt.is_counted) inquiry->group->peers[attempt.peer]->score.failed();
  inquiry->last_error = why.what;
  const Attempt lost = attempt;
  go_on_after(ticket.place, lost, Clock::now());
}

// TCP that fails is no reason to be silent: over UDP the same server may answer. Where nothing else
// is under way another one is asked at once.
void Inquiries::go_on_after(std::uint32_t place, const Attempt& lost, Time now) {
  Inquiry& inquiry = table_.at(place);
  if (inquiry.kind != Kind::kQuestion) return give_up(place);
  const bool may_use_udp = lost.way == Way::kStream && !inquiry.group->options->force_tcp &&
                           !inquiry.group->peers[lost.peer]->is_tls();
  if (may_use_udp && inquiry.held.empty() && attempt_at(place, lost.peer, Way::kUdp, now)) return;
  if (inquiry.has_live_attempt()) return;
  const bool all_tried =
      std::popcount(inquiry.tried) >= static_cast<int>(inquiry.group->peers.size());
  // Everybody has refused: a moment later it may be otherwise, and the timer tries again.
  if (inquiry.held.empty() && all_tried && inquiry.attempt_count < Inquiry::kMostAttempts) {
    const milliseconds pause{50 << inquiry.attempt_count};
    return timers_.set(place, std::min(now + pause, inquiry.deadline), now);
  }
  if (!attempt_any(place, now)) give_up(place);
}

void Inquiries::work(Resumer& resumer) {
  resumer_ = &resumer;
  channels_.serve(*this);
  std::uint64_t times = 0;
  if (::read(timer_.get(), &times, sizeof times) > 0) {
    const Time now = Clock::now();
    timers_.advance(now, [&](std::uint32_t place) { on_timer(place, now); });
    if (now - tended_ >= kTending) tend(now);
  }
  channels_.bury();
  wind_timer();
  resumer_ = nullptr;
}

void Inquiries::tend(Time now) {
  tended_ = now;
  for (UpstreamGroup* group : groups_) {
    for (const auto& peer : group->peers) peer->tend(now, group->options->expire);
    check_health(*group, now);
    check_loops(*group, now);
  }
}

void Inquiries::check(UpstreamGroup& group, std::size_t peer, Kind kind, const Question& question,
                      Time now) {
  const auto place = begin(group, kind, question, kCheckBudget, now);
  if (!place) return;
  Inquiry& inquiry = table_.at(*place);
  inquiry.only_peer = static_cast<std::uint32_t>(peer);
  if (!attempt_at(*place, peer, way_to(inquiry, *group.peers[peer]), now)) table_.remove(*place);
}

// Only of those that are down: the others are measured by what they are asked anyway.
void Inquiries::check_health(UpstreamGroup& group, Time now) {
  const ForwardOptions& options = *group.options;
  for (std::size_t i = 0; i < group.peers.size(); ++i) {
    UpstreamPeer& peer = *group.peers[i];
    if (!group.is_down(peer) || now < peer.next_check) continue;
    peer.next_check = now + options.health_check;
    const LookupName name(options.health_check_name.wire());
    check(group, i, Kind::kHealthCheck,
          {.wire = options.health_check_name.wire(),
           .name = name,
           .type = RecordType::kNs,
           .flags = {.recursion_desired = options.health_check_recursion}},
          now);
  }
}

void Inquiries::check_loops(UpstreamGroup& group, Time now) {
  if (!group.watch_loops || now < group.next_loop_check) return;
  group.next_loop_check = now + kLoopCheck;
  for (std::size_t i = 0; i < group.peers.size(); ++i) {
    const Name question = group.loops->question(i);
    const LookupName name(question.wire());
    check(group, i, Kind::kLoopCheck,
          {.wire = question.wire(), .name = name, .type = RecordType::kHinfo}, now);
  }
}

// The clock runs as fast as is needed, and not at all when nothing is under way.
void Inquiries::wind_timer() {
  const bool has_upkeep =
      std::any_of(groups_.begin(), groups_.end(), [](const UpstreamGroup* group) {
        return group->watch_loops ||
               std::any_of(group->peers.begin(), group->peers.end(), [&](const auto& peer) {
                 return peer->has_channels() || group->is_down(*peer);
               });
      });
  const milliseconds wanted = timers_.size() != 0 ? TimerWheel::kTick
                              : has_upkeep        ? kTending
                                                  : milliseconds(0);
  if (wanted == winding_) return;
  winding_ = wanted;
  const long nanoseconds = std::chrono::nanoseconds(wanted).count();
  const itimerspec interval{.it_interval = {.tv_sec = 0, .tv_nsec = nanoseconds},
                            .it_value = {.tv_sec = 0, .tv_nsec = nanoseconds}};
  ::timerfd_settime(timer_.get(), 0, &interval, nullptr);
}

}  // namespace weft::dns
