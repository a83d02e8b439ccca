#include "kube_server.h"

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/process.h"
#include "base/text.h"
#include "support/certificates.h"
#include "support/eventually.h"
#include "support/go_peers.h"

namespace weft::test {
namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "kube_server: %s\n", why.c_str());
  std::abort();
}

constexpr char kAdminToken[] = "the-tests-own-token";

// Of flannel's Documentation/kube-flannel.yml.
constexpr char kClusterRole[] = R"({"kind":"ClusterRole",
  "apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"flannel"},"rules":[
  {"apiGroups":[""],"resources":["pods"],"verbs":["get"]},
  {"apiGroups":[""],"resources":["nodes"],"verbs":["get","list","watch"]},
  {"apiGroups":[""],"resources":["nodes/status"],"verbs":["patch"]}]})";
constexpr char kBinding[] = R"({"kind":"ClusterRoleBinding",
  "apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"flannel"},
  "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"flannel"},
  "subjects":[{"kind":"ServiceAccount","name":"flannel","namespace":"kube-flannel"}]})";
constexpr char kAccounts[] = "/api/v1/namespaces/kube-flannel/serviceaccounts";

Json json(const char* text) {
  return parse_json(text).value();
}

}  // namespace

std::string flannel_key(const std::string& suffix) {
  return "flannel.alpha.coreos.com/" + suffix;
}

Json vxlan_annotations(const std::string& public_ip, const std::string& vtep_mac) {
  return {{flannel_key("kube-subnet-manager"), "true"},
          {flannel_key("backend-type"), "vxlan"},
          {flannel_key("backend-data"), R"({"VNI":1,"VtepMAC":")" + vtep_mac + R"("})"},
          {flannel_key("public-ip"), public_ip}};
}

KubeServer::KubeServer(const std::string& address)
    : address_(address), usual_port_(free_port()), port_(usual_port_) {
  make_authority(folder_.path());
  make_certificate(folder_.path(), "server",
                   "IP:127.0.0.1" + (address.empty() ? "" : ",IP:" + address));
  const auto made = run_or_fail({.argv = {"openssl", "ecparam", "-name", "prime256v1", "-genkey",
                                          "-noout", "-out", file("accounts.key")}});
  if (!made) give_up(made.error().text());
  const std::string tokens = std::string(kAdminToken) + ",admin,admin,\"system:masters\"\n";
  if (!write_file_atomically(file("tokens"), tokens, 0600)) give_up("no file of tokens");
  start();
  make_service_account();
}

std::string KubeServer::url(const std::string& host) const {
  return "https://" + host + ":" + std::to_string(port_);
}

void KubeServer::start() {
  run(usual_port_);
}
void KubeServer::start_elsewhere() {
  run(free_port());
}
void KubeServer::kill() {
  process_.end(SIGKILL);
}

void KubeServer::run(std::uint16_t port) {
  port_ = port;
  const std::string log = file("log");
  const std::vector<std::string> argv{go_peer("kube-apiserver"),
                                      "--etcd-servers=" + etcd_.endpoint(),
                                      "--bind-address=0.0.0.0",
                                      "--advertise-address=127.0.0.1",
                                      "--endpoint-reconciler-type=none",
                                      "--secure-port=" + std::to_string(port),
                                      "--tls-cert-file=" + file("server.pem"),
                                      "--tls-private-key-file=" + file("server.key"),
                                      "--token-auth-file=" + file("tokens"),
                                      "--authorization-mode=RBAC",
                                      "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
                                      "--service-account-issuer=https://kubernetes.default.svc",
                                      "--service-account-key-file=" + file("accounts.key"),
                                      "--service-account-signing-key-file=" + file("accounts.key"),
                                      "--disable-admission-plugins=ServiceAccount",
                                      "--shutdown-send-retry-after=false",
                                      "--v=0"};
  if (!process_.start(argv, log)) give_up("kube-apiserver cannot be started");
  const KubeClient client = admin();
  const bool ready = eventually(
      [&] {
        return client.call({.path = "/readyz"}) &&
               client.call({.path = "/api/v1/namespaces/default"});
      },
      std::chrono::seconds(90));
  if (!ready)
    give_up("kube-apiserver is not ready: " + client.call({.path = "/readyz"}).error().text() +
            "\n" + read_file(log).value_or(""));
}

KubeClient KubeServer::admin() const {
  return KubeClient({.endpoint = *HttpEndpoint::parse(url(), 443),
                     .http = {.ca_file = file("ca.pem")},
                     .token = kAdminToken});
}

Json KubeServer::call(const std::string& method, const std::string& path, const Json& body,
                      const std::string& content_type) const {
  const auto answer = admin().call({.method = method,
                                    .path = path,
                                    .body = body.is_null() ? "" : to_text(body),
                                    .content_type = content_type});
  if (!answer) {
    ADD_FAILURE() << answer.error().text();
    return Json::object();
  }
  return parse_json(*answer).value_or(Json::object());
}

void KubeServer::make_service_account() {
  call("POST", "/api/v1/namespaces", {{"metadata", {{"name", "kube-flannel"}}}});
  call("POST", kAccounts, {{"metadata", {{"name", "flannel"}}}});
  const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
  call("POST", rbac + "clusterroles", json(kClusterRole));
  call("POST", rbac + "clusterrolebindings", json(kBinding));
  renew_token();
}

void KubeServer::renew_token() {
  const Json answer = call("POST", std::string(kAccounts) + "/flannel/token",
                           {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}});
  const std::string token = answer["status"].value("token", "");
  if (!write_file_atomically(token_file(), token, 0600)) give_up("no file for the token");
}

void KubeServer::revoke_tokens() {
  call("DELETE", std::string(kAccounts) + "/flannel");
  call("POST", kAccounts, {{"metadata", {{"name", "flannel"}}}});
}

KubeAccess KubeServer::access() const {
  return {.endpoint = *HttpEndpoint::parse(url(address_.empty() ? "127.0.0.1" : address_), 443),
          .http = {.ca_file = file("ca.pem")},
          .token_file = token_file()};
}

std::string KubeServer::kubeconfig() const {
  return write_kubeconfig("kubeconfig", {{"tokenFile", "token"}});
}

std::string KubeServer::admin_kubeconfig() const {
  return write_kubeconfig("admin.kubeconfig", {{"token", kAdminToken}});
}

std::string KubeServer::write_kubeconfig(const std::string& name, const Json& user) const {
  const Json config = {
      {"current-context", "test"},
      {"contexts",
       Json::array({{{"name", "test"}, {"context", {{"cluster", "c"}, {"user", "u"}}}}})},
      {"clusters", Json::array({{{"name", "c"},
                                 {"cluster",
                                  {{"server", access().endpoint.to_string()},
                                   {"certificate-authority", "ca.pem"}}}}})},
      {"users", Json::array({{{"name", "u"}, {"user", user}}})}};
  if (!write_file_atomically(file(name), to_text(config), 0600)) give_up("no kubeconfig");
  return file(name);
}

void KubeServer::create_node(const std::string& name, const std::string& pod_cidr,
                             const Json& annotations, const std::string& internal_ip) const {
  const std::vector<std::string> pod_cidrs = split(pod_cidr, ',');
  Json node = {{"metadata", {{"name", name}, {"annotations", annotations}}},
               {"spec", Json::object()}};
  if (!pod_cidr.empty()) node["spec"] = {{"podCIDR", pod_cidrs.front()}, {"podCIDRs", pod_cidrs}};
  if (!internal_ip.empty())
    node["status"] = {
        {"addresses", Json::array({{{"type", "InternalIP"}, {"address", internal_ip}}})}};
  call("POST", "/api/v1/nodes", node);
}

void KubeServer::create_peer(int number) const {
  const std::string n = std::to_string(number);
  create_node("node-" + n, "10.244." + n + ".0/24",
              vxlan_annotations("192.0.2." + n, "02:00:00:00:00:0" + n));
}

void KubeServer::delete_node(const std::string& name) const {
  call("DELETE", "/api/v1/nodes/" + name);
}

void KubeServer::annotate(const std::string& name, const Json& annotations) const {
  call("PATCH", "/api/v1/nodes/" + name, {{"metadata", {{"annotations", annotations}}}},
       "application/strategic-merge-patch+json");
}

std::string KubeServer::annotation(const std::string& name, const std::string& suffix) const {
  const Json metadata = node(name).value("metadata", Json::object());
  return metadata.value("annotations", Json::object()).value(flannel_key(suffix), "");
}

}  // namespace weft::test
