#include "base/process.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

// A program that ends without reading what it is given does not end us.
TEST(ProcessTest, InputThatNobodyReadsIsNoHarm) {
  for (int i = 0; i < 20; ++i) {
    const auto outcome = run({.argv = {"true"}, .input = std::string(1 << 20, 'x')});
    ASSERT_TRUE(outcome) << outcome.error().text();
    EXPECT_EQ(outcome->exit_code, 0);
  }
}

TEST(ProcessTest, CollectsOutputErrorsAndExitCode) {
  const auto outcome = run({.argv = {"sh", "-c", "cat; echo no >&2; exit 3"}, .input = "yes"});
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->output, "yes");
  EXPECT_EQ(outcome->errors, "no\n");
  EXPECT_EQ(outcome->exit_code, 3);
}

TEST(ProcessTest, NothingGoesThroughAShell) {
  EXPECT_EQ(*run_or_fail({.argv = {"echo", "-n", "$HOME; `id`"}}), "$HOME; `id`");
}

TEST(ProcessTest, EnvironmentIsOursOrTheGivenOne) {
  ::setenv("WEFT_TEST_WORD", "ours", 1);
  EXPECT_EQ(*run_or_fail({.argv = {"/bin/sh", "-c", "echo $WEFT_TEST_WORD"}}), "ours\n");
  EXPECT_EQ(*run_or_fail({.argv = {"/bin/sh", "-c", "echo $WEFT_TEST_WORD"},
                          .environment = {{"WEFT_TEST_WORD=given"}}}),
            "given\n");
}

// More than any pipe holds, in both directions at once.
TEST(ProcessTest, LargeInputAndOutputDoNotBlock) {
  const std::string large(3'000'000, 'x');
  const auto outcome = run({.argv = {"cat"}, .input = large});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, large);
}

TEST(ProcessTest, SignalIsAnExitCode) {
  EXPECT_EQ(run({.argv = {"sh", "-c", "kill -9 $$"}})->exit_code, 137);
}

TEST(ProcessTest, FailureQuotesTheProgram) {
  const auto output = run_or_fail({.argv = {"sh", "-c", "echo one; echo two >&2; exit 4"}});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().what, "sh ended with exit code 4: two");
}

TEST(ProcessTest, MissingProgramIsNamed) {
  const auto outcome = run({.argv = {"no-such-program-of-weft"}});
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().what.find("no-such-program-of-weft"), std::string::npos);
  EXPECT_EQ(outcome.error().number, ENOENT);
}

TEST(ProcessTest, RunnableIsWhatPathOrThePathLeadsTo) {
  EXPECT_TRUE(is_runnable("sh"));
  EXPECT_TRUE(is_runnable("/bin/sh"));
  EXPECT_FALSE(is_runnable("no-such-program"));
  EXPECT_FALSE(is_runnable("/etc/passwd"));
}

TEST(ProcessTest, LimitIsKept) {
  const auto begun = std::chrono::steady_clock::now();
  const auto outcome = run({.argv = {"sleep", "60"}, .limit = std::chrono::milliseconds(100)});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().what, "sleep did not end within 100 ms");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

}  // namespace
}  // namespace weft
