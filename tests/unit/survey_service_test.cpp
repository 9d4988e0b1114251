#include "ipc/survey_service.h"

#include <catch2/catch.hpp>

#include "ipc/client/channel.h"
#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
namespace v1 = ::overlay::v1;

namespace {

// The stub of the service, over a connection of its own.
std::unique_ptr<v1::Survey::Stub> stub_of(Api& api) {
  auto channel = open_channel(api.options().socket, kWait);
  REQUIRE(channel.ok());
  return v1::Survey::NewStub(channel.value());
}

// One Run stream, read by hand.
struct Follower {
  Follower(Api& api, const v1::RunSurveyRequest& request) : stub(stub_of(api)), reader(stub->Run(&context, request)) {}
  v1::RunSurveyResponse next() {
    v1::RunSurveyResponse response;
    REQUIRE(reader->Read(&response));
    return response;
  }
  v1::SurveyStatus next_status() {
    const v1::RunSurveyResponse response = next();
    REQUIRE(response.has_status());
    return response.status();
  }
  grpc::Status end() {
    v1::RunSurveyResponse response;
    CHECK_FALSE(reader->Read(&response));
    return reader->Finish();
  }

  grpc::ClientContext context;
  std::unique_ptr<v1::Survey::Stub> stub;
  std::unique_ptr<grpc::ClientReader<v1::RunSurveyResponse>> reader;
};

v1::RunSurveyRequest collect(std::uint64_t milliseconds) {
  v1::RunSurveyRequest request;
  request.set_collect_ms(milliseconds);
  return request;
}

v1::RunSurveyRequest attach() {
  v1::RunSurveyRequest request;
  request.set_attach(true);
  return request;
}

v1::RequestSurveyRequest request_to(std::uint8_t number) {
  v1::RequestSurveyRequest request;
  request.set_node_id(std::string(32, static_cast<char>(number)));
  return request;
}

}  // namespace

TEST_CASE("the daemon says that it serves surveys", "[survey_service]") {
  Api api;
  api.start();
  const auto client = api.client();
  const auto& capabilities = client->info().capabilities();
  CHECK(std::ranges::find(capabilities, "survey") != capabilities.end());
}

TEST_CASE("a survey started has the nonce asked for, or one that the daemon drew", "[survey_service]") {
  Api api;
  api.start();
  const auto surveyor = api.surveyor();
  CHECK(surveyor->start(77).value() == 77);
  CHECK(api.overlay.await<StartSurvey>(1).at(0).nonce == 77);
  CHECK_THAT(surveyor->start(78).error(), Catch::StartsWith("FAILED_PRECONDITION: a survey is under way until"));
  api.overlay.change_survey([](SurveyResult& result) { result = {}; });
  const std::uint32_t drawn = surveyor->start().value();
  CHECK(drawn != 0);
  CHECK(api.overlay.await<StartSurvey>(3).at(2).nonce == drawn);
}

TEST_CASE("stop, request and end say what is missing, and where a request is already", "[survey_service]") {
  Api api;
  api.start();
  const auto surveyor = api.surveyor();
  CHECK_THAT(surveyor->stop().error(), Catch::StartsWith("NOT_FOUND: ") && Catch::Contains("Start or Run"));
  CHECK_THAT(surveyor->end().error(), Catch::StartsWith("NOT_FOUND: "));
  CHECK_THAT(surveyor->request(request_to(1)).error(), Catch::StartsWith("FAILED_PRECONDITION: no survey"));
  REQUIRE(surveyor->start().ok());
  REQUIRE(surveyor->stop().ok());
  REQUIRE(surveyor->request(request_to(1)).ok());
  CHECK_THAT(surveyor->request(request_to(1)).error(), Catch::StartsWith("ALREADY_EXISTS: node_id: "));
  CHECK_THAT(surveyor->request(request_to(FakeSurvey::kQueueFullNode)).error(),
             Catch::StartsWith("RESOURCE_EXHAUSTED: queue: "));
  CHECK_THAT(surveyor->request({}).error(), Catch::StartsWith("INVALID_ARGUMENT: node_id: "));
  CHECK(surveyor->end().ok());
}

TEST_CASE("the status is that of the overlay", "[survey_service]") {
  Api api;
  api.overlay.surveys.result.status.nonce = 5;
  api.start();
  const auto surveyor = api.surveyor();
  CHECK(surveyor->status().value().nonce() == 5);
  REQUIRE(surveyor->start(6).ok());
  CHECK(surveyor->status().value().nonce() == 6);
  CHECK(surveyor->status().value().phase() == v1::SURVEY_PHASE_COLLECTING);
}

TEST_CASE("a result comes in pages of 1 MiB at most, ascending, the status with the first", "[survey_service]") {
  SurveyResult result;
  result.status.nonce = 3;
  for (std::uint32_t number = 0; number < 400; ++number) result.nodes.push_back(survey_node(number, 100));
  SurveyPages pages(result);
  std::size_t count = 0;
  std::size_t page_count = 0;
  while (pages.has_next()) {
    v1::SurveyResultPage page;
    pages.fill_next(page);
    CHECK(page.has_status() == (page_count == 0));
    CHECK(page.is_last() == !pages.has_next());
    CHECK(page.ByteSizeLong() <= kSurveyPageBytesMax + 200);
    if (!page.is_last()) CHECK(page.ByteSizeLong() > kSurveyPageBytesMax - 100'000);
    for (const auto& node : page.nodes()) {
      CHECK(node.node_id()[0] == static_cast<char>(count >> 8));
      CHECK(node.node_id()[1] == static_cast<char>(count));
      ++count;
    }
    ++page_count;
  }
  CHECK(count == 400);
  CHECK(page_count > 10);
}

TEST_CASE("a page holds what just fits, and one node that alone does not", "[survey_service]") {
  SurveyResult result;
  result.nodes = {survey_node(1, 5), survey_node(2, 5)};
  v1::SurveyNode one;
  to_proto(*result.nodes[0], one);
  const std::size_t bytes = 2 * (one.ByteSizeLong() + 6);
  const auto nodes_in_first = [&](std::size_t page_bytes_max) {
    v1::SurveyResultPage page;
    SurveyPages(result, page_bytes_max).fill_next(page);
    return page.nodes_size();
  };
  CHECK(nodes_in_first(bytes) == 2);
  CHECK(nodes_in_first(bytes - 1) == 1);
  CHECK(nodes_in_first(1) == 1);
}

TEST_CASE("a result without nodes is one page, and none at all is NOT_FOUND", "[survey_service]") {
  Api api;
  api.start();
  const auto surveyor = api.surveyor();
  CHECK_THAT(surveyor->result().error(), Catch::StartsWith("NOT_FOUND: ") && Catch::Contains("Run or Start"));
  REQUIRE(surveyor->start(9).ok());
  const CollectedSurvey empty = surveyor->result().value();
  CHECK(empty.nodes.empty());
  CHECK(empty.status.result_nonce() == 9);
  api.overlay.change_survey([](SurveyResult& result) { finish_run(result, 3000, 10); });
  const CollectedSurvey full = surveyor->result().value();
  CHECK(full.nodes.size() == 3000);
  CHECK(full.status.nodes_found() == 3000);
}

TEST_CASE("a run tells its status at once, each change, and at the end its result", "[survey_service]") {
  Api api;
  api.start();
  Follower follower(api, collect(2000));
  CHECK(follower.next_status().run() == v1::SURVEY_RUN_STATE_COLLECTING);
  CHECK(api.overlay.await<RunSurvey>(1).at(0).collect_for == seconds(2));
  api.overlay.change_survey([](SurveyResult& result) { result.status.run = SurveyRun::kCrawling; });
  CHECK(follower.next_status().run() == v1::SURVEY_RUN_STATE_CRAWLING);
  api.overlay.change_survey([](SurveyResult& result) { finish_run(result, 2); });
  CHECK(follower.next_status().run() == v1::SURVEY_RUN_STATE_DONE);
  const v1::SurveyResultPage page = follower.next().result();
  CHECK(page.nodes_size() == 2);
  CHECK(page.is_last());
  CHECK(follower.end().ok());
}

TEST_CASE("a status that was told is not told again", "[survey_service]") {
  Api api;
  api.start();
  Follower follower(api, collect(2000));
  follower.next_status();
  api.overlay.change_survey([](SurveyResult&) {});
  api.overlay.change_survey([](SurveyResult& result) { result.status.nodes_found = 5; });
  CHECK(follower.next_status().nodes_found() == 5);
}

TEST_CASE("of statuses that come while one is on its way only the latest is told", "[survey_service]") {
  Api api;
  api.start();
  Follower follower(api, collect(2000));
  follower.next_status();
  constexpr std::uint32_t kChanges = 10'000;
  // In one batch of the overlay: whoever feeds the stream is woken after it.
  api.overlay.run_there([&](OverlayEvents& events) {
    for (std::uint32_t i = 1; i <= kChanges; ++i) {
      api.overlay.surveys.result.status.nodes_found = i;
      events.on_survey({api.overlay.surveys.result.status}, 5);
    }
  });
  // On a slow machine the feeder may come round by itself meanwhile, once a second.
  std::uint32_t told = 1;
  while (follower.next_status().nodes_found() != kChanges) ++told;
  CHECK(told < 100);
}

TEST_CASE("a second run is refused, and can be attached to by many", "[survey_service]") {
  Api api;
  api.start();
  CHECK(Follower(api, attach()).end().error_code() == grpc::StatusCode::NOT_FOUND);
  Follower first(api, collect(2000));
  first.next_status();
  CHECK(Follower(api, collect(2000)).end().error_code() == grpc::StatusCode::ALREADY_EXISTS);
  Follower second(api, attach());
  second.next_status();
  api.overlay.change_survey([](SurveyResult& result) { finish_run(result, 1); });
  for (Follower* follower : {&first, &second}) {
    CHECK(follower->next_status().run() == v1::SURVEY_RUN_STATE_DONE);
    CHECK(follower->next().result().is_last());
    CHECK(follower->end().ok());
  }
  Follower late(api, attach());
  CHECK(late.next_status().run() == v1::SURVEY_RUN_STATE_DONE);
  CHECK(late.next().result().nodes_size() == 1);
  CHECK(late.end().ok());
}

TEST_CASE("a run outside the limits is refused with the field, and asks the overlay nothing", "[survey_service]") {
  Api api;
  api.start();
  const grpc::Status status = Follower(api, collect(999)).end();
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK_THAT(status.error_message(), Catch::StartsWith("collect_ms: "));
  Follower(api, collect(1000)).next_status();
  CHECK(api.overlay.await<RunSurvey>(1).size() == 1);
}

TEST_CASE("who follows a run is not given the result of another", "[survey_service]") {
  Api api;
  api.start();
  Follower follower(api, collect(2000));
  follower.next_status();
  api.overlay.change_survey([](SurveyResult& result) {
    result.status.run_began.seconds += 1;
    finish_run(result, 1);
  });
  CHECK(follower.end().error_code() == grpc::StatusCode::ABORTED);
}

TEST_CASE("a run goes on when its client leaves, and the stream makes room", "[survey_service]") {
  Api api;
  api.start();
  for (std::size_t i = 0; i < 3 * kSurveyStreamsMax; ++i) {
    // Cancelled streams leave a moment later.
    while (true) {
      Follower follower(api, i == 0 ? collect(2000) : attach());
      v1::RunSurveyResponse response;
      if (follower.reader->Read(&response)) {
        CHECK(response.status().run() == v1::SURVEY_RUN_STATE_COLLECTING);
        follower.context.TryCancel();
        break;
      }
      REQUIRE(follower.reader->Finish().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
    }
  }
  CHECK(api.surveyor()->status().value().run() == v1::SURVEY_RUN_STATE_COLLECTING);
}

TEST_CASE("no more streams than the limit are open at a time", "[survey_service]") {
  Api api;
  api.start();
  std::vector<std::unique_ptr<Follower>> followers;
  for (std::size_t i = 0; i < kSurveyStreamsMax; ++i) {
    followers.push_back(std::make_unique<Follower>(api, i == 0 ? collect(2000) : attach()));
    followers.back()->next_status();
  }
  CHECK(Follower(api, attach()).end().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(api.surveyor()->result().ok());
}

TEST_CASE("a full queue of the overlay refuses surveys", "[survey_service]") {
  Api api;
  api.start();
  const auto surveyor = api.surveyor();
  api.overlay.set_full(true);
  CHECK_THAT(surveyor->start().error(), Catch::StartsWith("RESOURCE_EXHAUSTED: the overlay is busy"));
  CHECK_THAT(surveyor->status().error(), Catch::StartsWith("RESOURCE_EXHAUSTED: "));
  CHECK_THAT(surveyor->result().error(), Catch::StartsWith("RESOURCE_EXHAUSTED: "));
  CHECK(Follower(api, collect(2000)).end().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(Follower(api, attach()).end().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_CASE("an overlay that is silent ends calls and streams with DEADLINE_EXCEEDED", "[survey_service]") {
  Api api;
  api.requests_timeout = milliseconds(50);
  api.start();
  const auto surveyor = api.surveyor();
  api.overlay.set_silent(true);
  CHECK_THAT(surveyor->stop().error(), Catch::StartsWith("DEADLINE_EXCEEDED: "));
  CHECK_THAT(surveyor->status().error(), Catch::StartsWith("DEADLINE_EXCEEDED: "));
  CHECK_THAT(surveyor->result().error(), Catch::StartsWith("DEADLINE_EXCEEDED: "));
  CHECK(Follower(api, collect(2000)).end().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(Follower(api, attach()).end().error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_CASE("a stopping daemon ends streams, also those that nobody reads or that wait for the overlay",
          "[survey_service]") {
  Api api;
  api.start();
  Follower follower(api, collect(2000));
  follower.next_status();
  Follower unread(api, attach());
  api.overlay.await_survey_questions(2);
  api.overlay.set_silent(true);
  Follower waiting(api, attach());
  api.overlay.await_survey_questions(3);  // a call that the server has not seen is cancelled by gRPC itself
  const auto began = std::chrono::steady_clock::now();
  CHECK(api.server->stop());
  CHECK(std::chrono::steady_clock::now() - began < limits::kApiShutdownTimeout);
  CHECK(follower.end().error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(waiting.end().error_code() == grpc::StatusCode::UNAVAILABLE);
}
