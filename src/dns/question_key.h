// question_key.h: what is asked, for tables: the same for all queries that one answer serves.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "dns/bytes.h"
#include "dns/lookup_name.h"
#include "dns/protocol.h"
#include "dns/query.h"

namespace weft::dns {

/// The flags of a query that its answer depends on.
struct QueryFlags {
  bool recursion_desired = true;
  bool dnssec_ok = false;
  bool checking_disabled = false;
  bool operator==(const QueryFlags&) const = default;
};
inline QueryFlags flags_of(const Query& query) {
  return {.recursion_desired = query.header.recursion_desired,
          .dnssec_ok = query.edns && query.edns->dnssec_ok,
          .checking_disabled = query.header.checking_disabled};
}

/// Lives on the stack and allocates nothing.
class QuestionKey {
 public:
  QuestionKey(const LookupName& name, RecordType type, const QueryFlags& flags) {
    const std::string_view wire = name.wire();
    std::copy(wire.begin(), wire.end(), bytes_.begin());
    put_word(bytes_.data() + wire.size(), static_cast<std::uint16_t>(type));
    bytes_[wire.size() + 2] =
        static_cast<char>(unsigned{flags.recursion_desired} << 2U |
                          unsigned{flags.dnssec_ok} << 1U | unsigned{flags.checking_disabled});
    size_ = wire.size() + 3;
  }
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kLongestName + 3> bytes_;
  std::size_t size_;
};

}  // namespace weft::dns
