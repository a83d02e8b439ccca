#include "store/lease_file.h"

#include "base/json.h"
#include "store/lease_table.h"

namespace weft {

Result<Lease> parse_lease_file(const std::string& name, std::string_view text,
                               std::int64_t written) {
  Lease lease;
  ASSIGN_OR_RETURN(lease.key, parse_lease_name(name));
  ASSIGN_OR_RETURN(const Json value, parse_json(text));
  ASSIGN_OR_RETURN(lease.attributes, LeaseAttributes::read(value));
  std::optional<std::string> expiration;
  lease.version = written;
  ObjectReader reader(value, "lease");
  reader.read("Expiration", expiration);
  reader.read("Version", lease.version);
  RETURN_IF_ERROR(reader.finish());
  lease.reserved = !expiration;
  if (!expiration) return lease;
  lease.expiry = parse_time(*expiration);
  if (!lease.expiry)
    return fail("Expiration \"" + expiration->substr(0, 40) +
                "\" is no time such as 2026-01-31T12:00:00Z");
  return lease;
}

std::string lease_file_text(const Lease& lease) {
  std::string text = lease.attributes.to_json();
  text.pop_back();
  if (lease.expiry) text += ",\"Expiration\":\"" + print_time(*lease.expiry) + "\"";
  return text + ",\"Version\":" + std::to_string(lease.version) + "}\n";
}

}  // namespace weft
