#include "net/nft_typeof.h"

#include <gtest/gtest.h>

namespace weft::nft {
namespace {

std::string hexadecimal(const Bytes& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

Bytes endpoints(Family family) {
  return typeof_record({TypeofField::destination_address(family), TypeofField::l4_protocol(),
                        TypeofField::destination_port(), TypeofField::random(65536)},
                       {TypeofField::destination_address(family), TypeofField::destination_port()});
}

// What nft 1.0.6 notes on a map that is declared as
//   typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport
TEST(NftTypeof, IsWhatNftNotes) {
  EXPECT_EQ(hexadecimal(endpoints(Family::kIpv4)),
            "036000040d00000001580014000407000000010c00040c00000001040c000000010e000409000000010600"
            "04100000000214000407000000010c00040b000000010402000000031a0004170000000112000401000000"
            "01040000010002040000000004"
            "3400040d000000012c0014000407000000010c00040c00000001040c0000000114000407000000010c0004"
            "0b000000010402000000");
  EXPECT_EQ(hexadecimal(endpoints(Family::kIpv6)),
            "036000040d00000001580014000407000000010c00040d000000010409000000010e000409000000010600"
            "04100000000214000407000000010c00040b000000010402000000031a0004170000000112000401000000"
            "01040000010002040000000004"
            "3400040d000000012c0014000407000000010c00040d0000000104090000000114000407000000010c0004"
            "0b000000010402000000");
}

}  // namespace
}  // namespace weft::nft
