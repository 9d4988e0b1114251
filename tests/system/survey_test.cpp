// Surveys of real daemons: four in a row, each dials the one before, and the last of them surveys. What the simulator cannot show: the sealing, the
// signatures and the counters of real links, the stored survey, and a client that outlives its daemon.
#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>

#include "ipc/client/survey_client.h"
#include "tests/daemons/node.h"

using namespace overlayd;
using namespace overlayd::daemons;
using namespace std::chrono_literals;
namespace pb = ::overlay::v1;

namespace {

constexpr std::uint32_t kLedger = 1000;
constexpr std::size_t kDaemons = 4;
constexpr std::size_t kSurveyor = kDaemons - 1;

class Row {
 public:
  Row() : sandbox_({.bin = OVERLAYD_BIN, .passphrase = "overlayd system test network", .limit = 120s}) {
    std::string known;
    for (std::size_t i = 0; i < kDaemons; ++i) {
      nodes_.push_back(attach(sandbox_.start("node" + std::to_string(i), known)));
      known = "127.0.0.1:" + std::to_string(nodes_.back().process.port);
    }
    for (std::size_t i = 0; i < kDaemons; ++i) ids_.push_back(nodes_[i].status().node_id());
    for (Node& node : nodes_) update(node);
    wait_until_connected();
  }

  void wait_until_connected() {
    for (std::size_t i = 0; i < kDaemons; ++i) {
      const std::uint32_t links = i == 0 || i + 1 == kDaemons ? 1 : 2;
      wait_until("all are connected", [&] {
        const auto status = nodes_[i].status();
        return status.peers_inbound() + status.peers_outbound() == links;
      });
    }
  }

  // The surveyor is in the quorum of all, and nobody else is.
  void update(Node& node) {
    pb::UpdateLedgerRequest request;
    request.set_sequence(kLedger);
    request.set_in_sync(true);
    request.mutable_quorum()->add_node_ids(ids_[kSurveyor]);
    must(node.client->update_ledger(request), "UpdateLedger");
  }

  // As a power failure and the service manager would.
  void kill_surveyor() {
    sandbox_.kill(surveyor());
    start_surveyor_again();
  }
  // As an upgrade would.
  void restart_surveyor() {
    REQUIRE(::kill(surveyor().pid, SIGTERM) == 0);
    REQUIRE(sandbox_.wait_ended(surveyor(), 20s) == 0);
    start_surveyor_again();
  }

  [[nodiscard]] std::unique_ptr<ipc::SurveyClient> client(std::size_t of = kSurveyor) {
    return must(ipc::SurveyClient::connect({.socket = nodes_[of].process.socket()}), "connect");
  }
  [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }
  [[nodiscard]] const DaemonProcess& surveyor() const { return nodes_[kSurveyor].process; }

 private:
  void start_surveyor_again() {
    Node& surveyor = nodes_[kSurveyor];
    surveyor = attach(sandbox_.restart(surveyor.process));
    update(surveyor);
  }

  DaemonSandbox sandbox_;
  std::vector<Node> nodes_;
  std::vector<std::string> ids_;
};

const pb::SurveyNode& node_of(const ipc::CollectedSurvey& survey, const std::string& id) {
  for (const pb::SurveyNode& node : survey.nodes)
    if (node.node_id() == id) return node;
  throw SandboxError("a node is not in the result");
}

// What `namer` says of its link to `node`; null: nothing.
const pb::SurveyedLink* link_of(const ipc::CollectedSurvey& survey, const std::string& namer, const std::string& node) {
  const pb::SurveyNode& from = node_of(survey, namer);
  for (const auto* links : {&from.inbound(), &from.outbound()})
    for (const pb::SurveyedLink& link : *links)
      if (link.node_id() == node) return &link;
  return nullptr;
}

nlohmann::json overlayctl(const DaemonProcess& daemon, const std::string& arguments) {
  const std::string command = std::string(OVERLAYD_BIN) + "/overlayctl --socket " + daemon.socket() + " " + arguments;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), got);
  CHECK(pclose(pipe) == 0);
  return nlohmann::json::parse(text);
}

bool is_survey_stored(const DaemonProcess& daemon) {
  SQLite::Database database(daemon.dir + "/overlayd.db", SQLite::OPEN_READONLY);
  return database.execAndGet("SELECT count(*) FROM survey").getInt() == 1;
}

}  // namespace

TEST_CASE("a run finds four daemons in a row, and both ends of a link agree", "[survey]") {
  Row row;
  const auto client = row.client();
  const ipc::CollectedSurvey survey = must(client->run({.collect = 6000ms}), "Run");
  CHECK(survey.status.run() == pb::SURVEY_RUN_STATE_DONE);
  REQUIRE(survey.nodes.size() == kDaemons);
  for (const pb::SurveyNode& node : survey.nodes) CHECK(node.state() == pb::SURVEY_NODE_STATE_COMPLETE);
  CHECK(survey.status.links_found() == kDaemons - 1);
  for (std::size_t i = 0; i + 1 < kDaemons; ++i) {
    const pb::SurveyedLink* there = link_of(survey, row.ids()[i], row.ids()[i + 1]);
    const pb::SurveyedLink* back = link_of(survey, row.ids()[i + 1], row.ids()[i]);
    REQUIRE(there != nullptr);
    REQUIRE(back != nullptr);
    // Idle, but for a ping every five seconds: in six seconds each way at least one question and one answer.
    CHECK(there->messages_written() >= 2);
    CHECK(there->bytes_written() >= 2 * 48);
    const auto differ = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; };
    // In flight at most, at either end of the phase: the survey's own message and a ping's question and answer.
    CHECK(differ(there->messages_written(), back->messages_read()) <= 3);
    CHECK(differ(back->messages_written(), there->messages_read()) <= 3);
  }
  const nlohmann::json shown = overlayctl(row.surveyor(), "survey result --format json");
  CHECK(shown["topology"].size() == kDaemons);
  CHECK(shown["surveyInProgress"] == false);
  const auto refused = row.client(0)->start();
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error(), Catch::Contains("one at a time"));
}

TEST_CASE("a run and its client go on when the surveying daemon is killed", "[survey]") {
  Row row;
  const auto client = row.client();
  std::promise<void> collecting;
  std::promise<void> away;
  bool has_begun = false;
  bool has_left = false;
  auto run = std::async(std::launch::async, [&] {
    return client->run({.collect = 4000ms,
                        .on_status =
                            [&](const pb::SurveyStatus& status) {
                              if (status.run() == pb::SURVEY_RUN_STATE_COLLECTING && !std::exchange(has_begun, true))
                                collecting.set_value();
                            },
                        .on_away =
                            [&](const std::string&) {
                              if (!std::exchange(has_left, true)) away.set_value();
                            }});
  });
  REQUIRE(collecting.get_future().wait_for(20s) == std::future_status::ready);
  wait_until("the survey is on disk", [&] { return is_survey_stored(row.surveyor()); });
  row.kill_surveyor();
  REQUIRE(away.get_future().wait_for(20s) == std::future_status::ready);
  REQUIRE(run.wait_for(60s) == std::future_status::ready);
  const auto result = run.get();
  INFO((result ? "" : result.error()));
  REQUIRE(result);
  const ipc::CollectedSurvey& survey = result.value();
  CHECK(survey.status.run() == pb::SURVEY_RUN_STATE_DONE);
  CHECK(survey.nodes.size() == kDaemons);
  for (std::size_t i = 0; i < kDaemons; ++i) {
    const pb::SurveyNode& node = node_of(survey, row.ids()[i]);
    // What the surveyor itself counted died with it.
    CHECK(node.state() == (i == kSurveyor ? pb::SURVEY_NODE_STATE_FAILED : pb::SURVEY_NODE_STATE_COMPLETE));
    CHECK(node.problem() == (i == kSurveyor ? pb::SURVEY_PROBLEM_NOT_ASKED : pb::SURVEY_PROBLEM_NONE));
  }
  // Links that broke in the phase are told of by neither end.
  CHECK(link_of(survey, row.ids()[kSurveyor - 1], row.ids()[kSurveyor]) == nullptr);
  CHECK(link_of(survey, row.ids()[kSurveyor - 1], row.ids()[kSurveyor - 2]) != nullptr);
  // And the result outlives another process.
  row.restart_surveyor();
  const ipc::CollectedSurvey again = must(row.client()->result(), "GetResult");
  CHECK(again.nodes.size() == kDaemons);
  CHECK(again.status.run() == pb::SURVEY_RUN_STATE_DONE);
}
