#include "support/certificates.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/process.h"

namespace weft::test {
namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "certificates: %s\n", why.c_str());
  std::abort();
}

void openssl(std::vector<std::string> words) {
  words.insert(words.begin(), "openssl");
  if (auto made = run_or_fail({.argv = std::move(words)}); !made) give_up(made.error().text());
}

}  // namespace

void make_authority(const std::string& folder) {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-days", "2", "-subj", "/CN=weft test authority", "-keyout", folder + "/ca.key", "-out",
           folder + "/ca.pem"});
}

void make_certificate(const std::string& folder, const std::string& name,
                      const std::string& addresses) {
  const std::string path = folder + "/" + name;
  const std::string extensions =
      "subjectAltName=" + addresses + "\nextendedKeyUsage=serverAuth,clientAuth\n";
  if (!write_file_atomically(path + ".extensions", extensions, 0600)) give_up("no extensions");
  openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
           "/CN=weft test " + name, "-keyout", path + ".key", "-out", path + ".csr"});
  openssl({"x509", "-req", "-days", "2", "-in", path + ".csr", "-CA", folder + "/ca.pem", "-CAkey",
           folder + "/ca.key", "-CAcreateserial", "-extfile", path + ".extensions", "-out",
           path + ".pem"});
}

}  // namespace weft::test
