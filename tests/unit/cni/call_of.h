// call_of.h: a plugin's call out of a configuration's text.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "cni/plugin.h"

namespace weft::cni {

struct CallOf {
  explicit CallOf(const std::string& text, std::string args = {})
      : environment{.container_id = "c1", .ifname = "eth0", .args = std::move(args)},
        config(parse_json(text).value()),
        call{environment,
             config,
             text,
             config.value("name", ""),
             config.value("cniVersion", std::string(kDefaultVersion)),
             {}} {}

  Environment environment;
  Json config;
  Call call;
};

}  // namespace weft::cni
