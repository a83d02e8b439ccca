#include "dns/corefile_loading.h"

#include <glob.h>

#include <utility>

#include "base/files.h"
#include "base/sha2.h"
#include "dns/corefile.h"

namespace weft::dns {
namespace {

// "/etc/coredns/" and "Corefile".
struct SplitPath {
  explicit SplitPath(const std::string& path)
      : folder(path, 0, path.rfind('/') + 1), name(path, path.rfind('/') + 1) {}
  std::string folder;
  std::string name;
};

// Reads files and keeps what was in them, one behind the other.
class Reader {
 public:
  Result<CorefileSources::File> read(const std::string& path, const std::string& name) {
    ASSIGN_OR_RETURN(std::string text, read_file(path));
    everything_ += text;
    return CorefileSources::File{.name = name, .text = std::move(text)};
  }

  Result<std::vector<CorefileSources::File>> read_matches(const std::string& pattern) {
    std::vector<CorefileSources::File> files;
    for (const std::string& path : matches(pattern)) {
      ASSIGN_OR_RETURN(CorefileSources::File file, read(path, path));
      files.push_back(std::move(file));
    }
    return files;
  }

  // What is not there is no trouble now: whoever needs it will say so.
  void note(const std::string& path) { everything_ += read_file(path).value_or(""); }

  std::string digest() const { return sha512_hex(everything_, 128); }

 private:
  static std::vector<std::string> matches(const std::string& pattern) {
    glob_t found{};
    std::vector<std::string> paths;
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
      paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    return paths;
  }

  std::string everything_;
};

}  // namespace

Result<LoadedCorefile> load_corefile(const std::string& path, std::uint16_t default_port,
                                     const Environment& environment) {
  const SplitPath split(path);
  Reader reader;
  ASSIGN_OR_RETURN(const CorefileSources::File file, reader.read(path, split.name));
  const CorefileSources sources{
      .environment = [&](const std::string& name) { return environment(name.c_str()); },
      .import =
          [&](const std::string& pattern) {
            return reader.read_matches(pattern.starts_with('/') ? pattern : split.folder + pattern);
          }};
  ASSIGN_OR_RETURN(const Corefile parsed, parse_corefile(file, sources, default_port));
  LoadedCorefile loaded;
  ASSIGN_OR_RETURN(loaded.blocks, read_plugins(parsed));
  for (const BlockOptions& block : loaded.blocks)
    for (const ForwardOptions& forward : block.forward)
      for (const std::string& resolv_file : forward.resolv_files) reader.note(resolv_file);
  loaded.digest = reader.digest();
  return loaded;
}

}  // namespace weft::dns
