#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/go_duration.h"
#include "base/text.h"
#include "base/yaml.h"
#include "service/proxy_config_fields.h"

namespace weft::service {
namespace {

constexpr const char* kKind = "KubeProxyConfiguration";
constexpr const char* kVersion = "kubeproxy.config.k8s.io/v1alpha1";

// Reads one object; what it was not asked for is unknown.
class Reader {
 public:
  Reader(const Json& object, std::string path, std::vector<std::string>& warnings, Status& status)
      : object_(object), path_(std::move(path)), warnings_(warnings), status_(status) {}

  template <class T>
  void field(const char* key, T& target) {
    const Json* value = find(key);
    if (value == nullptr || !status_) return;
    if (const char* wanted = take(*value, target))
      status_ = fail(path_ + key + ": " + shown(to_text(*value)) + " is no " + wanted);
  }

  template <class Visit>
  void group(const char* key, Visit visit) {
    const Json* value = find(key);
    if (value == nullptr || !status_) return;
    if (!value->is_object()) {
      status_ = fail(path_ + key + " is no group of keys");
      return;
    }
    Reader inner(*value, path_ + key + ".", warnings_, status_);
    visit(inner);
    inner.warn_of_others();
  }

  void accept(const char* key) { known_.emplace_back(key); }

  void warn_of_others() const {
    for (const auto& [key, value] : object_.items())
      if (std::find(known_.begin(), known_.end(), key) == known_.end())
        warnings_.push_back("there is no key " + path_ + std::string(key.substr(0, 60)) +
                            did_you_mean(key, known_) + "; it is passed over");
  }

 private:
  const Json* find(const char* key) {
    known_.emplace_back(key);
    const auto member = object_.find(key);
    return member == object_.end() || member->is_null() ? nullptr : &*member;
  }

  // What was wanted and is not there; nullptr when it is.
  static const char* take(const Json& value, std::string& target) {
    if (!value.is_string()) return "text";
    target = value.get<std::string>();
    return nullptr;
  }
  static const char* take(const Json& value, bool& target) {
    if (!value.is_boolean()) return "true or false";
    target = value.get<bool>();
    return nullptr;
  }
  static const char* take(const Json& value, int& target) {
    constexpr const char* kWanted = "whole number of 32 bits";
    if (!value.is_number_integer()) return kWanted;
    const auto number = value.get<std::int64_t>();
    if (number < std::numeric_limits<std::int32_t>::min() ||
        number > std::numeric_limits<std::int32_t>::max())
      return kWanted;
    target = static_cast<int>(number);
    return nullptr;
  }
  static const char* take(const Json& value, double& target) {
    if (!value.is_number()) return "number";
    target = value.get<double>();
    return nullptr;
  }
  static const char* take(const Json& value, Period& target) {
    const auto period =
        value.is_string() ? parse_go_duration(value.get<std::string>()) : std::nullopt;
    if (!period) return "time like 30s or 1h30m";
    target = *period;
    return nullptr;
  }
  static const char* take(const Json& value, std::vector<std::string>& target) {
    if (!value.is_array()) return "list of texts";
    for (const auto& entry : value)
      if (!entry.is_string()) return "list of texts";
    target = value.get<std::vector<std::string>>();
    return nullptr;
  }
  static const char* take(const Json& value, std::map<std::string, bool>& target) {
    if (!value.is_object()) return "list of NAME: true or false";
    for (const auto& [name, on] : value.items())
      if (!on.is_boolean()) return "list of NAME: true or false";
    for (const auto& [name, on] : value.items()) target[name] = on.template get<bool>();
    return nullptr;
  }

  const Json& object_;
  const std::string path_;
  std::vector<std::string>& warnings_;
  Status& status_;
  std::vector<std::string> known_;
};

// A period of nothing stands for the one that is usual.
void read_zero_as_default(ProxyConfig& config) {
  const ProxyConfig usual;
  for (Period* period :
       {&config.iptables.sync_period, &config.ipvs.sync_period, &config.nftables.sync_period})
    if (*period == Period(0)) *period = usual.nftables.sync_period;
  if (config.config_sync_period == Period(0)) config.config_sync_period = usual.config_sync_period;
  if (config.bind_address.empty()) config.bind_address = usual.bind_address;
  if (config.client_connection.content_type.empty())
    config.client_connection.content_type = usual.client_connection.content_type;
  if (config.client_connection.burst == 0)
    config.client_connection.burst = usual.client_connection.burst;
}

Status check_type(const Json& object) {
  const auto text = [&](const char* key) {
    const auto member = object.find(key);
    return member != object.end() && member->is_string() ? member->get<std::string>() : "";
  };
  if (text("kind") == kKind && text("apiVersion") == kVersion) return {};
  return fail("it is no " + std::string(kKind) + " of " + kVersion + " but of kind " +
                  shown(text("kind")) + " and apiVersion " + shown(text("apiVersion")),
              "begin it with these two keys");
}

}  // namespace

Result<ReadConfig> read_proxy_config(std::string_view text) {
  ASSIGN_OR_RETURN(const auto documents, parse_yaml(text));
  if (documents.size() != 1 || !documents.front().is_object())
    return fail("it is not one object of kind " + std::string(kKind));
  const Json& object = documents.front();
  RETURN_IF_ERROR(check_type(object));
  ReadConfig read;
  Status status;
  Reader reader(object, "", read.warnings, status);
  reader.accept("kind");
  reader.accept("apiVersion");
  visit_fields(read.config, reader);
  RETURN_IF_ERROR(status);
  reader.warn_of_others();
  read_zero_as_default(read.config);
  return read;
}

}  // namespace weft::service
