#include "cni/dispatch.h"

#include <array>
#include <map>

#include <gtest/gtest.h>

namespace weft::cni {
namespace {

CniResult<AddResult> add(const Call&) {
  return AddResult{.ips = {{.address = InterfaceAddress::parse("10.1.2.3/24").value()}}};
}
CniStatus succeed(const Call&) {
  return {};
}
CniStatus fail_with_code(const Call&) {
  return refuse(Code::kTryAgainLater, "busy", "ask again");
}
CniStatus fail_without_code(const Call&) {
  return Failure(Error{.what = "broken"});
}

constexpr std::array<std::string_view, 3> kOldVersions{"0.3.0", "0.3.1", "0.4.0"};

const Plugin kGood{.name = "good",
                   .add = add,
                   .del = succeed,
                   .check = succeed,
                   .status = nullptr,
                   .gc = fail_with_code};
const Plugin kOld{.name = "old",
                  .add = add,
                  .del = fail_without_code,
                  .check = succeed,
                  .status = succeed,
                  .gc = succeed,
                  .versions = kOldVersions};

struct Case {
  const char* command;
  const char* input;
  int code;  ///< 0: success
  const char* message;
  const Plugin* plugin = &kGood;
};

Answer serve(const Plugin& plugin, const std::string& command, const Result<std::string>& input) {
  const std::map<std::string, std::string> variables = {{"CNI_COMMAND", command},
                                                        {"CNI_CONTAINERID", "c1"},
                                                        {"CNI_NETNS", "/no/such/netns"},
                                                        {"CNI_IFNAME", "eth0"},
                                                        {"CNI_PATH", "/opt/cni/bin"}};
  return dispatch(
      plugin, {},
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
      },
      [&] { return input; });
}

TEST(CniDispatch, AnswersAsTheReferenceDoes) {
  const Case cases[] = {
      {"ADD", R"({"cniVersion":"1.0.0","name":"n"})", 0, ""},
      {"ADD", R"({"name":"n","NAME":"m"})", 0, ""},
      {"ADD", "", 6, "error unmarshall network config: "},
      {"ADD", "[]", 6, "error unmarshall network config: "},
      {"ADD", R"({"name":"n"} {})", 6, "error unmarshall network config: "},
      {"ADD", R"({"name":3})", 6, "error unmarshall network config: "},
      {"ADD", R"({"cniVersion":"1.0.0"})", 7, "missing network name"},
      {"ADD", R"({"name":"a/b"})", 7, "invalid characters found in network name"},
      {"ADD", R"({"cniVersion":"0.5.0","name":"n"})", 1, "incompatible CNI versions"},
      {"ADD", R"({"name":"n"})", 1, "incompatible CNI versions", &kOld},
      {"DEL", R"({"cniVersion":"1.0.0","name":"n"})", 0, ""},
      {"DEL", R"({"cniVersion":"0.4.0","name":"n"})", 999, "broken", &kOld},
      {"CHECK", R"({"cniVersion":"0.3.1","name":"n"})", 1, "config version does not allow CHECK"},
      {"CHECK", R"({"cniVersion":"0.4.0","name":"n"})", 0, ""},
      {"CHECK", R"({"cniVersion":"1.0.0","name":"n"})", 1, "plugin version does not allow CHECK",
       &kOld},
      {"CHECK", R"({"cniVersion":"1.x","name":"n"})", 6, "invalid version"},
      {"STATUS", R"({"cniVersion":"1.0.0","name":"n"})", 1, "config version does not allow STATUS"},
      {"STATUS", R"({"cniVersion":"1.1.0","name":"n"})", 0, ""},
      {"GC", R"({"cniVersion":"1.1.0","name":"n"})", 11, "busy"},
      {"GC", R"({"cniVersion":"1.1.0","name":"n"})", 1, "plugin version does not allow GC", &kOld},
      {"VERSION", "nonsense", 0, ""},
      {"LIST", R"({"cniVersion":"1.1.0","name":"n"})", 4, "unknown CNI_COMMAND: LIST"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.command) + " " + c.input);
    const Answer answer = serve(*c.plugin, c.command, std::string(c.input));
    EXPECT_EQ(answer.exit_code, c.code == 0 ? 0 : 1) << answer.output;
    if (c.code == 0) continue;
    const auto json = parse_json(answer.output).value();
    EXPECT_EQ(json["code"], c.code);
    EXPECT_NE(json["msg"].get<std::string>().find(c.message), std::string::npos) << answer.output;
  }
}

TEST(CniDispatch, OnlyAddAndVersionPrintSomething) {
  const std::string config = R"({"cniVersion":"1.1.0","name":"n"})";
  EXPECT_NE(serve(kGood, "ADD", config).output.find("10.1.2.3/24"), std::string::npos);
  EXPECT_EQ(serve(kGood, "DEL", config).output, "");
  EXPECT_EQ(serve(kGood, "CHECK", config).output, "");
  EXPECT_EQ(serve(kGood, "STATUS", config).output, "");
}

TEST(CniDispatch, TellsDetailsAndUnreadableInput) {
  const auto versions =
      parse_json(serve(kOld, "ADD", std::string(R"({"cniVersion":"1.0.0","name":"n"})")).output)
          .value();
  EXPECT_EQ(versions["details"], R"(config is "1.0.0", plugin supports ["0.3.0" "0.3.1" "0.4.0"])");
  const auto unread = parse_json(serve(kGood, "ADD", fail("the pipe is broken")).output).value();
  EXPECT_EQ(unread["code"], 5);
  EXPECT_EQ(unread["msg"], "error reading from stdin: the pipe is broken");
}

}  // namespace
}  // namespace weft::cni
