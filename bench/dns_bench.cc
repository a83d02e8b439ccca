// dns_bench: what bench/dns measures with: a server of cluster names, the same names as a zone file
// for another server, and a client that asks either.
//
//   dns_bench serve PORT SERVICES         until it is ended
//   dns_bench zone SERVICES               to standard output
//   dns_bench ask PORT SERVICES SECONDS udp|tcp|one
//                                         prints queries a second, and the median and the 99th
//                                         percentile of the time to an answer in microseconds
//   dns_bench objects SERVICES            the Services as manifests, to standard output
//   dns_bench first PORT COMMAND...       starts the server and prints the milliseconds until its
//                                         first answer; it is killed then
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "dns/server.h"
#include "dns/zone_builder.h"
#include "kernel/socket_address.h"
#include "support/dns_responder.h"

using namespace weft;
using namespace weft::dns;

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "dns_bench: %s\n", why.c_str());
  std::exit(1);
}

ServiceName service(unsigned index) {
  return {.ns = "namespace-" + std::to_string(index % 10), .name = "web-" + std::to_string(index)};
}
IpAddress cluster_ip(unsigned index) {
  return IpAddress::v4(0x0a600000U + index);
}

int serve(std::uint16_t port, unsigned services) {
  ZoneOptions options{.ttl = 30, .pods = PodRecords::kInsecure};
  for (const char* zone : {"cluster.local", "in-addr.arpa", "ip6.arpa"})
    options.zones.push_back(ServedZone::of(*Name::parse(zone)));
  ZoneBuilder builder(options);
  for (unsigned i = 0; i < services; ++i)
    builder.put(Service{.name = service(i),
                        .cluster_ips = {cluster_ip(i)},
                        .ports = {{.name = "http", .port = 80}}});
  builder.set_complete();
  const Published<ClusterZone> zones(builder.zone(1));
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);
  const auto server =
      Server::start({.addresses = {{.address = IpAddress::v4(INADDR_LOOPBACK), .port = port}}},
                    [&](Replies&) { return test::cluster_responder(zones); });
  if (!server) give_up(server.error().text());
  int signal = 0;
  sigwait(&end, &signal);
  return 0;
}

int print_zone(unsigned services) {
  std::printf(
      "$ORIGIN cluster.local.\n$TTL 30\n@ SOA ns.dns hostmaster 1 7200 1800 86400 30\n"
      "@ NS ns.dns\nns.dns A 10.96.0.10\n");
  for (unsigned i = 0; i < services; ++i)
    std::printf("%s.%s.svc A %s\n", service(i).name.c_str(), service(i).ns.c_str(),
                cluster_ip(i).to_string().c_str());
  return 0;
}

// Queries as stubs send them, of UDP or behind the length that TCP wants.
std::vector<std::string> make_queries(unsigned services, bool framed) {
  std::vector<std::string> queries;
  for (unsigned i = 0; i < services; ++i) {
    std::array<char, 512> room;
    MessageWriter writer(room, room.size());
    const ServiceName name = service(i);
    writer.ask(Name::parse(name.name + "." + name.ns + ".svc.cluster.local")->wire(),
               RecordType::kA, kUdpSize);
    const std::size_t size = writer.finish({.recursion_desired = true});
    std::string prefix(framed ? 2 : 0, '\0');
    if (framed) put_word(prefix.data(), static_cast<std::uint16_t>(size));
    queries.push_back(prefix + std::string(room.data(), size));
  }
  return queries;
}

// Sockets that each keep some queries on their way. Every answer brings the next query.
class Asker {
 public:
  Asker(std::uint16_t port, unsigned services, bool tcp, unsigned sockets, unsigned depth)
      : tcp_(tcp), queries_(make_queries(services, tcp)) {
    for (unsigned i = 0; i < sockets; ++i) {
      Fd fd(::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
      const kernel::SocketAddress to(IpAddress::v4(INADDR_LOOPBACK), port);
      if (::connect(fd.get(), to.get(), to.size) < 0) give_up("nobody answers at the port");
      polls_.push_back({.fd = fd.get(), .events = POLLIN, .revents = 0});
      sockets_.push_back({.fd = std::move(fd), .sent = std::vector<Clock::time_point>(depth)});
    }
  }

  void run(std::chrono::seconds time) {
    for (auto& socket : sockets_)
      for (std::uint16_t slot = 0; slot < socket.sent.size(); ++slot) ask(socket, slot);
    start_ = Clock::now();
    const auto end = start_ + time;
    while (Clock::now() < end) {
      if (::poll(polls_.data(), polls_.size(), 1000) <= 0) give_up("no answer for a second");
      for (std::size_t i = 0; i < polls_.size(); ++i)
        if (polls_[i].revents != 0) take_answers(sockets_[i]);
    }
  }

  void print() {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    std::sort(times_.begin(), times_.end());
    const auto at = [&](double part) {
      return times_[static_cast<std::size_t>(part * static_cast<double>(times_.size() - 1))];
    };
    std::printf("%.0f %.1f %.1f\n", static_cast<double>(times_.size()) / seconds, at(0.5),
                at(0.99));
  }

 private:
  struct Socket {
    Fd fd;
    std::vector<Clock::time_point> sent;  // by slot, which is the query's id
    std::string stream = {};              // TCP: what has come
  };

  void ask(Socket& socket, std::uint16_t slot) {
    std::string& query = queries_[next_++ % queries_.size()];
    put_word(query.data() + (tcp_ ? 2 : 0), slot);
    socket.sent[slot] = Clock::now();
    if (::send(socket.fd.get(), query.data(), query.size(), 0) < 0) give_up("cannot send");
  }

  void take_answers(Socket& socket) {
    for (;;) {
      std::array<char, 65536> bytes;
      const ssize_t size = ::recv(socket.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size < 0) return;
      const std::string_view read(bytes.data(), static_cast<std::size_t>(size));
      if (!tcp_) {
        take(socket, read);
        continue;
      }
      socket.stream += read;
      std::string_view left = socket.stream;
      while (left.size() >= 2 && left.size() - 2 >= word_at(left, 0)) {
        const std::size_t length = word_at(left, 0);
        take(socket, left.substr(2, length));
        left.remove_prefix(2 + length);
      }
      socket.stream = left;
    }
  }

  void take(Socket& socket, std::string_view answer) {
    const Header header = Header::read(answer);
    if (header.rcode != Rcode::kNoError || header.answers != 1) give_up("a wrong answer");
    const auto time = Clock::now() - socket.sent[header.id];
    times_.push_back(std::chrono::duration<float, std::micro>(time).count());
    ask(socket, header.id);
  }

  bool tcp_;
  std::vector<std::string> queries_;
  std::vector<Socket> sockets_;
  std::vector<pollfd> polls_;
  std::vector<float> times_;
  std::size_t next_ = 0;
  Clock::time_point start_;
};

int ask(std::uint16_t port, unsigned services, unsigned seconds, const std::string& how) {
  const bool one = how == "one";
  const bool tcp = how == "tcp";
  Asker asker(port, services, tcp, one ? 1 : 8, one ? 1 : (tcp ? 32 : 4));
  asker.run(std::chrono::seconds(seconds));
  asker.print();
  return 0;
}

int print_objects(unsigned services) {
  for (unsigned i = 0; i < services; ++i)
    std::printf(
        "---\nkind: Service\nmetadata: {name: %s, namespace: %s}\n"
        "spec: {clusterIP: %s, ports: [{name: http, protocol: TCP, port: 80}]}\n",
        service(i).name.c_str(), service(i).ns.c_str(), cluster_ip(i).to_string().c_str());
  return 0;
}

// Whether the server has answered within a millisecond, which is waited for: the server shall have
// the core.
bool answers(std::uint16_t port, const std::string& query) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const kernel::SocketAddress to(IpAddress::v4(INADDR_LOOPBACK), port);
  if (::connect(fd.get(), to.get(), to.size) < 0 ||
      ::send(fd.get(), query.data(), query.size(), 0) < 0)
    return false;
  pollfd wait{.fd = fd.get(), .events = POLLIN, .revents = 0};
  std::array<char, 2048> answer;
  if (::poll(&wait, 1, 1) <= 0) return false;
  const ssize_t size = ::recv(fd.get(), answer.data(), answer.size(), 0);
  if (size < static_cast<ssize_t>(kHeaderSize)) return false;
  const Header header = Header::read({answer.data(), static_cast<std::size_t>(size)});
  return header.rcode == Rcode::kNoError && header.answers == 1;
}

int first(std::uint16_t port, std::vector<std::string> command) {
  constexpr std::chrono::seconds kPatience{10};
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  const std::string query = make_queries(1, false).front();
  const auto begun = Clock::now();
  pid_t server = 0;
  if (::posix_spawnp(&server, words[0], nullptr, nullptr, words.data(), ::environ) != 0)
    give_up("cannot start " + command[0]);
  bool answered = false;
  while (!answered && Clock::now() - begun < kPatience) answered = answers(port, query);
  const double time = std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  if (!answered) give_up("no answer for ten seconds");
  std::printf("%.1f\n", time);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  const auto number = [&](std::size_t index) {
    return static_cast<unsigned>(std::strtoul(words[index].c_str(), nullptr, 10));
  };
  if (words.size() == 3 && words[0] == "serve")
    return serve(static_cast<std::uint16_t>(number(1)), number(2));
  if (words.size() == 2 && words[0] == "zone") return print_zone(number(1));
  if (words.size() == 2 && words[0] == "objects") return print_objects(number(1));
  if (words.size() >= 3 && words[0] == "first")
    return first(static_cast<std::uint16_t>(number(1)), {words.begin() + 2, words.end()});
  if (words.size() == 5 && words[0] == "ask")
    return ask(static_cast<std::uint16_t>(number(1)), number(2), number(3), words[4]);
  give_up(
      "usage: serve PORT SERVICES | zone SERVICES | ask PORT SERVICES SECONDS udp|tcp|one | "
      "objects SERVICES | first PORT COMMAND...");
}
