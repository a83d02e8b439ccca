// TLS with an authority alone and with client certificates; users and passwords.
#include <gtest/gtest.h>

#include "peers/etcd_server.h"
#include "store/etcd_store.h"
#include "support/leases.h"

namespace weft {
namespace {

using namespace test;  // NOLINT: the words of the tests
using std::chrono::seconds;

const LeaseKey kKey = key("10.3.1.0-24");

// What a node does: write, read, follow.
void expect_usable(const EtcdOptions& options) {
  const auto store = *EtcdStore::open(options);
  const auto lease = store->create(kKey, attributes("1.2.3.4"), seconds(60));
  ASSERT_TRUE(lease) << lease.error().text();
  ASSERT_TRUE(*lease);
  const auto watch = store->watch([] {});
  EXPECT_TRUE(is_current(*watch)) << words(watch->health());
  ASSERT_TRUE(*store->remove(**lease));
  EXPECT_TRUE(eventually([&] { return watch->view()->leases.empty(); }));
}

std::string trouble(const EtcdOptions& options) {
  const auto view = (*EtcdStore::open(options))->list();
  return view ? "" : view.error().text();
}

// flannel ignores the authority unless it has a client certificate too.
TEST(EtcdTlsTest, AuthorityAloneIsEnough) {
  const EtcdServer server(EtcdServer::Tls::kServer);
  expect_usable(server.options());
}

TEST(EtcdTlsTest, StrangeAuthorityIsRefused) {
  const EtcdServer server(EtcdServer::Tls::kServer);
  EtcdOptions options = server.options();
  options.ca_file.clear();
  EXPECT_NE(trouble(options).find("certificate"), std::string::npos) << trouble(options);
  options.ca_file = server.file("no-such.pem");
  EXPECT_NE(trouble(options).find("no-such.pem"), std::string::npos) << trouble(options);
}

TEST(EtcdTlsTest, CertificateOfAnotherHostIsRefused) {
  const EtcdServer server(EtcdServer::Tls::kServer);
  EtcdOptions options = server.options();
  // The same server by a name that its certificate does not bear.
  options.endpoints[0].replace(options.endpoints[0].find("127.0.0.1"), 9, "localhost");
  options.connect_timeout = seconds(2);
  EXPECT_NE(trouble(options).find("another host"), std::string::npos) << trouble(options);
}

TEST(EtcdTlsTest, ClientCertificate) {
  const EtcdServer server(EtcdServer::Tls::kBoth);
  expect_usable(server.options());
  EtcdOptions options = server.options();
  options.certificate_file.clear();
  options.key_file.clear();
  EXPECT_NE(trouble(options).find(server.endpoint()), std::string::npos) << trouble(options);
  options = server.options();
  options.key_file = server.file("server.key");
  EXPECT_NE(trouble(options).find("server.key"), std::string::npos) << trouble(options);
}

TEST(EtcdTlsTest, PlainClientOfATlsServer) {
  const EtcdServer server(EtcdServer::Tls::kServer);
  EtcdOptions options;
  options.endpoints = {"http" + server.endpoint().substr(5)};
  EXPECT_NE(trouble(options).find(options.endpoints[0]), std::string::npos) << trouble(options);
}

TEST(EtcdAuthTest, UserAndPassword) {
  EtcdServer server;
  server.enable_auth();
  expect_usable(server.options());
}

TEST(EtcdAuthTest, WrongPasswordIsNotRepeated) {
  EtcdServer server;
  server.enable_auth();
  EtcdOptions options = server.options();
  options.password = "correct-horse";
  EXPECT_NE(trouble(options).find("logging in to etcd as root"), std::string::npos)
      << trouble(options);
  EXPECT_EQ(trouble(options).find("correct-horse"), std::string::npos);
  options.username.clear();
  EXPECT_NE(trouble(options).find("user name is empty"), std::string::npos) << trouble(options);
}

// Simple tokens are forgotten by a member that restarts, and run out after --auth-token-ttl.
TEST(EtcdAuthTest, RefusedTokenIsReplaced) {
  EtcdServer server(EtcdServer::Tls::kNone, {"--auth-token-ttl", "1"});
  server.enable_auth();
  const auto store = *EtcdStore::open(server.options());
  const auto watched = *EtcdStore::open(server.options());
  ASSERT_TRUE(store->list());
  const auto watch = watched->watch([] {});
  ASSERT_TRUE(is_current(*watch));
  server.kill();
  server.start();
  EXPECT_TRUE(store->list()) << store->list().error().text();
  ASSERT_TRUE(*store->create(kKey, attributes("1.2.3.4"), seconds(60)));
  EXPECT_TRUE(eventually([&] { return watch->view()->leases.contains(kKey); }))
      << words(watch->health());
}

}  // namespace
}  // namespace weft
