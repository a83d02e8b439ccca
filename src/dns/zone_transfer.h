// zone_transfer.h: a whole zone as a row of messages (AXFR, RFC 5936). Pure.
//
// All records of one snapshot: the SOA, the name server, then Services in order of their names with
// what is asked of them (their addresses, SRV at the bare name and of each port, endpoints of
// headless ones, aliases), and the SOA again. The names of pods and reverse names are no part of
// it, as in CoreDNS. A zone may be of any size: a message is written when the one before it has
// left, so what is held is the snapshot, a list of its Services and a place in it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dns/cluster_zone.h"
#include "dns/handler.h"
#include "dns/message_writer.h"
#include "dns/query.h"

namespace weft::dns {

class ZoneTransfer : public AnswerStream {
 public:
  /// REQUIRES that `in` is one of the zone's forward zones.
  ZoneTransfer(std::shared_ptr<const ClusterZone> zone, const ServedZone& in, const Query& query);

  /// The next records, as many as a message of ours takes. REQUIRES kMessage bytes of room.
  std::size_t next(std::span<char> room) override;

  /// Writes the next records behind the question; for the first message, whose header is another's.
  /// Once is_over() there are none.
  void write(MessageWriter& writer);
  bool is_over() const { return part_ == Part::kOver; }

  static constexpr std::size_t kMessage = 16384;

 private:
  enum class Part : std::uint8_t { kBegin, kServices, kEnd, kOver };
  void write_front(MessageWriter& writer);
  bool write_service(MessageWriter& writer);

  const std::shared_ptr<const ClusterZone> zone_;
  const ServedZone& in_;
  const std::string question_;  // as it came, so that later messages repeat it
  Query query_;                 // of question_
  std::vector<const ServiceRecords*> services_;
  Part part_ = Part::kBegin;
  std::size_t service_ = 0;
  std::size_t record_ = 0;  // of it, that comes next
};

}  // namespace weft::dns
