// kube_server.h: a real kube-apiserver on a real etcd, for one test.
//
// Both run in the calling thread's network namespace. RBAC is that of flannel's manifest:
// ClusterRole flannel, bound to the service account kube-flannel/flannel, whose tokens are real
// ones (TokenRequest). The test itself is system:masters.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "etcd_server.h"
#include "store/kube_client.h"
#include "support/server_process.h"
#include "support/temp_dir.h"

namespace weft::test {

class KubeServer {
 public:
  /// Starts it and waits until it is ready; a failure ends the test program. `address` is one
  /// more at which it answers, beside 127.0.0.1.
  explicit KubeServer(const std::string& address = "");
  KubeServer(const KubeServer&) = delete;
  KubeServer& operator=(const KubeServer&) = delete;

  /// At the same port with the same data.
  void start();
  /// At a port that nobody knows: until the next start() the calls below go there.
  void start_elsewhere();
  void kill();  ///< SIGKILL: in good order it would wait a minute for its watchers

  EtcdServer& etcd() { return etcd_; }
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string url(const std::string& host = "127.0.0.1") const;

  /// As flannel's service account, with the token in token_file().
  KubeAccess access() const;
  std::string token_file() const { return file("token"); }
  /// A kubeconfig for the same.
  std::string kubeconfig() const;
  /// One for system:masters.
  std::string admin_kubeconfig() const;
  /// Writes a fresh token there.
  void renew_token();
  /// Makes every token given out so far void.
  void revoke_tokens();

  /// A call as system:masters; a refusal is a failure of the test.
  Json call(const std::string& method, const std::string& path, const Json& body = nullptr,
            const std::string& content_type = "application/json") const;
  Json node(const std::string& name) const { return call("GET", "/api/v1/nodes/" + name); }
  /// `pod_cidr` may be empty, or two with a comma between them.
  void create_node(const std::string& name, const std::string& pod_cidr,
                   const Json& annotations = Json::object(),
                   const std::string& internal_ip = "") const;
  /// A peer as flannel's vxlan writes it: node-N with 10.244.N.0/24 at 192.0.2.N.
  void create_peer(int number) const;
  void delete_node(const std::string& name) const;
  void annotate(const std::string& name, const Json& annotations) const;
  /// An annotation of flannel's prefix; empty when absent.
  std::string annotation(const std::string& name, const std::string& suffix) const;

 private:
  KubeClient admin() const;
  void run(std::uint16_t port);
  std::string write_kubeconfig(const std::string& name, const Json& user) const;
  void make_service_account();

  TempDir folder_;
  EtcdServer etcd_;
  std::string address_;
  std::uint16_t usual_port_;
  std::uint16_t port_;
  ServerProcess process_;
};

/// "flannel.alpha.coreos.com/SUFFIX"
std::string flannel_key(const std::string& suffix);
/// The annotations of a flannel node with vxlan.
Json vxlan_annotations(const std::string& public_ip, const std::string& vtep_mac);

}  // namespace weft::test
