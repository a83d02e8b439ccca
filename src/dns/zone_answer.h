// zone_answer.h: an answer out of a snapshot of the cluster's names.
#pragma once

#include <cstdint>
#include <string_view>

#include "dns/cluster_zone.h"
#include "dns/message_writer.h"

namespace weft::dns {

enum class ZoneReply : std::uint8_t {
  kAnswer,  ///< the records asked for
  kNoData,  ///< the name exists; SOA says that it has no such records
  kAbsent,  ///< there is no such name. Nothing was written, or aliases that lead to it
  kAlias,   ///< aliases, the last of which leads out of the cluster's zones
  kLoop,    ///< aliases that lead in a circle, or through too many hands
};

/// Writes the answer to one question. Lives as long as that takes; allocates nothing.
class ZoneAnswer {
 public:
  /// `turn` is any number: records of one name begin with another one for each.
  ZoneAnswer(const ClusterZone& zone, MessageWriter& writer, std::uint32_t turn)
      : zone_(zone), writer_(writer), turn_(turn) {}

  /// REQUIRES that `in` is zone_of() the name.
  ZoneReply write(const ServedZone& in, const LookupName& name, RecordType type);

  /// Of kAlias: the name that is left to be resolved, in the form of its wire.
  std::string_view alias_target() const { return alias_target_; }

  /// The zone's NS record, as an answer.
  void write_name_server(const ServedZone& in);

  /// The SOA of a zone, in the authority section of an answer that denies something (RFC 2308).
  void write_denial(const ServedZone& in) { write_soa(in, Section::kAuthority); }

 private:
  ZoneReply follow(std::string_view owner, const ServiceRecords* service, RecordType type);
  ZoneReply write_match(const ZoneMatch& match, std::string_view owner, RecordType type);
  void write_records(const ZoneMatch& match, std::string_view owner, RecordType type);
  void write_apex(const ServedZone& in, RecordType type);
  void write_soa(const ServedZone& in, Section section);
  void write_name_servers(const ServedZone& in);
  void write_local_addresses(std::string_view owner, Section section, RecordType type);
  void write_version(std::string_view owner);
  void write_service(const ZoneMatch& match, std::string_view owner, RecordType type);
  void write_endpoint(const ZoneMatch& match, std::string_view owner, RecordType type);
  void write_address(std::string_view owner, const IpAddress& address, Section section,
                     RecordType type);
  void write_ready_records(std::string_view owner, std::string_view records,
                           std::size_t record_size);
  void write_pointers(const ZoneMatch& match, std::string_view owner);
  void write_pointer(std::string_view owner, const ServiceRecords& service, std::string_view label);
  void write_host_info(std::string_view owner);

  const ClusterZone& zone_;
  MessageWriter& writer_;
  const std::uint32_t turn_;
  bool aliased_ = false;  // what is written is not of the question's name
  std::string_view alias_target_;
};

}  // namespace weft::dns
