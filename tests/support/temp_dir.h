// temp_dir.h: a folder below /tmp that goes away with its object.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/files.h"

namespace weft::test {

class TempDir {
 public:
  TempDir() {
    char path[] = "/tmp/weft-test-XXXXXX";
    if (::mkdtemp(path) == nullptr) {
      std::perror("mkdtemp");
      std::abort();
    }
    path_ = path;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { (void)remove_tree(path_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace weft::test
