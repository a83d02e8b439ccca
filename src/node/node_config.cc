#include "node/node_config.h"

#include <utility>

#include "base/strict_object.h"
#include "base/text.h"
#include "base/yaml.h"

namespace weft::node {
namespace {

using Texts = std::vector<std::string>;

Result<std::string> one_of(const Json& object, const std::string& key, const std::string& where,
                           const Texts& words) {
  ASSIGN_OR_RETURN(const auto given, text_member(object, key, where));
  if (!given) return words.front();
  for (const std::string& word : words)
    if (word == *given) return word;
  return fail(where + ": there is no " + key + " \"" + *given + "\"" + did_you_mean(*given, words));
}

Result<NodeConfig::Log> read_log(const Json& object) {
  RETURN_IF_ERROR(check_keys(object, {"format", "level"}, "log"));
  NodeConfig::Log log;
  ASSIGN_OR_RETURN(const std::string format, one_of(object, "format", "log", {"text", "json"}));
  if (format == "json") log.format = LogFormat::kJson;
  ASSIGN_OR_RETURN(log.level, one_of(object, "level", "log", {"info", "error", "warn", "debug"}));
  return log;
}

// `file` is the key of the part's own file, which its program takes with `flag`; empty: it has
// none. A part without anything below it is there, too.
Result<NodeConfig::Arguments> read_part(const Json& node, const std::string& part,
                                        const std::string& file, const std::string& flag) {
  const auto found = node.find(part);
  if (found == node.end()) return std::nullopt;
  const Json object = found->is_null() ? Json::object() : *found;
  Texts keys{"args"};
  if (!file.empty()) keys.push_back(file);
  RETURN_IF_ERROR(check_keys(object, keys, part));
  ASSIGN_OR_RETURN(Texts arguments, texts_member(object, "args", part));
  if (file.empty()) return arguments;
  ASSIGN_OR_RETURN(const auto path, text_member(object, file, part));
  if (path) arguments.insert(arguments.begin(), flag + "=" + *path);
  return arguments;
}

Status read_text(const Json& object, const std::string& key, std::string& target) {
  ASSIGN_OR_RETURN(auto text, text_member(object, key, "the file"));
  if (text) target = *std::move(text);
  return {};
}

}  // namespace

Result<NodeConfig> read_node_config(std::string_view text) {
  ASSIGN_OR_RETURN(const auto documents, parse_yaml(text));
  if (documents.size() != 1) return fail("it is not one document of YAML");
  const Json& object = documents.front();
  RETURN_IF_ERROR(check_keys(
      object, {"kubeconfig", "storeDir", "nodeName", "log", "flanneld", "kubeProxy", "coredns"},
      "the file"));
  NodeConfig config;
  RETURN_IF_ERROR(read_text(object, "kubeconfig", config.kubeconfig));
  RETURN_IF_ERROR(read_text(object, "storeDir", config.store_dir));
  RETURN_IF_ERROR(read_text(object, "nodeName", config.node_name));
  if (!config.kubeconfig.empty() && !config.store_dir.empty())
    return fail("kubeconfig and storeDir are both there", "take one of them out");
  if (const auto log = object.find("log"); log != object.end()) {
    ASSIGN_OR_RETURN(config.log, read_log(*log));
  }
  ASSIGN_OR_RETURN(config.flanneld, read_part(object, "flanneld", "", ""));
  ASSIGN_OR_RETURN(config.kube_proxy, read_part(object, "kubeProxy", "config", "--config"));
  ASSIGN_OR_RETURN(config.coredns, read_part(object, "coredns", "corefile", "-conf"));
  if (!config.flanneld && !config.kube_proxy && !config.coredns)
    return fail("the node has no part", "name one: flanneld, kubeProxy or coredns");
  return config;
}

}  // namespace weft::node
