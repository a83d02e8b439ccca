#include "cni/system_bus.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "base/unix_address.h"

namespace weft::cni {
namespace {

constexpr const char* kUsualAddress = "unix:path=/var/run/dbus/system_bus_socket";
constexpr const char* kBus = "org.freedesktop.DBus";
constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};
constexpr int kMessagesInBetween = 100;

DbusCall bus_call(const char* member, std::vector<std::string> arguments) {
  return {.destination = kBus,
          .path = "/org/freedesktop/DBus",
          .interface = kBus,
          .member = member,
          .arguments = std::move(arguments)};
}

// The first address of a list that is a socket of this machine, as UnixAddress takes it.
Result<std::string> socket_path(const std::string& addresses) {
  constexpr std::string_view kPath = "unix:path=";
  constexpr std::string_view kAbstract = "unix:abstract=";
  for (const auto& address : split(addresses, ';')) {
    const std::string place = address.substr(0, address.find(','));
    if (place.starts_with(kPath)) return place.substr(kPath.size());
    if (place.starts_with(kAbstract)) return "@" + place.substr(kAbstract.size());
  }
  return fail("\"" + addresses + "\" names no socket of a D-Bus");
}

std::string hexadecimal(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const char letter : text) {
    const auto c = static_cast<unsigned char>(letter);
    digits += kDigits[c >> 4U];
    digits += kDigits[c & 0xfU];
  }
  return digits;
}

}  // namespace

Result<SystemBus> SystemBus::connect() {
  const char* given = std::getenv("DBUS_SYSTEM_BUS_ADDRESS");
  ASSIGN_OR_RETURN(const std::string path,
                   socket_path(given != nullptr && *given != '\0' ? given : kUsualAddress));
  ASSIGN_OR_RETURN(const UnixAddress address, UnixAddress::parse(path));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.empty()) return fail_errno("creating a socket");
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (::connect(socket.get(), address.get(), address.size()) != 0)
    return fail_errno("connecting to the system's D-Bus at " + path);
  SystemBus bus(std::move(socket));
  RETURN_IF_ERROR(bus.authenticate());
  ASSIGN_OR_RETURN(const DbusMessage hello, bus.call(bus_call("Hello", {})));
  if (hello.type == DbusMessage::Type::kError)
    return fail("the D-Bus does not welcome us: " + hello.error_name + ": " + hello.text);
  return bus;
}

Status SystemBus::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail_errno("writing to the system's D-Bus");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Status SystemBus::receive() {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading from the system's D-Bus");
    if (got == 0) return fail("the system's D-Bus closed the connection");
    received_.append(buffer.data(), static_cast<std::size_t>(got));
    return {};
  }
}

// The kernel tells the bus our user id; we say the same one.
Status SystemBus::authenticate() {
  constexpr std::size_t kLongestLine = 1024;
  const std::string user = hexadecimal(std::to_string(::geteuid()));
  RETURN_IF_ERROR(send(std::string(1, '\0') + "AUTH EXTERNAL " + user + "\r\n"));
  while (received_.find("\r\n") == std::string::npos) {
    if (received_.size() > kLongestLine) return fail("what answers is no D-Bus");
    RETURN_IF_ERROR(receive());
  }
  if (!received_.starts_with("OK "))
    return fail("the system's D-Bus refuses us: " + received_.substr(0, received_.find("\r\n")));
  received_.clear();
  return send("BEGIN\r\n");
}

Result<DbusMessage> SystemBus::next_message() {
  for (;;) {
    const auto size = dbus_message_size(received_);
    if (size && *size == 0) return fail("the system's D-Bus sent something that is no message");
    if (size && received_.size() >= *size) {
      const auto message = decode_dbus_message(std::string_view(received_).substr(0, *size));
      received_.erase(0, *size);
      if (!message) return fail("the system's D-Bus sent a broken message");
      return *message;
    }
    RETURN_IF_ERROR(receive());
  }
}

Result<DbusMessage> SystemBus::call(const DbusCall& call) {
  const std::uint32_t serial = ++serial_;
  RETURN_IF_ERROR(send(encode_dbus_call(call, serial)));
  for (int i = 0; i < kMessagesInBetween; ++i) {
    auto message = next_message();
    if (!message) return because("calling " + call.destination, message.error());
    const bool is_answer =
        message->type == DbusMessage::Type::kReturn || message->type == DbusMessage::Type::kError;
    if (is_answer && message->reply_serial == serial) return message;
  }
  return fail("calling " + call.destination + ": no answer among " +
              std::to_string(kMessagesInBetween) + " messages");
}

Result<bool> SystemBus::has_owner(const std::string& name) {
  ASSIGN_OR_RETURN(const DbusMessage answer, call(bus_call("NameHasOwner", {name})));
  return answer.truth;
}

}  // namespace weft::cni
