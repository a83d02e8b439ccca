// must.h: the value of a result that has to be there; the test program ends where it is not.
#pragma once

#include <cstdlib>
#include <utility>

#include <gtest/gtest.h>

#include "base/result.h"

namespace weft::test {

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().text();
    std::abort();
  }
  return *std::move(result);
}
inline void must(const Status& status) {
  if (status) return;
  ADD_FAILURE() << status.error().text();
  std::abort();
}

}  // namespace weft::test
