// What stands on standard error while a survey runs.
#include "ipc/ctl/survey_progress.h"

#include <catch2/catch.hpp>

using namespace overlayd;
using namespace overlayd::ipc::ctl;

namespace {

constexpr std::uint64_t kUnix = 1'700'000'000;

Now at(int second) { return {Instant(seconds(second)), {kUnix + static_cast<std::uint64_t>(second)}}; }

SurveyStatus collecting() {
  SurveyStatus status;
  status.phase_ends = {kUnix + 300};
  status.run = SurveyRun::kCollecting;
  status.nodes_found = 1;
  return status;
}

SurveyStatus crawling(std::uint32_t found) {
  SurveyStatus status;
  status.run = SurveyRun::kCrawling;
  status.nodes_found = found;
  status.nodes_complete = 2;
  status.nodes_failed = 3;
  status.nodes_waiting = 4;
  status.nodes_asked = 5;
  status.requests_sent = 6;
  status.time_left = seconds(90);
  return status;
}

}  // namespace

TEST_CASE("progress says the phase, the counts and the time left", "[survey_progress]") {
  CHECK(progress_text(collecting(), {kUnix + 10}, Duration(0)) == "collecting; 4m 50s left, then the nodes are asked");
  SurveyStatus estimated = collecting();
  estimated.time_left = seconds(30);
  CHECK(progress_text(estimated, {kUnix + 10}, seconds(10)) == "collecting; 20s left, then the nodes are asked");
  CHECK(progress_text(estimated, {kUnix + 10}, seconds(31)) == "collecting; 0s left, then the nodes are asked");
  SurveyStatus status = crawling(14);
  CHECK(progress_text(status, {kUnix}, Duration(0)) ==
        "crawling: 14 found, 2 complete, 3 failed, 4 waiting, 5 asked; 6 requests; 1m 30s left");
  status.bad_responses = 7;
  status.why = "no ledger\n";
  status.time_left.reset();
  CHECK(progress_text(status, {kUnix}, Duration(0)) ==
        "crawling: 14 found, 2 complete, 3 failed, 4 waiting, 5 asked; 6 requests, 7 bad answers; no ledger?");
}

TEST_CASE("on a terminal one line is written over, and is never broken", "[survey_progress]") {
  SurveyProgress progress({.is_terminal = true, .columns = 20});
  CHECK(progress.tick(at(0)).empty());
  CHECK(progress.finish().empty());
  CHECK(progress.on_status(collecting(), at(0)) == "\r\033[Kcollecting; 5m 0s l");
  CHECK(progress.tick(at(241)) == "\r\033[Kcollecting; 59s lef");
  CHECK(progress.on_away("gone", at(242)) == "\r\033[Kthe daemon is away,");
  CHECK(progress.finish() == "\n");
  CHECK(progress.finish().empty());
}

TEST_CASE("elsewhere a phase has a line at once, other changes one every few seconds", "[survey_progress]") {
  SurveyProgress progress({});
  CHECK(progress.tick(at(0)).empty());
  CHECK(progress.on_status(collecting(), at(0)) == "collecting; 5m 0s left, then the nodes are asked\n");
  CHECK(progress.tick(at(100)).empty());
  CHECK(progress.on_status(crawling(1), at(101)).starts_with("crawling: 1 found"));
  CHECK(progress.on_status(crawling(2), at(102)).empty());
  CHECK(progress.on_status(crawling(3), at(103)).empty());
  CHECK(progress.tick(at(105)).empty());
  CHECK(progress.tick(at(106)).starts_with("crawling: 3 found"));
  CHECK(progress.tick(at(120)).empty());
  CHECK(progress.on_status(crawling(4), at(121)).starts_with("crawling: 4 found"));
  CHECK(progress.finish().empty());
}

TEST_CASE("that the daemon is away is said once, and what it says when it is back", "[survey_progress]") {
  SurveyProgress progress({});
  CHECK_FALSE(progress.on_status(crawling(1), at(0)).empty());
  CHECK(progress.on_away("UNAVAILABLE: gone", at(1)) == "the daemon is away, waiting for it: UNAVAILABLE: gone\n");
  CHECK(progress.on_away("UNAVAILABLE: gone", at(2)).empty());
  CHECK(progress.tick(at(60)).empty());
  CHECK(progress.on_status(crawling(1), at(61)).starts_with("crawling: 1 found"));
}
