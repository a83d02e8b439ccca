#include "store/kube_access.h"

#include "base/base64.h"
#include "base/files.h"
#include "base/json.h"
#include "base/yaml.h"

namespace weft {
namespace {

// "https://host:6443/some/path" in its two parts. As in client-go, a host alone means http.
Status set_server(const std::string& url, KubeAccess& access) {
  const auto scheme = url.find("://");
  const auto host = scheme == std::string::npos ? 0 : scheme + 3;
  const auto slash = url.find('/', host);
  const bool tls = url.starts_with("https://");
  const auto endpoint = HttpEndpoint::parse(url.substr(0, slash), tls ? 443 : 80);
  if (!endpoint)
    return fail("the API server \"" + url.substr(0, 100) + "\" is no address",
                "write it like https://10.0.0.1:6443");
  access.endpoint = *endpoint;
  access.path = slash == std::string::npos ? "" : url.substr(slash);
  while (access.path.ends_with('/')) access.path.pop_back();
  return {};
}

// The entry of a list of {"name": ..., KIND: {...}} that has this name.
Result<const Json*> find_named(const Json& config, const char* list, const char* kind,
                               const std::string& name) {
  ObjectReader reader(config, "the kubeconfig");
  if (const Json* entries = reader.array(list))
    for (const auto& entry : *entries) {
      if (!entry.is_object()) continue;
      const Json* entry_name = find_member(entry, "name");
      const Json* value = find_member(entry, kind);
      if (entry_name != nullptr && *entry_name == name && value != nullptr && value->is_object())
        return value;
    }
  RETURN_IF_ERROR(reader.finish());
  return fail("the kubeconfig has no " + std::string(kind) + " \"" + name + "\"");
}

std::string in_folder(const std::string& folder, const std::string& file) {
  return file.empty() || file.starts_with('/') ? file : folder + "/" + file;
}

// The member NAME-data goes before the file that the member NAME names.
Status read_file_or_data(ObjectReader& reader, const std::string& name, const std::string& folder,
                         std::string& file, std::string& text) {
  std::string data;
  reader.read(name, file);
  reader.read(name + "-data", data);
  file = in_folder(folder, file);
  if (data.empty()) return {};
  const auto decoded = from_base64(data);
  if (!decoded) return fail("the kubeconfig's " + name + "-data is no base64");
  text = *decoded;
  file.clear();
  return {};
}

Status set_proxy(const std::string& url, KubeAccess& access) {
  std::string plain = url;
  HttpProxy proxy;
  if (const auto at = plain.rfind('@'); at != std::string::npos) {
    const auto begin = plain.find("://");
    const auto from = begin == std::string::npos ? 0 : begin + 3;
    proxy.credentials = plain.substr(from, at - from);
    plain.erase(from, at + 1 - from);
  }
  const auto endpoint = HttpEndpoint::parse(plain, 80);
  // The URL may hold a password, so it is not repeated.
  if (!endpoint || endpoint->tls)
    return fail("the kubeconfig's proxy-url is none of an HTTP proxy",
                "write it like http://proxy.example:3128; https and socks5 are not spoken");
  proxy.endpoint = *endpoint;
  access.http.proxy = std::move(proxy);
  return {};
}

Status read_cluster(const Json& cluster, const std::string& folder, KubeAccess& access) {
  ObjectReader reader(cluster, "the kubeconfig's cluster");
  std::string server;
  std::string proxy;
  reader.read("server", server);
  reader.read("tls-server-name", access.http.server_name);
  reader.read("insecure-skip-tls-verify", access.http.any_certificate);
  reader.read("proxy-url", proxy);
  RETURN_IF_ERROR(read_file_or_data(reader, "certificate-authority", folder, access.http.ca_file,
                                    access.http.ca_pem));
  RETURN_IF_ERROR(reader.finish());
  if (!proxy.empty()) RETURN_IF_ERROR(set_proxy(proxy, access));
  return set_server(server, access);
}

Status read_user(const Json& user, const std::string& folder, KubeAccess& access) {
  ObjectReader reader(user, "the kubeconfig's user");
  for (const char* plugin : {"exec", "auth-provider", "as"})
    if (reader.find(plugin) != nullptr)
      return fail("the kubeconfig's user is of the kind \"" + std::string(plugin) +
                      "\", which is not supported",
                  "give it a token, a token file or a client certificate");
  RETURN_IF_ERROR(read_file_or_data(reader, "client-certificate", folder,
                                    access.http.certificate_file, access.http.certificate_pem));
  RETURN_IF_ERROR(
      read_file_or_data(reader, "client-key", folder, access.http.key_file, access.http.key_pem));
  reader.read("token", access.token);
  reader.read("tokenFile", access.token_file);
  reader.read("username", access.username);
  reader.read("password", access.password);
  access.token_file = in_folder(folder, access.token_file);
  return reader.finish();
}

}  // namespace

std::string KubeAccess::describe() const {
  return "Kubernetes API at " + endpoint.to_string() + path;
}

Result<KubeAccess> parse_kubeconfig(std::string_view text, const std::string& folder) {
  ASSIGN_OR_RETURN(const auto documents, parse_yaml(text));
  if (documents.size() != 1 || !documents.front().is_object())
    return fail("it is no kubeconfig: not one object");
  const Json& config = documents.front();
  std::string current;
  ObjectReader reader(config, "the kubeconfig");
  reader.read("current-context", current);
  RETURN_IF_ERROR(reader.finish());
  if (current.empty())
    return fail("the kubeconfig has no current-context",
                "choose one: kubectl config use-context NAME");
  ASSIGN_OR_RETURN(const Json* context, find_named(config, "contexts", "context", current));
  std::string cluster_name;
  std::string user_name;
  ObjectReader context_reader(*context, "the kubeconfig's context");
  context_reader.read("cluster", cluster_name);
  context_reader.read("user", user_name);
  RETURN_IF_ERROR(context_reader.finish());
  KubeAccess access;
  ASSIGN_OR_RETURN(const Json* cluster, find_named(config, "clusters", "cluster", cluster_name));
  RETURN_IF_ERROR(read_cluster(*cluster, folder, access));
  if (user_name.empty()) return access;
  ASSIGN_OR_RETURN(const Json* user, find_named(config, "users", "user", user_name));
  RETURN_IF_ERROR(read_user(*user, folder, access));
  return access;
}

Result<KubeAccess> in_cluster_access(const Environment& environment, const std::string& folder) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (!host || !port || host->empty() || port->empty())
    return fail("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set",
                "outside of a pod say where the API server is: --kubeconfig-file or "
                "--kube-api-url");
  KubeAccess access;
  const bool v6 = host->find(':') != std::string::npos;
  RETURN_IF_ERROR(set_server("https://" + (v6 ? "[" + *host + "]" : *host) + ":" + *port, access));
  access.token_file = folder + "/token";
  access.http.ca_file = folder + "/ca.crt";
  return access;
}

Result<KubeAccess> find_kube_access(const KubeAccessOptions& options,
                                    const Environment& environment) {
  if (options.kubeconfig.empty() && options.api_url.empty()) return in_cluster_access(environment);
  KubeAccess access;
  if (!options.kubeconfig.empty()) {
    ASSIGN_OR_RETURN(const std::string text, read_file(options.kubeconfig));
    const auto slash = options.kubeconfig.rfind('/');
    auto parsed = parse_kubeconfig(
        text, slash == std::string::npos ? "." : options.kubeconfig.substr(0, slash));
    if (!parsed) return because(options.kubeconfig, std::move(parsed).error());
    access = *std::move(parsed);
  }
  if (!options.api_url.empty()) RETURN_IF_ERROR(set_server(options.api_url, access));
  return access;
}

}  // namespace weft
