#include "matrix/dns_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/fd.h"
#include "kernel/socket_address.h"

namespace weft::matrix {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint16_t kDnsPort = 53;

// One question under way.
struct Flight {
  Asked asked = {};
  std::string query = {};
  std::uint16_t id = 0;
  Fd socket = {};
  bool over_tcp = false;
  std::string received = {};
  bool is_over = false;
};

Asked failed(Asked asked, const std::string& why) {
  asked.failure = why;
  return asked;
}

void end(Flight& flight, const std::string& failure) {
  flight.asked.failure = failure;
  flight.is_over = true;
}

std::string address_text(const Flight& flight) {
  return flight.asked.server.to_string();
}

// Opens the socket, which is connected, so that an ICMP error is heard of.
void launch(Flight& flight) {
  flight.socket =
      Fd(::socket(kernel::socket_family(flight.asked.server),
                  (flight.over_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const kernel::SocketAddress to(flight.asked.server, kDnsPort);
  if (::connect(flight.socket.get(), to.get(), to.size) != 0 && errno != EINPROGRESS)
    return end(flight, std::string(std::strerror(errno)) + ": " + address_text(flight));
  if (flight.over_tcp) return;
  if (::send(flight.socket.get(), flight.query.data(), flight.query.size(), MSG_NOSIGNAL) < 0)
    end(flight, std::string(std::strerror(errno)) + ": " + address_text(flight));
}

// The whole message, without TCP's length; empty as long as it is not there.
std::string_view message_of(const Flight& flight) {
  const std::string_view bytes = flight.received;
  if (!flight.over_tcp) return bytes;
  if (bytes.size() < 2) return {};
  const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]) << 8U |
                                             static_cast<unsigned char>(bytes[1]));
  return bytes.size() < size + 2 ? std::string_view() : bytes.substr(2, size);
}

void take(Flight& flight) {
  std::array<char, 65'536> room;
  const ssize_t got = ::recv(flight.socket.get(), room.data(), room.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
  if (got < 0 || (got == 0 && flight.over_tcp))
    return end(flight, std::string(got == 0 ? "the connection ended" : std::strerror(errno)) +
                           ": " + address_text(flight));
  if (!flight.over_tcp) flight.received.clear();
  flight.received.append(room.data(), static_cast<std::size_t>(got));
  const auto answer = parse_dns_answer(message_of(flight));
  if (!answer || answer->id != flight.id) return;
  flight.asked.answer = answer;
  flight.is_over = true;
}

void write_over_tcp(Flight& flight) {
  std::string framed = {static_cast<char>(flight.query.size() >> 8U),
                        static_cast<char>(flight.query.size() & 0xffU)};
  framed += flight.query;
  if (::send(flight.socket.get(), framed.data(), framed.size(), MSG_NOSIGNAL) < 0)
    return end(flight, std::string(std::strerror(errno)) + ": TCP to " + address_text(flight));
  flight.query.clear();
}

bool wants_to_write(const Flight& flight) {
  return flight.over_tcp && !flight.query.empty();
}

// One round of waiting; false when nothing came until the deadline.
bool wait(std::vector<Flight>& flights, Clock::time_point deadline) {
  std::vector<pollfd> polled;
  for (const Flight& flight : flights)
    polled.push_back({flight.is_over ? -1 : flight.socket.get(),
                      static_cast<short>(wants_to_write(flight) ? POLLOUT : POLLIN), 0});
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
  if (left.count() < 0) return false;
  if (::poll(polled.data(), polled.size(), static_cast<int>(left.count()) + 1) <= 0) return true;
  for (std::size_t i = 0; i < flights.size(); ++i) {
    if (polled[i].revents == 0) continue;
    if (wants_to_write(flights[i]))
      write_over_tcp(flights[i]);
    else
      take(flights[i]);
  }
  return true;
}

void fly(std::vector<Flight>& flights, milliseconds timeout) {
  const auto start = Clock::now();
  for (Flight& flight : flights) launch(flight);
  const auto is_flying = [&] {
    bool any = false;
    for (Flight& flight : flights) {
      if (flight.is_over && flight.asked.took.count() == 0)
        flight.asked.took =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
      any = any || !flight.is_over;
    }
    return any;
  };
  while (is_flying() && wait(flights, start + timeout)) {
  }
  for (Flight& flight : flights)
    if (!flight.is_over) {
      end(flight, "no answer from " + address_text(flight));
      flight.asked.took = std::chrono::duration_cast<std::chrono::microseconds>(timeout);
    }
}

}  // namespace

std::vector<Asked> ask_server(const std::string& name, const IpAddress& server,
                              milliseconds timeout) {
  std::random_device random;
  const auto flight_for = [&](Family family, bool over_tcp) {
    const auto id = static_cast<std::uint16_t>(random());
    return Flight{.asked = {.family = family, .server = server},
                  .query = dns_query(name, family, id, AskSource::kYes),
                  .id = id,
                  .over_tcp = over_tcp};
  };
  std::vector<Flight> flights;
  std::vector<Asked> results;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Flight flight = flight_for(family, false);
    if (flight.query.empty()) return {failed(flight.asked, "this cannot be asked: " + name)};
    flights.push_back(std::move(flight));
  }
  fly(flights, timeout);
  std::vector<Flight> again;
  for (const Flight& flight : flights)
    if (flight.asked.answer && flight.asked.answer->truncated)
      again.push_back(flight_for(flight.asked.family, true));
  fly(again, timeout);
  for (const Flight& flight : flights) {
    const Asked* last = &flight.asked;
    for (const Flight& second : again)
      if (second.asked.family == flight.asked.family) last = &second.asked;
    results.push_back(*last);
  }
  return results;
}

}  // namespace weft::matrix
