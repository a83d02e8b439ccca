// lease_file.h: one lease as the text of one file of the directory store.
//
// The text is flannel's value with two members more, which flannel ignores:
//
//     {"PublicIP":"192.0.2.1","PublicIPv6":null,"Expiration":"2026-01-31T12:00:00Z","Version":7}
//
// Without "Expiration" the lease is a reservation. "Version" grows with every rewriting; in a
// file that a person wrote without it, the time of the writing stands in.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cluster/lease.h"

namespace weft {

/// Reads the text of the file `name`; `written` is what stands in for a missing version.
Result<Lease> parse_lease_file(const std::string& name, std::string_view text,
                               std::int64_t written);

/// One line with its end. The value of a lease without data has flannel's bytes up to the two
/// further members.
std::string lease_file_text(const Lease& lease);

}  // namespace weft
