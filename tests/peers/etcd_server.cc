#include "etcd_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/files.h"
#include "support/certificates.h"

namespace weft::test {
namespace {

// The fixture is broken, and no assertion of the test would say so as well as this.
[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "etcd_server: %s\n", why.c_str());
  std::abort();
}

}  // namespace

Bound bind_loopback() {
  Bound bound{.socket = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), .address = {}};
  bound.address.sin_family = AF_INET;
  bound.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof bound.address;
  auto* generic = reinterpret_cast<sockaddr*>(&bound.address);
  if (::bind(bound.socket.get(), generic, size) != 0 ||
      ::getsockname(bound.socket.get(), generic, &size) != 0)
    give_up("no free port");
  return bound;
}

std::uint16_t free_port() {
  return ntohs(bind_loopback().address.sin_port);
}

EtcdServer::EtcdServer(Tls tls, std::vector<std::string> more_flags, std::string listen_address)
    : tls_(tls),
      more_flags_(std::move(more_flags)),
      listen_address_(std::move(listen_address)),
      usual_port_(free_port()),
      port_(usual_port_),
      peer_port_(free_port()) {
  if (tls_ != Tls::kNone) make_certificates();
  start();
}

void EtcdServer::make_certificates() {
  make_authority(folder_.path());
  for (const char* name : {"server", "client"})
    make_certificate(folder_.path(), name, "IP:127.0.0.1");
}

std::string EtcdServer::endpoint() const {
  return (tls_ == Tls::kNone ? "http://127.0.0.1:" : "https://127.0.0.1:") + std::to_string(port_);
}

EtcdOptions EtcdServer::options() const {
  EtcdOptions options;
  options.endpoints = {endpoint()};
  if (tls_ != Tls::kNone) options.ca_file = file("ca.pem");
  if (tls_ == Tls::kBoth) {
    options.certificate_file = file("client.pem");
    options.key_file = file("client.key");
  }
  if (auth_) {
    options.username = "root";
    options.password = "secret";
  }
  return options;
}

void EtcdServer::start() {
  port_ = usual_port_;
  run();
}

void EtcdServer::start_elsewhere() {
  port_ = free_port();
  run();
}

void EtcdServer::lose_data() {
  EXPECT_TRUE(remove_tree(file("data")));
}

void EtcdServer::run() {
  const std::string peer = "http://127.0.0.1:" + std::to_string(peer_port_);
  const std::string listen =
      tls_ == Tls::kNone ? "http://" + listen_address_ + ":" + std::to_string(port_) : endpoint();
  std::vector<std::string> argv{"etcd",
                                "--data-dir",
                                file("data"),
                                "--listen-client-urls",
                                listen,
                                "--advertise-client-urls",
                                endpoint(),
                                "--listen-peer-urls",
                                peer,
                                "--initial-advertise-peer-urls",
                                peer,
                                "--initial-cluster",
                                "default=" + peer,
                                "--log-level",
                                "error"};
  if (tls_ != Tls::kNone)
    argv.insert(argv.end(), {"--cert-file", file("server.pem"), "--key-file", file("server.key")});
  if (tls_ == Tls::kBoth)
    argv.insert(argv.end(), {"--client-cert-auth", "--trusted-ca-file", file("ca.pem")});
  argv.insert(argv.end(), more_flags_.begin(), more_flags_.end());

  const std::string log = file("log");
  if (!process_.start(argv, log)) give_up("etcd cannot be started: install etcd-server");

  const auto client = EtcdClient::open(options());
  if (!client) give_up(client.error().text());
  if (!eventually([&] { return (*client)->range({.key = "ready?"}).has_value(); }))
    give_up("etcd does not answer: " + (*client)->range({.key = "ready?"}).error().text() + "\n" +
            read_file(log).value_or(""));
}

void EtcdServer::stop() {
  process_.end(SIGTERM);
}
void EtcdServer::kill() {
  process_.end(SIGKILL);
}

Json EtcdServer::call(const std::string& path, const Json& body) const {
  HttpRequest post{.path = path, .body = to_text(body)};
  if (auth_ && path != "/v3/auth/authenticate") {
    const Json login{{"name", "root"}, {"password", "secret"}};
    post.headers.emplace_back("Authorization",
                              call("/v3/auth/authenticate", login).value("token", ""));
  }
  const EtcdOptions access = options();
  const auto answer = http_call(*HttpEndpoint::parse(endpoint(), 0),
                                {.ca_file = access.ca_file,
                                 .certificate_file = access.certificate_file,
                                 .key_file = access.key_file},
                                post, {});
  if (!answer || answer->status != 200) {
    ADD_FAILURE() << path << ": " << (answer ? answer->body : answer.error().text());
    return Json::object();
  }
  return parse_json(answer->body).value_or(Json::object());
}

void EtcdServer::put(const std::string& key, const std::string& value, std::int64_t lease) const {
  call(
      "/v3/kv/put",
      Json{{"key", to_base64(key)}, {"value", to_base64(value)}, {"lease", std::to_string(lease)}});
}

void EtcdServer::erase(const std::string& key) const {
  Json body;
  body["key"] = to_base64(key);
  call("/v3/kv/deleterange", body);
}

Json EtcdServer::first_of(const std::string& key) const {
  Json body;
  body["key"] = to_base64(key);
  const Json answer = call("/v3/kv/range", body);
  if (const Json* kvs = find_member(answer, "kvs"); kvs != nullptr && !kvs->empty())
    return kvs->front();
  ADD_FAILURE() << key << " is not there";
  return Json::object();
}

std::string EtcdServer::value_of(const std::string& key) const {
  return from_base64(first_of(key).value("value", "")).value_or("no base64");
}

std::int64_t EtcdServer::lease_of(const std::string& key) const {
  return std::stoll(first_of(key).value("lease", "0"));
}

void EtcdServer::compact() const {
  Json body;
  body["key"] = to_base64("any");
  const Json answer = call("/v3/kv/range", body);
  Json compaction;
  compaction["revision"] = answer["header"]["revision"];
  call("/v3/kv/compaction", compaction);
}

void EtcdServer::enable_auth() {
  call("/v3/auth/user/add", Json{{"name", "root"}, {"password", "secret"}});
  Json role;
  role["name"] = "root";
  call("/v3/auth/role/add", role);
  call("/v3/auth/user/grant", Json{{"user", "root"}, {"role", "root"}});
  call("/v3/auth/enable", Json::object());
  auth_ = true;
}

}  // namespace weft::test
