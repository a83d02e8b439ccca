// What comes from the system's D-Bus.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/dbus_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = weft::decode_dbus_message(bytes);
  // Only what is as long as it says is a message.
  if (message && weft::dbus_message_size(bytes) != size) std::abort();
  return 0;
}
