// system_bus.h: calls of services on the system's D-Bus.
//
// A client of our own, because all that is needed is one call with texts and its answer. libdbus
// would be the largest library of a program that is loaded anew for every call, and cannot be
// linked into a static one in Debian: it wants systemd's library, of which there is no archive.
// Each wait ends after some seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/dbus_message.h"
#include "base/fd.h"
#include "base/result.h"

namespace weft::cni {

class SystemBus {
 public:
  /// The bus that DBUS_SYSTEM_BUS_ADDRESS names, or the usual one, which must take us by our user
  /// id. ENOENT and ECONNREFUSED where there is none.
  static Result<SystemBus> connect();

  /// An answer, which may be the service's error.
  Result<DbusMessage> call(const DbusCall& call);
  /// Whether somebody has that name on the bus.
  Result<bool> has_owner(const std::string& name);

 private:
  explicit SystemBus(Fd socket) : socket_(std::move(socket)) {}
  Status authenticate();
  Status send(std::string_view bytes);
  Status receive();
  Result<DbusMessage> next_message();

  Fd socket_;
  std::string received_ = {};
  std::uint32_t serial_ = 0;
};

}  // namespace weft::cni
