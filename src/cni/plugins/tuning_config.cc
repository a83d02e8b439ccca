#include "cni/plugins/tuning_config.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "cni/arguments.h"
#include "cni/expression.h"

namespace weft::cni {
namespace {

constexpr const char* kDefaultDataDir = "/run/cni/tuning";

bool equal_in_any_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
    return lower(x) == lower(y);
  });
}

// Walks over the text of a JSON object that has been parsed already: the parser keeps only the
// last of several members with one name.
class MemberNames {
 public:
  explicit MemberNames(std::string_view text) : text_(text) {}

  /// Whether the object that is member `outer` of the whole names a member twice. Two objects of
  /// that name count as one.
  bool repeats_in(std::string_view outer) {
    std::set<std::string> seen;
    bool inside = false;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        const std::string name = take_string();
        if (!is_name()) continue;
        if (depth == 1) inside = equal_in_any_case(name, outer);
        if (depth == 2 && inside && !seen.insert(name).second) return true;
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    }
    return false;
  }

 private:
  std::string take_string() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    const auto decoded = parse_json(text_.substr(start, at_ - start));
    return decoded && decoded->is_string() ? decoded->get<std::string>() : std::string();
  }
  bool is_name() const {
    const auto next = text_.find_first_not_of(" \t\r\n", at_);
    return next != std::string_view::npos && text_[next] == ':';
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Dots are slashes, as Go has it. A key that begins with a part and a slash is written as the
// kernel names its files, and a dot in it belongs to a device's name: eth0.100.
std::string with_slashes(std::string key) {
  const auto separator = key.find_first_of("./");
  if (separator == std::string::npos || key[separator] == '.')
    std::replace(key.begin(), key.end(), '.', '/');
  return key;
}

CniResult<std::string> sysctl_name(const std::string& key, const std::string& ifname) {
  constexpr std::string_view kDevice = "IFNAME";
  std::string name = with_slashes(key);
  if (const auto place = name.find(kDevice); place != std::string::npos)
    name.replace(place, kDevice.size(), ifname);
  const auto parts = split(name, '/');
  const bool plain = std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.empty() || part == "." || part == ".." || part.find('\0') != std::string::npos;
  });
  if (!plain || parts[0] != "net" || parts.size() < 2)
    return refuse("invalid net sysctl key: " + in_quotes(name));
  return name;
}

// Later ones replace earlier ones of the same key.
CniStatus read_settings(const Json* object, const std::string& ifname, TuningConfig& config) {
  if (object == nullptr) return {};
  for (auto member = object->begin(); member != object->end(); ++member) {
    const std::string& key = member.key();
    if (!member.value().is_string())
      return refuse("failed to load netconf: sysctl: " + key + ": expected a string");
    ASSIGN_OR_RETURN(std::string name, sysctl_name(key, ifname));
    TuningConfig::Setting setting{key, std::move(name), member.value().get<std::string>()};
    const auto held = std::find_if(config.settings.begin(), config.settings.end(),
                                   [&](const auto& other) { return other.key == key; });
    if (held == config.settings.end())
      config.settings.push_back(std::move(setting));
    else
      *held = std::move(setting);
  }
  return {};
}

CniStatus read_attributes(ObjectReader& reader, const Call& call, TuningConfig& config) {
  TuningAttributes& attributes = config.attributes;
  RETURN_IF_ERROR(read_settings(reader.object("sysctl"), call.environment.ifname, config));
  reader.read("mac", config.mac_text);
  reader.read("promisc", attributes.promiscuous);
  reader.read("mtu", attributes.mtu);
  reader.read("allmulti", attributes.all_multicast);
  reader.read("txQLen", attributes.tx_queue_length);
  RETURN_IF_ERROR(reader.finish());
  return {};
}

// From the weakest to the strongest: the configuration, CNI_ARGS, runtimeConfig, args.
CniStatus read_all(const Call& call, TuningConfig& config) {
  ObjectReader reader(call.config, "failed to load netconf");
  RETURN_IF_ERROR(read_attributes(reader, call, config));
  ASSIGN_OR_RETURN(const Arguments arguments, parse_arguments(call.environment.args, {"MAC"}));
  if (const auto given = arguments.find("MAC"); given != arguments.end() && !given->second.empty())
    config.mac_text = given->second;
  if (const Json* runtime = reader.object("runtimeConfig")) {
    std::string given;
    ObjectReader inside(*runtime, "failed to load netconf: runtimeConfig");
    inside.read("mac", given);
    RETURN_IF_ERROR(inside.finish());
    if (!given.empty()) config.mac_text = given;
  }
  const Json* args = reader.object("args");
  RETURN_IF_ERROR(reader.finish());
  if (args == nullptr) return {};
  ObjectReader outer(*args, "failed to load netconf: args");
  const Json* cni = outer.object("cni");
  RETURN_IF_ERROR(outer.finish());
  if (cni == nullptr) return {};
  ObjectReader inside(*cni, "failed to load netconf: args: cni");
  return read_attributes(inside, call, config);
}

}  // namespace

CniResult<TuningConfig> read_tuning_config(const Call& call) {
  if (MemberNames(call.config_text).repeats_in("sysctl"))
    return refuse("duplicated sysctl keys are not allowed");
  TuningConfig config;
  RETURN_IF_ERROR(read_all(call, config));
  TuningAttributes& attributes = config.attributes;
  // These mean that nothing is asked for.
  if (attributes.promiscuous == false) attributes.promiscuous.reset();
  if (attributes.mtu == 0) attributes.mtu.reset();
  if (config.mac_text.empty()) return config;
  attributes.mac = MacAddress::parse(config.mac_text);
  if (!attributes.mac)
    return refuse("invalid args " + config.mac_text + " for MAC addr: address " + config.mac_text +
                  ": invalid MAC address");
  return config;
}

std::string tuning_data_dir(const Json& config) {
  std::string folder;
  ObjectReader(config, "tuning").read("dataDir", folder);
  return folder.empty() ? kDefaultDataDir : folder;
}

CniStatus check_allowlist(const TuningConfig& config, std::string_view allowlist) {
  std::string shown;
  std::vector<Expression> expressions;
  for (const auto& untrimmed : split(allowlist, '\n')) {
    const std::string line(trim(untrimmed));
    if (line.empty()) continue;
    auto expression = Expression::parse(line);
    if (!expression)
      return refuse("the allow-list of sysctls has a line that is no regular expression: " +
                    in_quotes(line) + ": " + expression.error().what);
    expressions.push_back(*std::move(expression));
    shown += (shown.empty() ? "" : " ") + line;
  }
  for (const auto& setting : config.settings) {
    const bool allowed =
        std::any_of(expressions.begin(), expressions.end(),
                    [&](const Expression& expression) { return expression.matches(setting.key); });
    if (!allowed)
      return refuse("Sysctl " + setting.key +
                    " is not allowed. Only the following sysctls are allowed: [" + shown + "]");
  }
  return {};
}

void update_mac(AddResult& result, const std::string& ifname, const TuningConfig& config) {
  if (!config.attributes.mac) return;
  for (auto& interface : result.interfaces)
    if (interface.name == ifname && !interface.sandbox.empty()) interface.mac = config.mac_text;
}

}  // namespace weft::cni
