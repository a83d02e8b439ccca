#include "cni/plugins/flannel.h"

#include <unistd.h>

#include "base/files.h"
#include "cni/attachments.h"
#include "cni/delegate.h"
#include "cni/plugins/agent_status.h"
#include "cni/plugins/flannel_config.h"

namespace weft::cni {
namespace {

constexpr std::size_t kLongestSubnetEnv = 64U << 10U;

std::string state_file(const FlannelConfig& config, const std::string& name) {
  return config.data_dir + "/" + name;
}

std::string type_of(const Json& delegate) {
  std::string type;
  ObjectReader(delegate, "delegate").read("type", type);
  return type;
}

// The message is the one that people look for; what follows it is why.
CniResult<SubnetEnv> load_subnet_env(const FlannelConfig& config, Code code) {
  const std::string start = "failed to load flannel 'subnet.env' file: ";
  const std::string hint = ". Check the flannel pod log for this node.";
  const auto text = read_file(config.subnet_file, kLongestSubnetEnv);
  if (!text) {
    const int number = text.error().number;
    const std::string words =
        number == 0 ? text.error().text() : "open " + config.subnet_file + ": " + go_words(number);
    return refuse(code, start + words + hint, why_not_ready(config.subnet_file));
  }
  auto env = SubnetEnv::parse(*text);
  if (!env)
    return refuse(code, start + config.subnet_file + " " + env.error().text() + hint,
                  why_not_ready(config.subnet_file));
  return *std::move(env);
}

// Without fsync: what a power loss may take is what DEL can do without.
CniStatus save_state(const FlannelConfig& config, const Call& call, const std::string& text) {
  const std::string file = state_file(config, call.environment.container_id);
  auto written = write_file_atomically(file, text, 0600, Survives::kProcess);
  if (!written && written.error().number == ENOENT) {
    RETURN_IF_ERROR(make_directories(config.data_dir, 0700));
    written = write_file_atomically(file, text, 0600, Survives::kProcess);
  }
  if (!written) return refuse(Code::kIoFailure, written.error().text());
  return {};
}

CniResult<AddResult> add(const Call& call) {
  ASSIGN_OR_RETURN(const FlannelConfig config, read_flannel_config(call));
  ASSIGN_OR_RETURN(const SubnetEnv env, load_subnet_env(config, Code::kInternal));
  ASSIGN_OR_RETURN(const Json delegate, delegate_config(call, config, &env));
  ASSIGN_OR_RETURN(const auto inner, DelegatedCall::make(call, to_text(delegate)));
  RETURN_IF_ERROR(save_state(config, call, to_text(delegate)));
  ASSIGN_OR_RETURN(const Delegate plugin, Delegate::find(type_of(delegate), call));
  auto result = plugin.add(inner->call());
  // The file stays: a delegate that failed may have left something for DEL.
  if (!result) return because("failed to delegate add", std::move(result).error());
  return *std::move(result);
}

// The configuration that the delegate was added with. When it is lost (a power loss, an ADD that
// did not get so far): one with the same names, by which links and leases are found too.
CniResult<std::string> stored_or_derived(const Call& call, const FlannelConfig& config,
                                         bool& stored) {
  const auto text = read_file(state_file(config, call.environment.container_id));
  if (!text && text.error().number != ENOENT) return refuse(Code::kIoFailure, text.error().text());
  stored = text && parse_json(*text);
  if (stored) return *text;
  ASSIGN_OR_RETURN(const Json derived, delegate_config(call, config, nullptr));
  return to_text(derived);
}

CniStatus remove_state(const Call& call, const FlannelConfig& config) {
  const std::string file = state_file(config, call.environment.container_id);
  RETURN_IF_ERROR(remove_leftovers(file));
  RETURN_IF_ERROR(remove_file(file));
  return {};
}

CniStatus del(const Call& call) {
  ASSIGN_OR_RETURN(const FlannelConfig config, read_flannel_config(call));
  bool stored = false;
  ASSIGN_OR_RETURN(const std::string text, stored_or_derived(call, config, stored));
  ASSIGN_OR_RETURN(const auto inner, DelegatedCall::make(call, text));
  const auto plugin = Delegate::find(type_of(inner->call().config), call);
  // Without a record nothing says that this delegate was ever called.
  if (!plugin && !stored) return {};
  if (!plugin) return CniFailure(plugin.error());
  const auto deleted = plugin->run(Command::kDel, inner->call());
  if (!deleted) return because("failed to delegate del", deleted.error());
  return remove_state(call, config);
}

// The stored configuration with members of ours: prevResult for CHECK, attachments for GC.
CniStatus run_with(Command command, const Call& call, Json delegate,
                   std::initializer_list<const char*> members) {
  for (const char* key : members)
    if (const Json* member = find_member(call.config, key)) delegate[key] = *member;
  delegate["cniVersion"] = call.version;
  ASSIGN_OR_RETURN(const auto inner, DelegatedCall::make(call, to_text(delegate)));
  ASSIGN_OR_RETURN(const Delegate plugin, Delegate::find(type_of(delegate), call));
  return plugin.run(command, inner->call());
}

CniStatus check(const Call& call) {
  ASSIGN_OR_RETURN(const FlannelConfig config, read_flannel_config(call));
  bool stored = false;
  ASSIGN_OR_RETURN(const std::string text, stored_or_derived(call, config, stored));
  if (!stored)
    return refuse("flannel: no state of container " + call.environment.container_id + " in " +
                  config.data_dir);
  ASSIGN_OR_RETURN(const Json delegate, parse_json(text));
  return run_with(Command::kCheck, call, delegate, {"prevResult"});
}

CniStatus status(const Call& call) {
  const auto config = read_flannel_config(call);
  if (!config) return refuse(Code::kNotAvailable, config.error().message);
  ASSIGN_OR_RETURN(const SubnetEnv env, load_subnet_env(*config, Code::kNotAvailable));
  ASSIGN_OR_RETURN(const Json delegate, delegate_config(call, *config, &env));
  return run_with(Command::kStatus, call, delegate, {});
}

// Removes the records of this network's containers that are gone.
CniStatus remove_stale_states(const Call& call, const FlannelConfig& config,
                              const std::vector<Attachment>& attachments) {
  ASSIGN_OR_RETURN(const auto names, list_directory(config.data_dir));
  for (const auto& name : names) {
    if (!is_valid_identifier(name) || is_valid(attachments, name, "")) continue;
    const auto text = read_file(config.data_dir + "/" + name);
    const auto json = text ? parse_json(*text) : Result<Json>(fail("not read"));
    if (!json) continue;
    std::string network;
    ObjectReader(*json, "state").read("name", network);
    if (network == call.network) RETURN_IF_ERROR(remove_file(config.data_dir + "/" + name));
  }
  return {};
}

CniStatus gc(const Call& call) {
  ASSIGN_OR_RETURN(const FlannelConfig config, read_flannel_config(call));
  ASSIGN_OR_RETURN(const auto attachments, valid_attachments(call.config));
  ASSIGN_OR_RETURN(const Json delegate, delegate_config(call, config, nullptr));
  RETURN_IF_ERROR(
      run_with(Command::kGc, call, delegate, {"cni.dev/valid-attachments", "cni.dev/attachments"}));
  return remove_stale_states(call, config, attachments);
}

}  // namespace

const Plugin kFlannel{.name = "flannel",
                      .add = add,
                      .del = del,
                      .check = check,
                      .status = status,
                      .gc = gc,
                      .kind = Kind::kMeta};

}  // namespace weft::cni
