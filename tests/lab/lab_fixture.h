// lab_fixture.h: a lab of the real programs for one test, gone with the test.
#pragma once

#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/process.h"

namespace weft::test {

class LabTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& name : started_) weft({"lab", "down", "--name", name});
  }

  /// A name that no test running beside this one has.
  std::string lab_name(const std::string& suffix = "") {
    const std::string name = "t" + std::to_string(::getpid()) + suffix;
    started_.push_back(name);
    return name;
  }

  static Outcome weft(const std::vector<std::string>& words) {
    std::vector<std::string> argv = {WEFT_PROGRAM};
    argv.insert(argv.end(), words.begin(), words.end());
    auto outcome = run({.argv = argv, .limit = std::chrono::seconds(60)});
    EXPECT_TRUE(outcome) << outcome.error().text();
    return outcome.value_or(Outcome{.exit_code = -1});
  }

  /// The output of a command that must succeed.
  static std::string must(const std::vector<std::string>& words) {
    const Outcome outcome = weft(words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output << outcome.errors;
    return outcome.output;
  }

  /// What a program in a node or pod prints; it must succeed.
  static std::string in(const std::string& lab, const std::string& member,
                        const std::vector<std::string>& program) {
    std::vector<std::string> words = {"lab", "exec", "--name", lab, member, "--"};
    words.insert(words.end(), program.begin(), program.end());
    return must(words);
  }

  static Json status(const std::string& lab) {
    return parse_json(weft({"lab", "status", "--name", lab, "-o", "json"}).output)
        .value_or(Json::object());
  }

  struct Matrix {
    int exit_code = -1;
    Json report;

    Json pairs_of(const std::string& wanted) const {
      for (const auto& path_class : report["classes"])
        if (path_class["class"] == wanted) return path_class["pairs"];
      return Json::array();
    }
    /// The reasons of the failed pairs of a class.
    std::vector<std::string> failures(const std::string& wanted) const {
      std::vector<std::string> reasons;
      for (const auto& pair : pairs_of(wanted))
        if (!pair["ok"].get<bool>()) reasons.push_back(pair["reason"].get<std::string>());
      return reasons;
    }
    std::size_t pairs(const std::string& wanted) const { return pairs_of(wanted).size(); }
  };
  static Matrix matrix(const std::string& lab) {
    const Outcome outcome = weft({"matrix", "--name", lab, "-o", "json", "--timeout", "1000"});
    EXPECT_FALSE(outcome.output.empty()) << outcome.errors;
    return {.exit_code = outcome.exit_code,
            .report = parse_json(outcome.output).value_or(Json::object())};
  }

  /// Asks again and again, for at most 5 s.
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  /// Namespaces, state and processes that bear the lab's name.
  static std::vector<std::string> leftovers(const std::string& lab) {
    std::vector<std::string> found;
    for (const auto& name : list_directory("/run/netns").value_or(std::vector<std::string>()))
      if (contains(name, "weft-" + lab + "-")) found.push_back("netns " + name);
    for (const std::string folder : {"/run/weft/labs", "/run/weft/locks"})
      for (const auto& name : list_directory(folder).value_or(std::vector<std::string>()))
        if (name == lab) found.push_back(folder + "/" + name);
    for (const auto& pid : list_directory("/proc").value_or(std::vector<std::string>())) {
      const auto command = read_file("/proc/" + pid + "/cmdline");
      if (command && contains(*command, "/labs/" + lab + "/")) found.push_back("process " + pid);
    }
    return found;
  }

 private:
  std::vector<std::string> started_;
};

}  // namespace weft::test
