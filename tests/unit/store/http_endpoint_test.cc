#include "store/http_endpoint.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(HttpEndpointTest, Accepted) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {"http://127.0.0.1:2379", "http://127.0.0.1:2379"},
           {"https://etcd.example:443/", "https://etcd.example:443"},
           {"https://etcd.example", "https://etcd.example:2379"},
           {"127.0.0.1", "http://127.0.0.1:2379"},
           {"etcd:4001", "http://etcd:4001"},
           {"http://[::1]:2379", "http://[::1]:2379"},
           {"https://[fd00::7]", "https://[fd00::7]:2379"},
       }) {
    const auto endpoint = HttpEndpoint::parse(text, 2379);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), expected);
    EXPECT_EQ(HttpEndpoint::parse(endpoint->to_string(), 1), endpoint) << text;
  }
}

TEST(HttpEndpointTest, Refused) {
  for (const std::string text :
       {"", "http://", "ftp://x", "unix:///run/etcd", "http://user:word@host:1", "host:0",
        "host:65536", "host:", "host:1x", "http://host/path", "http://[::1", "http://[::1]x", "a b",
        "://x"})
    EXPECT_FALSE(HttpEndpoint::parse(text, 2379)) << text;
}

}  // namespace
}  // namespace weft
