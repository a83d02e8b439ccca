// allocation_count.h: how often the calling thread has asked for memory with `new`, for what must
// not. A program that links allocation_count.cc counts.
#pragma once

#include <cstddef>

namespace weft::test {

std::size_t allocation_count();

}  // namespace weft::test
