#include "cni/delegate.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/process.h"
#include "base/text.h"
#include "cni/dispatch.h"

extern "C" char** environ;

namespace weft::cni {
namespace {

// A plugin that is being replaced by its installer cannot be run for a moment (ETXTBSY).
constexpr int kBusyTries = 5;
constexpr std::chrono::seconds kBusyPause{1};

bool is_own_program(const struct stat& file) {
  struct stat own {};
  return ::stat("/proc/self/exe", &own) == 0 && own.st_dev == file.st_dev &&
         own.st_ino == file.st_ino;
}

std::vector<std::string> environment_for(Command command) {
  constexpr std::string_view kCommand = "CNI_COMMAND=";
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view(*variable).starts_with(kCommand)) variables.emplace_back(*variable);
  variables.push_back(std::string(kCommand) + std::string(to_string(command)));
  return variables;
}

Result<Outcome> run_patiently(const ::weft::Command& command) {
  for (int i = 1;; ++i) {
    auto outcome = weft::run(command);
    if (outcome || outcome.error().number != ETXTBSY || i == kBusyTries) return outcome;
    std::this_thread::sleep_for(kBusyPause);
  }
}

// What a plugin that failed said: the error of the protocol, or whatever it printed.
CniError reported(const std::string& file, const Outcome& outcome) {
  if (const auto json = parse_json(outcome.output)) {
    ObjectReader reader(*json, "error");
    int code = 0;
    std::string message;
    std::string details;
    reader.read("code", code);
    reader.read("msg", message);
    reader.read("details", details);
    if (reader.finish() && (code != 0 || !message.empty()))
      return {static_cast<Code>(code), message, details};
  }
  const std::string said(trim(outcome.output));
  return {Code::kInternal, said.empty() ? "netplugin failed with no error message: " + file +
                                              ": exit status " + std::to_string(outcome.exit_code)
                                        : "netplugin failed: " + in_quotes(said)};
}

std::string shown(const std::vector<std::string>& folders) {
  std::string text = "[";
  for (const auto& folder : folders) text += (text.size() == 1 ? "" : " ") + folder;
  return text + "]";
}

}  // namespace

CniResult<Delegate> Delegate::find(std::string_view type, const Call& call,
                                   std::chrono::milliseconds limit) {
  const std::string name(type);
  if (name.empty()) return refuse("no plugin name provided");
  if (name.find('/') != std::string::npos) return refuse("invalid plugin name: " + name);
  const auto folders = split(call.environment.path, ':');
  for (const auto& folder : folders) {
    std::string file = folder;
    file.append("/").append(name);
    struct stat info {};
    if (folder.empty() || ::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    return Delegate(file, is_own_program(info) ? find_plugin(call.siblings, name) : nullptr, limit);
  }
  return refuse("failed to find plugin " + in_quotes(name) + " in path " + shown(folders));
}

CniResult<std::string> Delegate::execute(Command command, const Call& call) const {
  auto outcome = run_patiently({.argv = {file_},
                                .input = std::string(call.config_text),
                                .environment = environment_for(command),
                                .limit = limit_,
                                .pass_stderr = true});
  if (!outcome) return refuse(Code::kTryAgainLater, outcome.error().text());
  if (outcome->exit_code != 0) return CniFailure(reported(file_, *outcome));
  return std::move(outcome->output);
}

CniResult<AddResult> Delegate::add(const Call& call) const {
  if (sibling_ != nullptr) return call_add(*sibling_, call);
  ASSIGN_OR_RETURN(const std::string output, execute(Command::kAdd, call));
  const auto json = parse_json(output);
  if (!json) return refuse(Code::kDecodingFailure, file_ + " gave no result: " + json.error().what);
  return decode_result(*json, call.version);
}

CniStatus Delegate::run(Command command, const Call& call) const {
  if (sibling_ != nullptr) return call_handler(*sibling_, command, call);
  RETURN_IF_ERROR(execute(command, call));
  return {};
}

CniResult<std::unique_ptr<DelegatedCall>> DelegatedCall::make(const Call& outer,
                                                              std::string config_text) {
  std::unique_ptr<DelegatedCall> made(new DelegatedCall);
  made->text_ = std::move(config_text);
  ASSIGN_OR_RETURN(Call call,
                   read_call(outer.environment, made->text_, made->config_, outer.siblings));
  made->call_.emplace(std::move(call));
  return made;
}

}  // namespace weft::cni
