// dhcp_records.h: the leases of the dhcp daemon on disk, so that they outlive it.
//
// One file a lease, in a folder beside the socket ("/run/cni/dhcp/"), of this boot: the server's
// answer as it came, who it is for, and when it was asked for by the clock since the boot.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cni/plugins/dhcp_client.h"
#include "cni/plugins/dhcp_rpc.h"

namespace weft::cni {

struct DhcpRecord {
  DhcpCall call = {};  ///< the one that asked for the lease
  DhcpPacket ack = {};
  DhcpTime granted{};      ///< since the boot
  MacAddress server = {};  ///< where the answer came from on the wire
  bool operator==(const DhcpRecord&) const = default;
};

class DhcpRecords {
 public:
  /// `socket` ends in ".sock" or not: what stands before is the folder.
  explicit DhcpRecords(const std::string& socket);

  /// `client_id` names the file.
  Status put(const std::string& client_id, const DhcpRecord& record) const;
  Status remove(const std::string& client_id) const;
  /// Those of this boot; what is broken or older is removed.
  std::vector<DhcpRecord> load() const;

 private:
  std::string file(const std::string& client_id) const;

  std::string folder_;
  std::string boot_;
};

/// The JSON of a record, and back. `boot` names the boot in which `granted` counts.
std::string encode_record(const DhcpRecord& record, const std::string& boot);
Result<DhcpRecord> decode_record(std::string_view text, const std::string& boot);

}  // namespace weft::cni
