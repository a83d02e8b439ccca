// kube_names.h: what a table of objects holds, as a test compares it.
#pragma once

#include <string>

#include "store/kube_table.h"

namespace weft::test {

/// "a b c", or "nothing" before the first whole list.
template <class Value>
std::string kube_names(const KubeTable<Value>& table) {
  std::string text;
  const bool read = table.read([&](const auto& objects) {
    for (const auto& [name, value] : objects) text += (text.empty() ? "" : " ") + name;
  });
  return read ? text : "nothing";
}

}  // namespace weft::test
