#include "service/service_feed.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace weft::service {
namespace {

constexpr std::size_t kMostTold = 1000;

}  // namespace

// What is done with a kind of object on the board.
struct ServiceFeed::Services {
  using Object = Service;
  static constexpr const char* kKind = "Service";
  static void begin(ServiceBoard& board) { board.begin_services(); }
  static void end(ServiceBoard& board) { board.end_services(); }
  static void keep(ServiceBoard& board, const std::string& ns, const std::string& name) {
    board.keep_service({ns, name});
  }
  static void remove(ServiceBoard& board, const std::string& ns, const std::string& name) {
    board.remove_service({ns, name});
  }
};

struct ServiceFeed::Slices {
  using Object = EndpointSlice;
  static constexpr const char* kKind = "EndpointSlice";
  static void begin(ServiceBoard& board) { board.begin_slices(); }
  static void end(ServiceBoard& board) { board.end_slices(); }
  static void keep(ServiceBoard& board, const std::string& ns, const std::string& name) {
    board.keep_slice(ns, name);
  }
  static void remove(ServiceBoard& board, const std::string& ns, const std::string& name) {
    board.remove_slice(ns, name);
  }
};

template <class Kind>
class ServiceFeed::Sink : public KubeSink, public ObjectSink {
 public:
  explicit Sink(ServiceFeed& feed) : feed_(feed) {}

  // Both of them.
  void begin() override { feed_.board_.with(Kind::begin); }

  void list_item(const KubeObject& object) override { put(object); }
  void commit() override { feed_.board_.with(Kind::end); }
  bool put(const KubeObject& object) override {
    take(object.meta().ns, object.meta().name, object.as<typename Kind::Object>());
    return true;
  }
  bool remove(const KubeMeta& meta) override {
    feed_.board_.with([&](ServiceBoard& board) { Kind::remove(board, meta.ns, meta.name); });
    return true;
  }

  void end() override { commit(); }
  void put(const ObjectKey& key, const Json& object) override {
    take(key.ns, key.name, Kind::Object::read(object));
  }
  void remove(const ObjectKey& key) override {
    feed_.board_.with([&](ServiceBoard& board) { Kind::remove(board, key.ns, key.name); });
  }

 private:
  void take(const std::string& ns, const std::string& name,
            const Result<typename Kind::Object>& object) {
    const std::string title = std::string(Kind::kKind) + " " + ns + "/" + name;
    feed_.tell(title, object ? object->faults : std::vector{object.error().text()});
    if (object) feed_.look_at(title, *object);
    feed_.board_.with([&](ServiceBoard& board) {
      if (object)
        board.put(*object);
      else
        Kind::keep(board, ns, name);
    });
  }

  ServiceFeed& feed_;
};

ServiceFeed::ServiceFeed(NodeFacts node, Misfit misfit)
    : misfit_(std::move(misfit)),
      board_(ServiceBoard(std::move(node), std::chrono::system_clock::now())),
      services_(std::make_unique<Sink<Services>>(*this)),
      slices_(std::make_unique<Sink<Slices>>(*this)) {}

ServiceFeed::~ServiceFeed() = default;

KubeSink& ServiceFeed::kube_services() {
  return *services_;
}
KubeSink& ServiceFeed::kube_slices() {
  return *slices_;
}
ObjectSink& ServiceFeed::services() {
  return *services_;
}
ObjectSink& ServiceFeed::slices() {
  return *slices_;
}

void ServiceFeed::look_at(const std::string& title, const Service& service) {
  for (const auto& sentence : tell(title, misfits(service)))
    if (misfit_) misfit_(service.name, sentence);
}

std::vector<std::string> ServiceFeed::tell(const std::string& object,
                                           const std::vector<std::string>& faults) {
  std::vector<std::string> news;
  for (const auto& fault : faults) {
    std::string line = object;
    line.append(": ").append(fault);
    const bool is_news = told_.with([&](auto& told) {
      // Whoever may write Services can think of ever new faults.
      if (told.size() >= kMostTold) told.clear();
      return told.insert(line).second;
    });
    if (!is_news) continue;
    spdlog::warn("{}", line);
    news.push_back(fault);
  }
  return news;
}

bool ServiceFeed::complete() const {
  return board_.with([](const ServiceBoard& board) { return board.complete(); });
}

TakenServices ServiceFeed::take_all(const std::vector<Family>& families,
                                    const PlanOptions& options) {
  return board_.with([&](ServiceBoard& board) {
    auto names = board.take_changed();
    std::erase_if(names, [&](const ServiceName& name) { return board.find(name).has_value(); });
    const auto all = board.names();
    names.insert(names.end(), all.begin(), all.end());
    return TakenServices{plan_services(board, names, families, options), board.take_news()};
  });
}

TakenServices ServiceFeed::take_changed(const std::vector<Family>& families,
                                        const PlanOptions& options) {
  return board_.with([&](ServiceBoard& board) {
    return TakenServices{plan_services(board, board.take_changed(), families, options),
                         board.take_news()};
  });
}

void ServiceFeed::note_written() {
  board_.with([](ServiceBoard& board) { board.note_written(unix_now()); });
}

StatusPage ServiceFeed::status(const std::optional<ServiceName>& after, std::size_t most,
                               const std::vector<Family>& families,
                               const PlanOptions& options) const {
  return board_.with([&](const ServiceBoard& board) {
    return status_page(board, after, most, families, options, unix_now());
  });
}

BoardNews ServiceFeed::waiting() const {
  return board_.with([](const ServiceBoard& board) { return board.news(); });
}

void ServiceFeed::set_node(NodeFacts node) {
  board_.with([&](ServiceBoard& board) { board.set_node(std::move(node)); });
}

}  // namespace weft::service
