#include "store/kube_list_watch.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "base/loop.h"

namespace weft {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// A share of one half up to three halves.
milliseconds spread(milliseconds delay) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return delay * std::uniform_int_distribution<int>(50, 150)(random) / 100;
}

// Continuations are base64url, versions are numbers: but both come from a server.
std::string query_value(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
        c == '_' || c == '.')
      escaped += c;
    else
      escaped.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
  }
  return escaped;
}

}  // namespace

KubeListWatch::KubeListWatch(const KubeClient& client, KubeListWatchOptions options, KubeSink& sink,
                             std::function<void()> changed)
    : client_(client),
      options_(std::move(options)),
      sink_(sink),
      changed_(std::move(changed)),
      health_(Error{.what = "nothing has been read yet from the " + client.describe(),
                    .number = EAGAIN}),
      wanted_(options_.selection) {}

void KubeListWatch::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void KubeListWatch::select(KubeSelection selection) {
  wanted_.with([&](KubeSelection& wanted) { wanted = std::move(selection); });
}

void KubeListWatch::read_anew() {
  is_to_read_anew_ = true;
  stream_.break_off();
}

void KubeListWatch::run(const std::stop_token& stop) {
  constexpr milliseconds kShortLived(1000);
  unsigned failures = 0;
  while (!stop.stop_requested()) {
    const auto begun = Clock::now();
    if (is_to_read_anew_.exchange(false)) complete_ = false;
    Status status = complete_ ? Status{} : list(stop);
    if (status) status = follow(stop);
    if (stop.stop_requested()) return;
    const bool lived = Clock::now() - begun >= kShortLived;
    if (!status) {
      if (status.error().number == ESTALE) complete_ = false;
      report(std::move(status));
      failures = lived ? 1 : failures + 1;
    } else {
      // The server ended the stream, as it does now and then: on at once, unless it does so
      // each time.
      failures = lived ? 0 : failures + 1;
    }
    pause(stop, spread(std::min(backoff(failures, milliseconds(0)), options_.longest_pause)));
  }
}

Status KubeListWatch::list(const std::stop_token& stop) {
  sink_.begin();
  // Not before: whom the list is for is certain now.
  selection_ = wanted_.copy();
  std::string continuation;
  do {
    auto next = list_page(continuation, stop);
    if (!next) return because("listing " + options_.path, std::move(next).error());
    if (!next->empty() && *next == continuation)
      return fail("listing " + options_.path + ": the same page again and again");
    continuation = *std::move(next);
  } while (!continuation.empty());
  sink_.commit();
  complete_ = true;
  report({});
  changed_();
  return {};
}

Result<std::string> KubeListWatch::list_page(const std::string& continuation,
                                             const std::stop_token& stop) {
  KubeListDecoder decoder([&](std::string_view object) -> Status {
    ASSIGN_OR_RETURN(const KubeMeta meta, read_kube_meta(object));
    if (meta.name.empty()) return fail("an item without a name");
    sink_.list_item(KubeObject(meta, object));
    return {};
  });
  std::string path = options_.path + "?limit=" + std::to_string(options_.page) + selection();
  if (version_.empty()) path += "&resourceVersion=0";
  if (!continuation.empty()) path += "&continue=" + query_value(continuation);
  Status read;
  RETURN_IF_ERROR(
      client_.stream({.path = path}, options_.list_patience, stop, [&](std::string_view bytes) {
        read = decoder.feed(bytes);
        return read.has_value();
      }));
  RETURN_IF_ERROR(read);
  ASSIGN_OR_RETURN(KubeListDecoder::End end, decoder.finish());
  version_ = std::move(end.version);
  return std::move(end.continuation);
}

// Success when the server has ended the stream in good order, when it has been broken off, or when
// it has fallen silent after it had agreed to watch: a server that has been started again sends no
// bookmark of a collection in which nothing has happened since. One that has accepted the
// connection and says nothing at all is no server.
Status KubeListWatch::follow(const std::stop_token& stop) {
  const auto time = std::chrono::duration_cast<std::chrono::seconds>(
      std::clamp(spread(options_.watch_time), milliseconds(options_.watch_time),
                 milliseconds(options_.watch_time * 3 / 2)));
  const std::string path = options_.path + "?watch=true&allowWatchBookmarks=true&resourceVersion=" +
                           query_value(version_) +
                           "&timeoutSeconds=" + std::to_string(time.count()) + selection();
  KubeFrames frames;
  Status trouble;
  bool has_agreed = false;
  const auto receive = [&](std::string_view bytes) {
    // The server watches from our version on: nothing has been missed.
    has_agreed = true;
    report({});
    trouble = frames.feed(bytes, [this](std::string_view frame) { return apply(frame); });
    return trouble.has_value();
  };
  Status ended = stream_.run(stop, [&](const std::stop_token& this_stream) -> Status {
    // Whoever wants that from here on breaks this stream off.
    if (is_to_read_anew_) return {};
    return client_.stream(
        {.path = path},
        {.silence = options_.watch_silence, .whole = time + std::chrono::seconds(30)}, this_stream,
        receive);
  });
  if (!trouble) {
    // What cannot be read may be what we must know.
    complete_ = false;
    return because("watching " + options_.path, std::move(trouble).error());
  }
  if (ended || (has_agreed && ended.error().number == ETIMEDOUT)) return {};
  if (ended.error().number == ECANCELED) return {};
  return because("watching " + options_.path, std::move(ended).error());
}

std::string KubeListWatch::selection() const {
  std::string text;
  if (!selection_.labels.empty()) text += "&labelSelector=" + query_value(selection_.labels);
  if (!selection_.fields.empty()) text += "&fieldSelector=" + query_value(selection_.fields);
  return text;
}

Status KubeListWatch::apply(std::string_view frame) {
  using Type = KubeWatchEvent::Type;
  ASSIGN_OR_RETURN(const KubeWatchEvent event, parse_kube_watch_event(frame));
  if (event.type == Type::kError) return kube_watch_error(event.object);
  ASSIGN_OR_RETURN(KubeMeta meta, read_kube_meta(event.object));
  const bool bookmark = event.type == Type::kBookmark;
  if (meta.version.empty() || (meta.name.empty() && !bookmark))
    return fail("a watch event without a name or a resourceVersion");
  const bool news = event.type == Type::kPut       ? sink_.put(KubeObject(meta, event.object))
                    : event.type == Type::kRemoved ? sink_.remove(meta)
                                                   : false;
  version_ = std::move(meta.version);
  report({});
  if (news) changed_();
  return {};
}

void KubeListWatch::report(Status health) {
  if (health_.set(std::move(health))) changed_();
}

}  // namespace weft
