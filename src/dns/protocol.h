// protocol.h: the numbers of DNS, and what they are called.
//
// Source: IANA, "Domain Name System (DNS) Parameters".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::dns {

/// The largest UDP message without EDNS (RFC 1035, section 4.2.1).
inline constexpr std::size_t kPlainUdpSize = 512;
/// The largest that we send or ask for over UDP: it crosses any IPv6 path in one piece (DNS flag
/// day 2020, RFC 9715).
inline constexpr std::size_t kUdpSize = 1232;
/// The largest message at all: TCP's length prefix has two bytes.
inline constexpr std::size_t kLargestMessage = 65535;
inline constexpr std::size_t kHeaderSize = 12;
/// A pointer to the name of the question, which always stands behind the header.
inline constexpr std::uint16_t kQuestionPointer = 0xc000U | kHeaderSize;

enum class RecordType : std::uint16_t {
  kNone = 0,
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kHinfo = 13,
  kMx = 15,
  kTxt = 16,
  kAfsdb = 18,
  kAaaa = 28,
  kSrv = 33,
  kNaptr = 35,
  kDname = 39,
  kOpt = 41,
  kDs = 43,
  kRrsig = 46,
  kNsec = 47,
  kDnskey = 48,
  kSvcb = 64,
  kHttps = 65,
  kTsig = 250,
  kIxfr = 251,
  kAxfr = 252,
  kAny = 255,
};
/// "AAAA"; of a type without a name here "TYPE65280" (RFC 3597).
std::string to_string(RecordType type);
/// Either of these spellings, in any case.
std::optional<RecordType> parse_record_type(std::string_view text);

enum class RecordClass : std::uint16_t { kIn = 1, kChaos = 3, kAny = 255 };

enum class Opcode : std::uint8_t { kQuery = 0, kStatus = 2, kNotify = 4, kUpdate = 5 };

/// Those above 15 need EDNS (RFC 6891, section 6.1.3).
enum class Rcode : std::uint16_t {
  kNoError = 0,
  kFormatError = 1,
  kServerFailure = 2,
  kNameError = 3,
  kNotImplemented = 4,
  kRefused = 5,
  kBadVersion = 16,
};
/// "NXDOMAIN"; of one without a name here "RCODE9".
std::string to_string(Rcode rcode);
std::optional<Rcode> parse_rcode(std::string_view text);

/// Why an answer is what it is (RFC 8914).
enum class ExtendedError : std::uint16_t {
  kOther = 0,
  kStaleAnswer = 3,
  kNotReady = 14,
  kBlocked = 15,
  kFiltered = 17,
  kProhibited = 18,
  kStaleNameError = 19,
  kNotAuthoritative = 20,
  kNoReachableAuthority = 22,
  kNetworkError = 23,
};

/// EDNS options that we read or write.
enum class EdnsOption : std::uint16_t {
  kNameServerId = 3,
  kClientSubnet = 8,
  kCookie = 10,
  kTcpKeepalive = 11,
  kExtendedError = 15,
  /// Ours, of the numbers for local use (RFC 6891, section 9). Empty in a query, it asks where the
  /// answer comes from; the answer says so in words: "cluster", "cache, 12 s old",
  /// "upstream 192.0.2.1:53 in 0.8 ms".
  kSource = 65053,
};

}  // namespace weft::dns
