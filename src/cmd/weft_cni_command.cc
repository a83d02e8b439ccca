#include "cmd/weft_cni_command.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/marks.h"
#include "base/text.h"
#include "cni/install.h"

namespace weft::cmd {
namespace {

using cni::Plugin;
using cni::Plugins;

constexpr int kIndent = 2;

std::string_view to_string(cni::Kind kind) {
  switch (kind) {
    case cni::Kind::kMain:
      return "main";
    case cni::Kind::kIpam:
      return "ipam";
    case cni::Kind::kMeta:
      return "meta";
  }
  return "";
}

CommandAnswer refuse_usage(const std::string& what) {
  return {.code = ExitCode::kUsage, .errors = "weft-cni: " + what + "\n"};
}

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, text.size()), ' ');
}

std::string list_as_text(Plugins plugins) {
  constexpr std::size_t kName = 14;
  constexpr std::size_t kKind = 6;
  std::string text = padded("PLUGIN", kName) + padded("KIND", kKind) + "CNI\n";
  for (const Plugin* plugin : plugins)
    text += padded(plugin->name, kName) + padded(to_string(plugin->kind), kKind) +
            std::string(plugin->versions.front()) + " to " + std::string(plugin->versions.back()) +
            "\n";
  return text;
}

std::string list_of_names(Plugins plugins) {
  std::string text;
  for (const Plugin* plugin : plugins) text += std::string(plugin->name) + "\n";
  return text;
}

std::string list_as_json(Plugins plugins) {
  Json list = Json::array();
  for (const Plugin* plugin : plugins) {
    Json entry = Json::object();
    entry["name"] = plugin->name;
    entry["kind"] = to_string(plugin->kind);
    entry["versions"] = plugin->versions;
    list.push_back(entry);
  }
  Json json = Json::object();
  json["version"] = WEFT_VERSION;
  json["plugins"] = list;
  return json.dump(kIndent) + "\n";
}

// "--name VALUE" or "--name=VALUE".
using Options = std::map<std::string, std::string>;
struct OptionName {
  std::string name;
  bool has_value = true;
};

Result<Options> parse_options(const std::vector<std::string>& words,
                              const std::vector<OptionName>& known) {
  Options options;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const OptionName& option) { return option.name == name; });
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const auto& option : known) names.push_back(option.name);
      return fail("there is no option " + shown(name) + did_you_mean(name, names));
    }
    if (!found->has_value) {
      if (equals != std::string::npos) return fail(name + " takes no value");
      options[name] = "";
    } else if (equals != std::string::npos) {
      options[name] = words[i].substr(equals + 1);
    } else if (i + 1 < words.size()) {
      options[name] = words[++i];
    } else {
      return fail(name + " needs a value");
    }
  }
  return options;
}

CommandAnswer list(const std::vector<std::string>& words, Plugins plugins) {
  const auto options = parse_options(words, {{.name = "-o"}, {.name = "--output"}});
  if (!options) return refuse_usage(options.error().text());
  const std::string format = options->empty() ? "text" : options->begin()->second;
  if (format == "text") return {.output = list_as_text(plugins)};
  if (format == "json") return {.output = list_as_json(plugins)};
  if (format == "names") return {.output = list_of_names(plugins)};
  return refuse_usage("there is no format " + shown(format) + "; there are text, names and json");
}

Result<cni::InstallOptions> install_options(const Options& given) {
  cni::InstallOptions options;
  const auto take = [&](const char* name, std::string& target) -> Status {
    const auto found = given.find(name);
    if (found == given.end()) return {};
    if (found->second.empty()) return fail(std::string(name) + " is empty");
    target = found->second;
    return {};
  };
  RETURN_IF_ERROR(take("--bin-dir", options.bin_dir));
  RETURN_IF_ERROR(take("--conf-dir", options.conf_dir));
  RETURN_IF_ERROR(take("--conf-name", options.conf_name));
  RETURN_IF_ERROR(take("--list", options.list_file));
  options.ordinary = given.contains("--ordinary");
  if (options.conf_name.find('/') != std::string::npos)
    return fail("--conf-name is a name in --conf-dir, without a slash");
  if (const auto wait = given.find("--wait"); wait != given.end()) {
    constexpr std::uint64_t kLongestWait = 86'400;
    const auto seconds = parse_number(wait->second);
    if (!seconds || *seconds > kLongestWait)
      return fail("--wait is a number of seconds up to a day, not " + shown(wait->second));
    options.wait = std::chrono::seconds(*seconds);
  }
  return options;
}

CommandAnswer install(const std::vector<std::string>& words, Plugins plugins) {
  const auto given = parse_options(words, {{.name = "--bin-dir"},
                                           {.name = "--conf-dir"},
                                           {.name = "--conf-name"},
                                           {.name = "--list"},
                                           {.name = "--ordinary", .has_value = false},
                                           {.name = "--wait"}});
  if (!given) return refuse_usage(given.error().text());
  const auto options = install_options(*given);
  if (!options) return refuse_usage(options.error().text());
  const LineStyle style = line_style(STDOUT_FILENO);
  CommandAnswer answer;
  for (const auto& step : cni::install(*options, plugins)) {
    answer.output += style.mark(step.mark) + " " + step.text + "\n";
    if (step.mark == Mark::kWrong) answer.code = ExitCode::kWrong;
  }
  return answer;
}

std::string help(Plugins plugins) {
  std::string text =
      "Examples:\n"
      "  weft-cni install                                 this file and its links into "
      "/opt/cni/bin\n"
      "  weft-cni install --conf-dir /etc/cni/net.d       and flannel's list, when the agent is "
      "ready\n"
      "  weft-cni install --conf-dir D --list L --wait 60 a list of your own; wait for the agent\n"
      "  weft-cni list -o json                            the plugins it holds\n"
      "  weft-cni bridge                                  run that plugin (CNI_* variables, "
      "stdin)\n"
      "\n"
      "weft-cni is the CNI plugins of weft in one file. A container runtime starts it under\n"
      "the name of a plugin. CNI specification 0.1.0 to 1.1.0.\n"
      "\n"
      "weft-cni install\n"
      "  --bin-dir DIR     where the plugins go (/opt/cni/bin)\n"
      "  --conf-dir DIR    where the list of plugins goes; without it none is written\n"
      "  --conf-name NAME  the list's file name (10-flannel.conflist)\n"
      "  --list FILE       the list to write, instead of flannel's usual one\n"
      "  --ordinary        write it as it is; otherwise a list whose plugins are all here is\n"
      "                    written as one weft-chain, which runs them in one process\n"
      "  --wait SECONDS    how long to wait for the agent's subnet before giving up (0)\n"
      "\n"
      "weft-cni list\n"
      "  -o, --output text|names|json\n"
      "\n"
      "Exit codes: 0 fine, 1 something is wrong, 2 wrong usage.\n"
      "\nPlugins:\n";
  for (const Plugin* plugin : plugins) text += "  " + std::string(plugin->name) + "\n";
  return text;
}

}  // namespace

CommandAnswer weft_cni_command(const std::vector<std::string>& words, Plugins plugins) {
  const std::string word = words.empty() ? "--help" : words[0];
  if (std::any_of(words.begin(), words.end(),
                  [](const std::string& each) { return each == "--help" || each == "-h"; }) ||
      word == "--help" || word == "help")
    return {.output = help(plugins)};
  if (word == "--version" || word == "version") return {.output = "weft-cni " WEFT_VERSION "\n"};
  if (word == "list") return list(words, plugins);
  if (word == "install") return install(words, plugins);
  std::vector<std::string> names = {"install", "list"};
  for (const Plugin* plugin : plugins) names.emplace_back(plugin->name);
  return refuse_usage("there is no plugin or command " + shown(word) + did_you_mean(word, names) +
                      "; weft-cni --help shows what there is");
}

}  // namespace weft::cmd
