#include "cni/plugins/dhcp_records.h"

#include "base/base64.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha2.h"
#include "base/text.h"

namespace weft::cni {
namespace {

constexpr std::string_view kEnding = ".json";

}  // namespace

std::string encode_record(const DhcpRecord& record, const std::string& boot) {
  Json json = Json::object();
  json["boot"] = boot;
  json["containerID"] = record.call.container_id;
  json["netns"] = record.call.netns;
  json["ifname"] = record.call.ifname;
  json["args"] = record.call.args;
  json["config"] = record.call.config;
  json["granted"] = record.granted.count();
  json["server"] = record.server.to_string();
  json["ack"] = to_base64(encode(record.ack));
  return to_text(json) + "\n";
}

Result<DhcpRecord> decode_record(std::string_view text, const std::string& boot) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text));
  if (!json.is_object()) return fail("a lease is no object");
  DhcpRecord record;
  std::string of_boot;
  std::string server;
  std::string ack;
  std::int64_t granted = 0;
  ObjectReader reader(json, "lease");
  reader.read("boot", of_boot);
  reader.read("containerID", record.call.container_id);
  reader.read("netns", record.call.netns);
  reader.read("ifname", record.call.ifname);
  reader.read("args", record.call.args);
  reader.read("config", record.call.config);
  reader.read("granted", granted);
  reader.read("server", server);
  reader.read("ack", ack);
  RETURN_IF_ERROR(reader.finish());
  if (of_boot != boot) return fail("a lease of another boot");
  const auto mac = MacAddress::parse(server);
  const auto bytes = from_base64(ack);
  if (!mac || !bytes || granted < 0) return fail("a lease cannot be read");
  record.server = *mac;
  record.granted = DhcpTime(granted);
  ASSIGN_OR_RETURN(record.ack, decode_dhcp(*bytes));
  RETURN_IF_ERROR(lease_of(record.ack));
  return record;
}

DhcpRecords::DhcpRecords(const std::string& socket)
    : folder_(socket.ends_with(".sock") ? socket.substr(0, socket.size() - 5) : socket + ".d") {
  if (const auto id = read_file("/proc/sys/kernel/random/boot_id", 64)) boot_ = trim(*id);
}

std::string DhcpRecords::file(const std::string& client_id) const {
  constexpr std::size_t kDigits = 32;
  return folder_ + "/" + sha512_hex(client_id, kDigits) + std::string(kEnding);
}

Status DhcpRecords::put(const std::string& client_id, const DhcpRecord& record) const {
  RETURN_IF_ERROR(make_directories(folder_, 0700));
  return write_file_atomically(file(client_id), encode_record(record, boot_), 0600,
                               Survives::kProcess);
}

Status DhcpRecords::remove(const std::string& client_id) const {
  return remove_file(file(client_id));
}

std::vector<DhcpRecord> DhcpRecords::load() const {
  std::vector<DhcpRecord> records;
  const auto names = list_directory(folder_);
  if (!names) return records;
  for (const auto& name : *names) {
    const std::string path = folder_ + "/" + name;
    const auto text = read_file(path);
    auto record = text ? decode_record(*text, boot_) : Result<DhcpRecord>(fail("not read"));
    if (record)
      records.push_back(*std::move(record));
    else
      (void)remove_file(path);
  }
  return records;
}

}  // namespace weft::cni
