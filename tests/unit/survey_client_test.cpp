#include "ipc/client/survey_client.h"

#include <catch2/catch.hpp>
#include <future>

#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

namespace {

// A run on a thread of its own, with what it told.
class Running {
 public:
  Running(SurveyClient& client, RunSurveyOptions options) {
    options.on_status = [this](const v1::SurveyStatus& status) {
      const std::lock_guard lock(mutex_);
      statuses_.push_back(status);
      changed_.notify_all();
    };
    options.on_away = [this](const std::string& why) {
      const std::lock_guard lock(mutex_);
      away_.push_back(why);
      changed_.notify_all();
    };
    end_ = std::async(std::launch::async, [&client, options] { return client.run(options); });
  }
  v1::SurveyStatus await_status(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, kWait, [&] { return statuses_.size() >= count; }));
    return statuses_[count - 1];
  }
  std::string await_away(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, kWait, [&] { return away_.size() >= count; }));
    return away_[count - 1];
  }
  Result<CollectedSurvey> end() {
    REQUIRE(end_.wait_for(kWait) == std::future_status::ready);
    return end_.get();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<v1::SurveyStatus> statuses_;
  std::vector<std::string> away_;
  std::future<Result<CollectedSurvey>> end_;
};

// A daemon, and a client that follows a run on it, after the first status.
struct Followed {
  explicit Followed(RunSurveyOptions options = {})
      : api(start()), client(api->surveyor()), run(*client, std::move(options)) {
    run.await_status(1);
  }
  void stop_daemon() {
    CHECK(api->server->stop());
    api->server.reset();
  }
  void restart_daemon() {
    stop_daemon();
    api->start();
  }
  static std::unique_ptr<Api> start() {
    auto api = std::make_unique<Api>();
    api->start();
    return api;
  }

  std::unique_ptr<Api> api;
  std::unique_ptr<SurveyClient> client;
  Running run;
};

}  // namespace

TEST_CASE("a run tells each status and ends with all pages of the result", "[survey_client]") {
  Api api;
  api.start();
  const auto client = api.surveyor();
  Running run(*client, {.collect = std::chrono::milliseconds(3000)});
  CHECK(run.await_status(1).run() == v1::SURVEY_RUN_STATE_COLLECTING);
  CHECK(api.overlay.await<RunSurvey>(1).at(0).collect_for == seconds(3));
  api.overlay.change_survey([](SurveyResult& result) { finish_run(result, 500, 20); });
  const CollectedSurvey collected = run.end().value();
  CHECK(collected.nodes.size() == 500);
  CHECK(collected.status.run() == v1::SURVEY_RUN_STATE_DONE);
  CHECK(run.await_status(2).run() == v1::SURVEY_RUN_STATE_DONE);
}

TEST_CASE("a run is followed further after the daemon was away", "[survey_client]") {
  Followed f;
  f.restart_daemon();
  CHECK_THAT(f.run.await_away(1), Catch::StartsWith("UNAVAILABLE"));
  f.run.await_status(2);
  f.api->overlay.change_survey([](SurveyResult& result) { finish_run(result, 4); });
  CHECK(f.run.end().value().nodes.size() == 4);
  CHECK(f.api->overlay.await<RunSurvey>(1).size() == 1);  // it was not begun a second time
}

TEST_CASE("a run that was over while the daemon was away ends with its result", "[survey_client]") {
  Followed f;
  f.stop_daemon();
  finish_run(f.api->overlay.surveys.result, 6);
  f.api->start();
  CHECK(f.run.end().value().nodes.size() == 6);
}

TEST_CASE("a run that the daemon forgot, or another in its place, is an error", "[survey_client]") {
  Followed f;
  f.stop_daemon();
  SECTION("forgotten") {
    f.api->overlay.surveys.result = {};
    f.api->start();
    CHECK_THAT(f.run.end().error(), Catch::Contains("forgotten the run"));
  }
  SECTION("another") {
    finish_run(f.api->overlay.surveys.result, 6);
    f.api->overlay.surveys.result.status.run_began.seconds += 60;
    f.api->start();
    CHECK_THAT(f.run.end().error(), Catch::Contains("another run"));
  }
}

TEST_CASE("a daemon may go away after a silence longer than it may be away", "[survey_client]") {
  constexpr std::chrono::milliseconds kAwayMax{2000};
  Followed f({.away_max = kAwayMax});
  std::this_thread::sleep_for(kAwayMax);  // nothing is told while all collect
  f.restart_daemon();
  f.run.await_status(2);
  f.api->overlay.change_survey([](SurveyResult& result) { finish_run(result, 4); });
  CHECK(f.run.end().value().nodes.size() == 4);
}

TEST_CASE("a daemon that stays away too long is given up, with its socket", "[survey_client]") {
  Followed f({.away_max = std::chrono::milliseconds(1)});
  CHECK(f.api->server->stop());
  const std::string error = f.run.end().error();
  CHECK_THAT(error, Catch::Contains("gave up waiting") && Catch::Contains(f.api->options().socket));
}

TEST_CASE("a run that is refused at once is not tried again", "[survey_client]") {
  Api api;
  api.start();
  const auto client = api.surveyor();
  CHECK_THAT(client->run({.is_attaching = true}).error(), Catch::StartsWith("NOT_FOUND: "));
  CHECK_THAT(client->run({.collect = std::chrono::milliseconds(1)}).error(), Catch::StartsWith("INVALID_ARGUMENT: "));
  api.overlay.set_full(true);
  CHECK_THAT(client->run({}).error(), Catch::StartsWith("RESOURCE_EXHAUSTED: "));
}

TEST_CASE("a request that may have been lost is repeated, and the run it began is followed", "[survey_client]") {
  Api api;
  api.start();
  const auto client = api.surveyor();
  api.overlay.set_silent(true);  // takes the order, and says nothing
  Running run(*client, {});
  REQUIRE(api.overlay.await<RunSurvey>(1).size() == 1);
  CHECK(api.server->stop());
  api.server.reset();
  static_cast<void>(api.overlay.surveys.answer_to(RunSurvey{}));
  api.overlay.set_silent(false);
  api.start();
  run.await_status(1);
  api.overlay.change_survey([](SurveyResult& result) { finish_run(result, 2); });
  CHECK(run.end().value().nodes.size() == 2);
}

TEST_CASE("a run that began, but could not be asked about, is followed", "[survey_client]") {
  Api api;
  api.start();
  const auto client = api.surveyor();
  api.overlay.fill_up_with_next();
  Running run(*client, {});
  CHECK_THAT(run.await_away(1), Catch::StartsWith("UNAVAILABLE") && Catch::Contains("attach"));
  api.overlay.set_full(false);
  run.await_status(1);
  api.overlay.change_survey([](SurveyResult& result) { finish_run(result, 2); });
  CHECK(run.end().value().nodes.size() == 2);
}

TEST_CASE("cancel ends a run that is followed, and later ones at once; the daemon goes on", "[survey_client]") {
  Followed f;
  f.client->cancel();
  CHECK(f.run.end().error() == "cancelled");
  CHECK(f.client->run({}).error() == "cancelled");
  CHECK(f.api->surveyor()->status().value().run() == v1::SURVEY_RUN_STATE_COLLECTING);
}

TEST_CASE("cancel ends the wait for a daemon that is away", "[survey_client]") {
  Followed f;
  CHECK(f.api->server->stop());
  f.run.await_away(1);
  f.client->cancel();
  CHECK(f.run.end().error() == "cancelled");
}
