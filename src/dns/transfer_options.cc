// The plugin `transfer`.
#include "base/json.h"
#include "dns/option_reading.h"

namespace weft::dns {
namespace {

// "10.0.0.1", "10.0.0.0/8", "*"; behind an address a port may stand, which is that of CoreDNS's
// notifications.
Status take_to(const CorefileLine& line, TransferOptions& options) {
  for (const std::string& word : line.words) {
    if (word == "*") {
      options.to_all = true;
      continue;
    }
    const auto address = IpAddress::parse(word);
    auto network = address ? Prefix::host(*address) : Prefix::parse(word);
    if (!network)
      if (const auto place = address_in(line, word, 53)) network = Prefix::host(place->address);
    if (!network)
      return line.fault("transfer: " + shown(word) + " is no address, no network and not *");
    options.to.push_back(*network);
  }
  return {};
}

}  // namespace

Result<TransferOptions> read_transfer(const CorefileLine& plugin) {
  TransferOptions options;
  ASSIGN_OR_RETURN(options.zones, zones_in(plugin, 0));
  RETURN_IF_ERROR(read_options(plugin, {{"to", 1, kAnyNumber, [&](const CorefileLine& line) {
                                           return take_to(line, options);
                                         }}}));
  if (!options.to_all && options.to.empty())
    return plugin.fault("transfer has nobody to transfer to", "add `to` with addresses, or *");
  return options;
}

}  // namespace weft::dns
