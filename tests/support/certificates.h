// certificates.h: an authority and its certificates for one test, made with openssl.
#pragma once

#include <string>

namespace weft::test {

/// FOLDER/ca.pem and ca.key. A failure ends the test program, here and below.
void make_authority(const std::string& folder);

/// FOLDER/NAME.pem and NAME.key, signed by the authority there, for a server at `addresses`
/// ("IP:127.0.0.1,IP:192.0.2.1") and for a client.
void make_certificate(const std::string& folder, const std::string& name,
                      const std::string& addresses);

}  // namespace weft::test
