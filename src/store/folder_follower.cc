#include "store/folder_follower.h"

#include <sys/eventfd.h>

#include <utility>

#include "base/loop.h"

namespace weft {

using std::chrono::milliseconds;

FolderFollower::FolderFollower(std::string folder, std::string what, Reader& reader)
    : folder_(std::move(folder)),
      what_(std::move(what)),
      reader_(reader),
      events_(folder_),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

FolderFollower::~FolderFollower() {
  thread_.request_stop();
  ::eventfd_write(wake_.get(), 1);
}

// Watch first and read then: what changes in between is read twice and not missed.
void FolderFollower::run(const std::stop_token& stop) {
  unsigned failures = 0;
  while (!stop.stop_requested()) {
    const auto there = events_.arm();
    Status status;
    if (!there)
      status = Failure(there.error());
    else if (!*there)
      status = fail("the folder " + folder_ + " is gone; " + what_ + " last read stay in use",
                    "make it again, or point the store elsewhere");
    else if (status = reader_.read_everything(); status)
      status = follow(stop);
    failures = status ? 0 : failures + 1;
    if (status) continue;
    reader_.report(status);
    // A missing folder tells when it comes; every other trouble has to be tried again.
    const bool missing = there && !*there;
    (void)events_.wait(wake_,
                       missing ? std::nullopt : std::optional(backoff(failures, milliseconds(0))));
  }
}

// Applies one batch of events after the other; returns when everything must be read anew.
Status FolderFollower::follow(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    ASSIGN_OR_RETURN(auto batch, events_.wait(wake_, reader_.until_next()));
    if (!batch.gone.empty()) RETURN_IF_ERROR(settle(batch));
    if (batch.lost) return {};
    if (!batch.empty()) RETURN_IF_ERROR(reader_.apply(batch));
    if (const auto wait = reader_.until_next(); wait && *wait <= milliseconds(0)) reader_.on_time();
  }
  return {};
}

// A removal may be the first of a folder that is on its way out, and that would not mean that
// what the files held is gone. So removals wait until nothing has happened for a moment; but not
// for ever, in a folder that is never quiet.
Status FolderFollower::settle(FolderEvents::Batch& batch) {
  constexpr milliseconds kQuiet(50);
  constexpr milliseconds kAtMost(2000);
  const auto deadline = std::chrono::steady_clock::now() + kAtMost;
  while (!batch.lost && std::chrono::steady_clock::now() < deadline) {
    ASSIGN_OR_RETURN(auto more, events_.wait(wake_, kQuiet));
    if (more.empty()) return {};
    batch.lost = more.lost;
    batch.put.merge(more.put);
    batch.gone.merge(more.gone);
  }
  return {};
}

}  // namespace weft
