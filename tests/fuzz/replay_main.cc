// Feeds a fuzzer every file of the folders it is given, once.
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
  std::size_t inputs = 0;
  for (int i = 1; i < count; ++i) {
    const std::string folder = arguments[i];
    const auto names = weft::list_directory(folder);
    if (!names) {
      std::fprintf(stderr, "%s\n", names.error().text().c_str());
      return 1;
    }
    for (const auto& name : *names) {
      const auto input = weft::read_file(folder + "/" + name);
      if (!input) {
        std::fprintf(stderr, "%s\n", input.error().text().c_str());
        return 1;
      }
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input->data()), input->size());
      ++inputs;
    }
  }
  std::printf("%zu inputs\n", inputs);
  return inputs == 0 ? 1 : 0;
}
