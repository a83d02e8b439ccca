#include "cni/plugins/tuning_backup.h"

#include <unistd.h>

#include <set>

#include "base/files.h"

namespace weft::cni {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

std::string file_name(const std::string& container_id, const std::string& ifname) {
  return container_id + "_" + ifname + ".json";
}

std::string network_folder(const Call& call) {
  return tuning_data_dir(call.config) + "/.weft/" + call.network;
}

// The first one stays.
template <class Value>
void complete(std::optional<Value>& kept, const std::optional<Value>& before) {
  if (!kept) kept = before;
}

}  // namespace

std::string encode_tuning_backup(const TuningAttributes& attributes) {
  Json json = Json::object();
  if (attributes.mac) json["mac"] = attributes.mac->to_string();
  if (attributes.promiscuous) json["promisc"] = *attributes.promiscuous;
  if (attributes.mtu) json["mtu"] = *attributes.mtu;
  if (attributes.all_multicast) json["allmulti"] = *attributes.all_multicast;
  if (attributes.tx_queue_length) json["txQLen"] = *attributes.tx_queue_length;
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

CniResult<TuningAttributes> decode_tuning_backup(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text));
  ObjectReader reader(json, "backup");
  TuningAttributes attributes;
  std::string mac;
  reader.read("mac", mac);
  reader.read("promisc", attributes.promiscuous);
  reader.read("mtu", attributes.mtu);
  reader.read("allmulti", attributes.all_multicast);
  reader.read("txQLen", attributes.tx_queue_length);
  RETURN_IF_ERROR(reader.finish());
  attributes.mac = MacAddress::parse(mac);
  return attributes;
}

TuningBackup::TuningBackup(const Call& call)
    : folder_(tuning_data_dir(call.config)), link_folder_(network_folder(call)) {
  const std::string name = file_name(call.environment.container_id, call.environment.ifname);
  file_ = folder_ + "/" + name;
  link_ = link_folder_ + "/" + name;
}

Status TuningBackup::keep(const TuningAttributes& before) const {
  TuningAttributes kept = read();
  complete(kept.mac, before.mac);
  complete(kept.promiscuous, before.promiscuous);
  complete(kept.mtu, before.mtu);
  complete(kept.all_multicast, before.all_multicast);
  complete(kept.tx_queue_length, before.tx_queue_length);
  RETURN_IF_ERROR(make_directories(folder_, kFolderMode));
  RETURN_IF_ERROR(make_directories(link_folder_, kFolderMode));
  RETURN_IF_ERROR(
      write_file_atomically(file_, encode_tuning_backup(kept), kFileMode, Survives::kProcess));
  RETURN_IF_ERROR(remove_file(link_));
  if (::link(file_.c_str(), link_.c_str()) != 0)
    return fail_errno("naming " + file_ + " " + link_ + " as well");
  return {};
}

TuningAttributes TuningBackup::read() const {
  const auto text = read_file(file_);
  if (!text) return {};
  return decode_tuning_backup(*text).value_or(TuningAttributes{});
}

Status TuningBackup::remove() const {
  RETURN_IF_ERROR(remove_leftovers(file_));
  RETURN_IF_ERROR(remove_file(file_));
  return remove_file(link_);
}

Status TuningBackup::collect(const Call& call, const std::vector<Attachment>& valid) {
  std::set<std::string> kept;
  for (const auto& attachment : valid)
    kept.insert(file_name(attachment.container_id, attachment.ifname));
  const std::string folder = network_folder(call);
  ASSIGN_OR_RETURN(const auto names, list_directory(folder));
  Status result;
  for (const auto& name : names) {
    if (kept.contains(name)) continue;
    for (const std::string& path : {tuning_data_dir(call.config) + "/" + name, folder + "/" + name})
      if (Status removed = remove_file(path); !removed) result = std::move(removed);
  }
  return result;
}

}  // namespace weft::cni
