// firewalld.h: a container's addresses as sources of a zone of firewalld.
#pragma once

#include <string>
#include <vector>

#include "cni/cni_error.h"
#include "net/address.h"

namespace weft::cni {

/// Whether firewalld answers on the system's D-Bus.
bool firewalld_runs();

/// An address that is in a zone already is fine, as the Go plugin has it.
CniStatus add_firewalld_sources(const std::string& zone, const std::vector<IpAddress>& addresses);
/// Whatever firewalld says: a DEL never fails because something is gone.
void remove_firewalld_sources(const std::string& zone, const std::vector<IpAddress>& addresses);
CniStatus check_firewalld_sources(const std::string& zone, const std::vector<IpAddress>& addresses);

}  // namespace weft::cni
