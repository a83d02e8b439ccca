#include "matrix/probe.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "base/fd.h"
#include "base/json.h"
#include "kernel/socket_address.h"
#include "matrix/dns_query.h"
#include "matrix/icmp_socket.h"
#include "matrix/mtu.h"

namespace weft::matrix {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;

constexpr int kInitialTtl = 64;  // Linux's default
constexpr const char* kRequest = "GET / HTTP/1.1\r\nHost: weft\r\nConnection: close\r\n\r\n";

// One TCP or UDP probe under way.
struct Flight {
  ProbeResult* result = nullptr;
  std::uint16_t port = 0;
  bool asks_dns = false;
  Fd fd;
  Clock::time_point start;
  std::optional<std::uint32_t> connected_us = {};
  std::string answer = {};
};

std::uint32_t microseconds_since(Clock::time_point start) {
  return static_cast<std::uint32_t>(
      duration_cast<std::chrono::microseconds>(Clock::now() - start).count());
}

void note_answerer(ProbeResult& result, const std::string& name, const IpAddress& source) {
  result.source_seen = source;
  for (auto& answer : result.answers)
    if (answer.name == name && answer.source == source) {
      ++answer.count;
      return;
    }
  result.answers.push_back({.name = name, .source = source, .count = 1});
}

void note_answer(ProbeResult& result, std::uint32_t rtt_us, std::optional<int> ttl) {
  ++result.answered;
  result.rtt_us = std::min(result.rtt_us.value_or(rtt_us), rtt_us);
  if (ttl && *ttl <= kInitialTtl) result.hops = kInitialTtl - *ttl;
}

// The responder's JSON, with or without the head of HTTP before it.
void read_answer(const std::string& text, std::uint32_t rtt_us, ProbeResult& result) {
  const auto start = text.find('{');
  const auto json = start == std::string::npos ? parse_json("") : parse_json(text.substr(start));
  if (!json || !json->is_object()) {
    result.refusal = "something else than the responder answers there";
    return;
  }
  ObjectReader reader(*json, "answer");
  std::string name;
  std::string source;
  std::optional<int> ttl;
  reader.read("name", name);
  reader.read("source", source);
  reader.read("ttl", ttl);
  if (!reader.finish()) return;
  if (const auto address = IpAddress::parse(source)) note_answerer(result, name, *address);
  note_answer(result, rtt_us, ttl);
}

void read_dns_answer(const std::string& bytes, std::uint32_t rtt_us, ProbeResult& result) {
  const auto answer = parse_dns_answer(bytes);
  if (!answer) {
    result.refusal = "something else than a DNS server answers there";
    return;
  }
  if (!answer->refusal.empty()) {
    result.refusal = answer->refusal;
    return;
  }
  for (const auto& address : answer->addresses) note_answerer(result, address.to_string(), address);
  result.source_seen.reset();
  note_answer(result, rtt_us, std::nullopt);
}

class Round {
 public:
  Round(const std::vector<Target>& targets, std::vector<std::vector<ProbeResult>>& results,
        std::map<Family, IcmpSocket>& icmp, std::uint16_t first_sequence)
      : targets_(targets), results_(results), icmp_(icmp), first_(first_sequence) {}

  /// Probes these targets, by their index.
  void run(const std::vector<std::size_t>& wanted, std::chrono::milliseconds timeout) {
    launch(wanted);
    const auto deadline = Clock::now() + timeout;
    while (waiting_ > 0 || !flights_.empty()) {
      const auto left = duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) return;
      wait(static_cast<int>(left.count()) + 1);
      for (auto& [family, socket] : icmp_) take_echoes(socket);
      std::erase_if(flights_, [](Flight& flight) { return advance(flight); });
    }
  }

 private:
  void launch(const std::vector<std::size_t>& wanted) {
    for (const std::size_t i : wanted) {
      for (auto& result : results_[i]) {
        ++result.sent;
        if (result.protocol == Protocol::kIcmp)
          send_echo(i, result);
        else
          open_flight(targets_[i], result);
      }
    }
  }

  void send_echo(std::size_t index, ProbeResult& result) {
    const IpAddress& target = targets_[index].address;
    const auto sequence = static_cast<std::uint16_t>(first_ + index);
    sent_[sequence] = Clock::now();
    const Status status = icmp_.at(target.family()).send(target, sequence, kSmallPacket);
    if (status)
      ++waiting_;
    else
      result.refusal = status.error().what;
  }

  void open_flight(const Target& target, ProbeResult& result) {
    const bool tcp = result.protocol == Protocol::kTcp;
    const std::string datagram = target.question.empty() ? "weft" : target.question;
    Flight flight{.result = &result,
                  .port = target.port,
                  .asks_dns = !target.question.empty(),
                  .fd = {},
                  .start = Clock::now()};
    flight.fd = Fd(::socket(kernel::socket_family(target.address),
                            (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const kernel::SocketAddress to(target.address, target.port);
    const bool opened = ::connect(flight.fd.get(), to.get(), to.size) == 0 || errno == EINPROGRESS;
    const bool sent = opened && (tcp || ::send(flight.fd.get(), datagram.data(), datagram.size(),
                                               MSG_NOSIGNAL) >= 0);
    if (!sent) {
      result.refusal = fail_errno("sending to " + target.address.to_string()).value().what;
      return;
    }
    flights_.push_back(std::move(flight));
  }

  void wait(int milliseconds) {
    std::vector<pollfd> polled;
    for (const auto& [family, socket] : icmp_) polled.push_back({socket.fd(), POLLIN, 0});
    for (const auto& flight : flights_) {
      const bool connecting =
          flight.result->protocol == Protocol::kTcp && !flight.connected_us.has_value();
      polled.push_back({flight.fd.get(), static_cast<short>(connecting ? POLLOUT : POLLIN), 0});
    }
    ::poll(polled.data(), polled.size(), milliseconds);
  }

  void take_echoes(IcmpSocket& socket) {
    while (const auto answer = socket.receive()) {
      const auto sent = sent_.find(answer->sequence);
      if (sent == sent_.end()) continue;
      ProbeResult& result = results_[static_cast<std::uint16_t>(answer->sequence - first_)][0];
      if (answer->refusal.empty())
        note_answer(result, microseconds_since(sent->second), answer->ttl);
      else
        result.refusal = answer->refusal;
      sent_.erase(sent);
      --waiting_;
    }
  }

  // True when the flight is over.
  static bool advance(Flight& flight) {
    if (flight.result->protocol == Protocol::kTcp && !flight.connected_us && !connect(flight))
      return !flight.result->refusal.empty();
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(flight.fd.get(), buffer, sizeof buffer, 0);
      if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) return false;
      if (got < 0) {
        flight.result->refusal = std::strerror(errno);
        return true;
      }
      flight.answer.append(buffer, static_cast<std::size_t>(got));
      if (got > 0 && flight.result->protocol == Protocol::kTcp) continue;
      const auto read = flight.asks_dns ? read_dns_answer : read_answer;
      read(flight.answer, flight.connected_us.value_or(microseconds_since(flight.start)),
           *flight.result);
      return true;
    }
  }

  // Sends the request once the connection stands; false as long as it does not.
  static bool connect(Flight& flight) {
    pollfd polled{flight.fd.get(), POLLOUT, 0};
    if (::poll(&polled, 1, 0) <= 0) return false;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(flight.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      flight.result->refusal =
          fail_errno("TCP port " + std::to_string(flight.port), error).value().what;
      return false;
    }
    flight.connected_us = microseconds_since(flight.start);
    ::send(flight.fd.get(), kRequest, std::strlen(kRequest), MSG_NOSIGNAL);
    return true;
  }

  const std::vector<Target>& targets_;
  std::vector<std::vector<ProbeResult>>& results_;
  std::map<Family, IcmpSocket>& icmp_;
  const std::uint16_t first_;
  std::map<std::uint16_t, Clock::time_point> sent_;
  std::size_t waiting_ = 0;
  std::vector<Flight> flights_;
};

std::vector<std::vector<ProbeResult>> blank_results(const std::vector<Target>& targets) {
  std::vector<std::vector<ProbeResult>> results;
  for (const auto& target : targets) {
    auto& row = results.emplace_back();
    for (const Protocol protocol : target.protocols) row.push_back({.protocol = protocol});
  }
  return results;
}

bool answered_all(const std::vector<ProbeResult>& results) {
  return std::all_of(results.begin(), results.end(),
                     [](const ProbeResult& result) { return result.answered > 0; });
}

// First everybody at once, which finds the silent ones in one time limit. Then those who answer
// one after the other, so that their times are not those of a crowd, and the silent ones together.
void probe_in_rounds(const std::vector<Target>& targets,
                     std::vector<std::vector<ProbeResult>>& results,
                     std::map<Family, IcmpSocket>& icmp, const ProbeOptions& options) {
  std::vector<std::size_t> everybody(targets.size());
  std::iota(everybody.begin(), everybody.end(), std::size_t{0});
  std::uint16_t sequence = 0;
  const auto probe = [&](const std::vector<std::size_t>& wanted) {
    Round(targets, results, icmp, sequence).run(wanted, options.timeout);
    sequence = static_cast<std::uint16_t>(sequence + targets.size());
  };
  probe(everybody);
  unsigned rounds = options.count;
  for (const auto& target : targets) rounds = std::max(rounds, target.probes);
  for (unsigned i = 1; i < rounds; ++i) {
    std::vector<std::size_t> silent;
    for (const std::size_t target : everybody) {
      if (!answered_all(results[target])) {
        if (i < options.count) silent.push_back(target);
      } else if (i < std::max(options.count, targets[target].probes)) {
        probe({target});
      }
    }
    if (!silent.empty()) probe(silent);
  }
}

}  // namespace

Result<std::vector<std::vector<ProbeResult>>> probe_targets(const std::vector<Target>& targets,
                                                            const ProbeOptions& options) {
  auto results = blank_results(targets);
  std::map<Family, IcmpSocket> icmp;
  for (const auto& target : targets) {
    const Family family = target.address.family();
    if (icmp.contains(family)) continue;
    ASSIGN_OR_RETURN(IcmpSocket socket, IcmpSocket::open(family));
    icmp.emplace(family, std::move(socket));
  }
  probe_in_rounds(targets, results, icmp, options);
  std::vector<MtuProbe> probes;
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (results[i][0].protocol == Protocol::kIcmp && results[i][0].answered > 0)
      probes.push_back({.target = targets[i].address, .index = i});
  measure_mtus(probes, icmp, options.timeout);
  for (const auto& probe : probes) {
    results[probe.index][0].mtu = probe.passed;
    results[probe.index][0].device_mtu = probe.device_mtu;
  }
  return results;
}

void send_burst(const IpAddress& target, Protocol protocol, unsigned burst, std::uint32_t size) {
  if (protocol == Protocol::kIcmp) {
    auto socket = IcmpSocket::open(target.family());
    for (unsigned i = 0; socket && i < burst; ++i)
      static_cast<void>(socket->send(target, static_cast<std::uint16_t>(i), size));
    return;
  }
  const bool tcp = protocol == Protocol::kTcp;
  const kernel::SocketAddress to(target, kResponderPort);
  for (unsigned i = 0; i < burst; ++i) {
    const Fd fd(::socket(kernel::socket_family(target),
                         (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(fd.get(), to.get(), to.size));
    if (!tcp) ::send(fd.get(), "weft", 4, MSG_NOSIGNAL);
  }
}

}  // namespace weft::matrix
