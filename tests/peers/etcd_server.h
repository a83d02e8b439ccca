// etcd_server.h: a real etcd for one test, on loopback and in a folder of its own.
//
// It can be stopped, killed and started again on the same port and data. Certificates are made
// with the openssl program: an authority, a server's for 127.0.0.1, a client's.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/json.h"
#include "store/etcd_client.h"
#include "support/eventually.h"
#include "support/server_process.h"
#include "support/temp_dir.h"

namespace weft::test {

/// A TCP socket at a free port of 127.0.0.1 that does not listen yet.
struct Bound {
  Fd socket;
  sockaddr_in address;
};
Bound bind_loopback();

/// A TCP port of 127.0.0.1 that nobody listened on a moment ago.
std::uint16_t free_port();

class EtcdServer {
 public:
  enum class Tls { kNone, kServer, kBoth };  ///< kBoth: clients must show a certificate

  /// Starts it and waits until it answers; a failure ends the test program.
  /// It listens at `listen_address` (without TLS; "0.0.0.0": for other namespaces too).
  explicit EtcdServer(Tls tls = Tls::kNone, std::vector<std::string> more_flags = {},
                      std::string listen_address = "127.0.0.1");
  EtcdServer(const EtcdServer&) = delete;
  EtcdServer& operator=(const EtcdServer&) = delete;
  ~EtcdServer() { stop(); }

  void start();
  /// With the same data at a port that nobody knows; stop() ends it as well. Until the next
  /// start() the calls below go there.
  void start_elsewhere();
  void stop();  ///< SIGTERM
  void kill();  ///< SIGKILL
  void lose_data();

  std::string endpoint() const;
  std::uint16_t port() const { return port_; }
  /// Options with which a client gets in.
  EtcdOptions options() const;
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  /// A call of the gateway that goes past the code under test; a refusal is a failure of the
  /// test.
  Json call(const std::string& path, const Json& body) const;
  void put(const std::string& key, const std::string& value, std::int64_t lease = 0) const;
  void erase(const std::string& key) const;
  /// Of a key that is there.
  std::string value_of(const std::string& key) const;
  std::int64_t lease_of(const std::string& key) const;
  /// Forgets the history up to now.
  void compact() const;
  /// Creates user root with password "secret" and switches authentication on.
  void enable_auth();

 private:
  void make_certificates();
  Json first_of(const std::string& key) const;
  void run();

  TempDir folder_;
  Tls tls_;
  std::vector<std::string> more_flags_;
  std::string listen_address_;
  std::uint16_t usual_port_;
  std::uint16_t port_;
  std::uint16_t peer_port_;
  bool auth_ = false;
  ServerProcess process_;  // last: it writes into the folder
};

}  // namespace weft::test
