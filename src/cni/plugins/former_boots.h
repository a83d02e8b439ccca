// former_boots.h: which of host-local's files were written before the machine was started anew.
//
// Kept as `.weft-former-boots` in the folder of a network: one line a file, made at the first call
// of a boot. A file that is released and written again has another fingerprint and so is not
// meant any more.
#pragma once

#include <ctime>
#include <set>
#include <string>
#include <vector>

#include "cni/plugins/address_store.h"

namespace weft::cni {

/// "10.1.2.3 INODE SECONDS.NANOSECONDS": this writing of this file.
std::string fingerprint(const Reservation& reservation);

/// When this boot began, by the wall clock.
timespec start_of_boot();

/// Writes down those of the reservations that are older than `start`. On failure nothing counts as
/// of a former boot.
void record_former_boots(int directory, const std::vector<Reservation>& reservations,
                         const timespec& start);
/// The fingerprints; none when there is no file.
std::set<std::string> read_former_boots(int directory);

}  // namespace weft::cni
