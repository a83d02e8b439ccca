// dns_client.h: questions to a DNS server, from where the calling thread stands.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "matrix/look_up.h"

namespace weft::matrix {

/// Asks for a name's addresses of both families side by side, over UDP, and over TCP where an
/// answer was cut. Takes at most `timeout`, twice where it needs TCP.
std::vector<Asked> ask_server(const std::string& name, const IpAddress& server,
                              std::chrono::milliseconds timeout);

}  // namespace weft::matrix
