#include "store/kube_access.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace weft {
namespace {

std::string config(const std::string& cluster, const std::string& user) {
  return "current-context: b\ncontexts:\n- name: a\n  context: {cluster: x, user: x}\n"
         "- name: b\n  context: {cluster: c, user: u}\n"
         "clusters:\n- name: c\n  cluster: {" +
         cluster + "}\nusers:\n- name: u\n  user: {" + user + "}\n";
}

TEST(Kubeconfig, TheCurrentContextDecides) {
  const auto access = parse_kubeconfig(
      config(
          "server: \"https://10.0.0.1:6443/k8s/c-1/\", "
          "certificate-authority: pki/ca.pem, tls-server-name: api, "
          "proxy-url: \"http://me:secret@10.0.0.9:3128\"",
          "tokenFile: /run/token, client-certificate: c.pem, client-key-data: " + to_base64("PEM")),
      "/etc/kube");
  ASSERT_TRUE(access) << access.error().text();
  EXPECT_EQ(access->endpoint.to_string(), "https://10.0.0.1:6443");
  EXPECT_EQ(access->path, "/k8s/c-1");
  EXPECT_EQ(access->http.ca_file, "/etc/kube/pki/ca.pem");
  EXPECT_EQ(access->http.server_name, "api");
  EXPECT_FALSE(access->http.any_certificate);
  ASSERT_TRUE(access->http.proxy);
  EXPECT_EQ(access->http.proxy->endpoint.to_string(), "http://10.0.0.9:3128");
  EXPECT_EQ(access->http.proxy->credentials, "me:secret");
  EXPECT_EQ(access->token_file, "/run/token");
  EXPECT_EQ(access->http.certificate_file, "/etc/kube/c.pem");
  EXPECT_EQ(access->http.key_pem, "PEM");
  EXPECT_EQ(access->describe().find("secret"), std::string::npos);
}

TEST(Kubeconfig, DataGoesBeforeFilesAndJsonIsYaml) {
  const auto access = parse_kubeconfig(
      R"({"current-context":"x","contexts":[{"name":"x","context":{"cluster":"x","user":"x"}}],
          "clusters":[{"name":"x","cluster":{"server":"https://[fd00::1]:6443",
          "certificate-authority":"ca.pem","certificate-authority-data":")" +
          to_base64("CA") + R"(","insecure-skip-tls-verify":true}}],
          "users":[{"name":"x","user":{"username":"me","password":"secret"}}]})",
      "/f");
  ASSERT_TRUE(access) << access.error().text();
  EXPECT_EQ(access->http.ca_pem, "CA");
  EXPECT_EQ(access->http.ca_file, "");
  EXPECT_TRUE(access->http.any_certificate);
  EXPECT_EQ(access->username, "me");
  EXPECT_EQ(access->password, "secret");
}

struct Refusal {
  std::string text;
  const char* because;
};

TEST(Kubeconfig, WhatCannotBeDoneIsRefusedByName) {
  const std::string server = "server: \"https://10.0.0.1\"";
  for (const auto& [text, because] : std::vector<Refusal>{
           {"", "not one object"},
           {"[]", "not one object"},
           {"a: 1", "no current-context"},
           {"current-context: x", "no context \"x\""},
           {config("server: \"ftp://x\"", ""), "is no address"},
           {config("x: y", ""), "is no address"},
           {config(server + ", proxy-url: \"socks5://me:secret@h\"", ""), "proxy-url"},
           {config(server + ", certificate-authority-data: \"%\"", ""), "no base64"},
           {config(server, "exec: {command: aws}"), "\"exec\""},
           {config(server, "auth-provider: {name: gcp}"), "\"auth-provider\""},
           {config(server, "token: [1]"), "token"}}) {
    const auto access = parse_kubeconfig(text, "/f");
    ASSERT_FALSE(access) << text;
    EXPECT_NE(access.error().text().find(because), std::string::npos) << access.error().text();
    EXPECT_EQ(access.error().text().find("secret"), std::string::npos);
  }
}

TEST(InClusterAccess, IsTheServiceAccounts) {
  const auto environment = [](const std::string& host) {
    return [host](const char* name) -> std::optional<std::string> {
      if (std::string(name) == "KUBERNETES_SERVICE_HOST") return host;
      return "443";
    };
  };
  const auto access = in_cluster_access(environment("fd00::1"), "/sa");
  ASSERT_TRUE(access) << access.error().text();
  EXPECT_EQ(access->endpoint.to_string(), "https://[fd00::1]:443");
  EXPECT_EQ(access->token_file, "/sa/token");
  EXPECT_EQ(access->http.ca_file, "/sa/ca.crt");
  EXPECT_EQ(in_cluster_access(environment("10.96.0.1"))->endpoint.to_string(),
            "https://10.96.0.1:443");
  const auto outside = find_kube_access({}, [](const char*) { return std::nullopt; });
  ASSERT_FALSE(outside);
  EXPECT_NE(outside.error().text().find("--kubeconfig-file"), std::string::npos);
}

TEST(KubeAccess, TheUrlOfTheFlagIsEnough) {
  const auto access = find_kube_access({.api_url = "http://127.0.0.1:8080", .kubeconfig = ""},
                                       [](const char*) { return std::nullopt; });
  ASSERT_TRUE(access);
  EXPECT_EQ(access->describe(), "Kubernetes API at http://127.0.0.1:8080");
}

}  // namespace
}  // namespace weft
