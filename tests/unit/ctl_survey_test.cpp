// The program overlayctl, its surveys, as an operator runs it: on a server over a fake overlay, and on saved results.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/crypto/strkey.h"
#include "ipc_fake.h"

using namespace overlayd;
using namespace overlayd::ipc;
using namespace overlayd::ipc::testing;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

struct Run {
  int exit_code = -1;
  std::string output;
  std::string errors;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The program under way. Its output goes to a file, what it says on standard error to us.
class Program {
 public:
  Program(Api& api, const std::string& words) : output_(api.directory.file("output")) {
    const std::string command = "exec " + std::string(OVERLAYD_BIN) + "/overlayctl --socket " + api.options().socket +
                                " >" + output_ + " " + words;
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    errors_end_ = ends[0];
    REQUIRE(child_ > 0);
  }
  ~Program() {
    ::close(errors_end_);
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void interrupt() const { ::kill(child_, SIGINT); }
  // Until it has said this on standard error, or has ended.
  void await_error(const std::string& text) {
    while (errors_.find(text) == std::string::npos && read_more()) {
    }
  }
  Run wait() {
    while (read_more()) {
    }
    int status = 0;
    REQUIRE(::waitpid(child_, &status, 0) == child_);
    child_ = -1;
    const int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return {.exit_code = exit_code, .output = text_of(output_), .errors = errors_};
  }

 private:
  bool read_more() {
    std::array<char, 4096> buffer{};
    const auto size = ::read(errors_end_, buffer.data(), buffer.size());
    if (size > 0) errors_.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  const std::string output_;
  std::string errors_;
  int errors_end_ = -1;
  pid_t child_ = -1;
};

Run overlayctl(Api& api, const std::string& words) { return Program(api, words).wait(); }

Json json_of(Api& api, const std::string& words, int exit_code = 0) {
  const Run run = overlayctl(api, "--json " + words);
  INFO(words << ": " << run.output << run.errors);
  CHECK(run.exit_code == exit_code);
  return Json::parse(run.output);
}

// Three nodes, of which one was silent.
void finish_with_silent(SurveyResult& result) {
  finish_run(result, 2, 1);
  SurveyNode silent{.node = node(200),
                    .state = SurveyNodeState::kFailed,
                    .problem = SurveyProblem::kSilent,
                    .detail = "3 requests without an answer",
                    .requests = 3};
  result.nodes.push_back(std::make_shared<const SurveyNode>(silent));
  std::ranges::sort(result.nodes, {}, [](const SurveyNodePtr& found) { return found->node; });
}

}  // namespace

TEST_CASE("overlayctl conducts a survey step by step", "[ctl_survey]") {
  Api api;
  api.start();
  CHECK(overlayctl(api, "survey stop").exit_code == 1);
  CHECK_THAT(overlayctl(api, "survey status").output, Contains("inactive"));
  CHECK(json_of(api, "survey start --nonce 77") == Json{{"nonce", 77}});
  const Json status = json_of(api, "survey status");
  CHECK(status["phase"] == "collecting");
  CHECK(status["is_ours"] == true);
  CHECK(status["result_nonce"] == 77);
  CHECK_THAT(overlayctl(api, "survey status").output, Contains("collecting") && Contains("(this node)"));
  const Run twice = overlayctl(api, "survey start");
  CHECK(twice.exit_code == 3);
  CHECK_THAT(twice.errors, Contains("FAILED_PRECONDITION: "));
  CHECK(overlayctl(api, "survey stop").exit_code == 0);
  const std::string id = crypto::encode_node_id(node(5));
  CHECK(json_of(api, "survey request " + id + " --inbound-index 25 --outbound-index 50") == Json{{"queued", id}});
  const auto taken = api.overlay.await<RequestSurvey>(1);
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].node == node(5));
  CHECK(taken[0].inbound_index == 25);
  CHECK(taken[0].outbound_index == 50);
  CHECK(overlayctl(api, "survey request " + id).exit_code == 3);
  CHECK_THAT(overlayctl(api, "survey request nobody").errors, Contains("NODE: "));
  CHECK(overlayctl(api, "survey request nobody").exit_code == 2);
  CHECK(overlayctl(api, "survey end").exit_code == 0);
  CHECK(overlayctl(api, "survey end").exit_code == 1);
}

TEST_CASE("overlayctl names the subcommands of survey, and the range of its times", "[ctl_survey]") {
  Api api;
  CHECK_THAT(overlayctl(api, "survey strt").errors, Contains("unknown subcommand \"strt\"") && Contains("run, result"));
  CHECK_THAT(overlayctl(api, "survey run --collect 31m").errors, Contains("from 1s to 30m"));
  CHECK(overlayctl(api, "survey run --attach --collect 5m").exit_code == 2);
  CHECK(overlayctl(api, "survey run --format csv").exit_code == 2);
  CHECK(overlayctl(api, "survey start --nonce 4294967296").exit_code == 2);
  CHECK(overlayctl(api, "survey status").exit_code == 3);
}

TEST_CASE("overlayctl survey run shows the result, and who did not answer", "[ctl_survey]") {
  Api api;
  api.start();
  Program program(api, "survey run --collect 90s --format json");
  const auto taken = api.overlay.await<RunSurvey>(1);
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].collect_for == seconds(90));
  api.overlay.change_survey([](SurveyResult& result) {
    result.status.run = SurveyRun::kCrawling;
    result.status.nodes_found = 3;
  });
  api.overlay.change_survey(finish_with_silent);
  const Run run = program.wait();
  INFO(run.errors);
  CHECK(run.exit_code == 1);
  const Json json = Json::parse(run.output);
  CHECK(json["topology"].size() == 3);
  CHECK(json["topology"][crypto::encode_node_id(node(200))].is_null());
  CHECK(json["overlayd"]["run"] == "done");
  CHECK_THAT(run.errors, Contains("done: ") && Contains(crypto::encode_node_id(node(200)) + "  silent"));
  CHECK(json_of(api, "survey result") == json);
  const Run attached = overlayctl(api, "survey run --attach");
  CHECK(attached.exit_code == 1);
  CHECK_THAT(attached.output, Contains("3 found, 2 told of all their links"));
}

TEST_CASE("overlayctl survey run ends with 0 if every node told all", "[ctl_survey]") {
  Api api;
  api.start();
  const std::string file = api.directory.file("saved.json");
  Program program(api, "survey run --format json --output " + file);
  REQUIRE(api.overlay.await<RunSurvey>(1).size() == 1);
  api.overlay.change_survey([](SurveyResult& result) { finish_run(result, 3); });
  const Run run = program.wait();
  INFO(run.errors);
  CHECK(run.exit_code == 0);
  CHECK(run.output.empty());
  CHECK(Json::parse(text_of(file))["topology"].size() == 3);
}

TEST_CASE("overlayctl survey run that is interrupted leaves the run going and says how to come back", "[ctl_survey]") {
  Api api;
  api.start();
  Program program(api, "survey run");
  REQUIRE(api.overlay.await<RunSurvey>(1).size() == 1);
  program.await_error("collecting");  // then it watches for signals, and has heard of its run
  program.interrupt();
  const Run run = program.wait();
  CHECK(run.exit_code == 130);
  CHECK(run.output.empty());
  CHECK_THAT(run.errors, Contains("overlayctl survey run --attach"));
  CHECK(json_of(api, "survey status")["run"] == "collecting");
  CHECK(api.overlay.await<EndSurvey>(0).empty());
  CHECK(overlayctl(api, "survey run").exit_code == 3);
}

TEST_CASE("overlayctl renders and compares saved results without a daemon", "[ctl_survey]") {
  Api api;
  api.start();
  CHECK(overlayctl(api, "survey result").exit_code == 1);
  CHECK(overlayctl(api, "survey run --attach").exit_code == 1);
  const auto save = [&](const std::string& name, const std::function<void(SurveyResult&)>& change) {
    api.overlay.change_survey([&](SurveyResult& result) {
      result = {};
      result.status.has_result = true;
      change(result);
    });
    const std::string file = api.directory.file(name);
    REQUIRE(overlayctl(api, "survey result --format json --output " + file).exit_code == 0);
    return file;
  };
  const std::string before = save("before.json", finish_with_silent);
  const std::string after = save("after.json", [](SurveyResult& result) { finish_run(result, 3, 1); });
  static_cast<void>(api.server->stop());
  api.server.reset();
  CHECK(overlayctl(api, "survey result --from " + before + " --format json").output == text_of(before));
  CHECK(overlayctl(api, "survey result --from - --json < " + before).output == text_of(before));
  CHECK_THAT(overlayctl(api, "survey result --from " + before).output, Contains("silent"));
  CHECK_THAT(overlayctl(api, "survey result --csv nodes --from " + before).output, Contains("nodeId,state,"));
  CHECK_THAT(overlayctl(api, "survey result --format graphml --from " + before).output, Contains("</graphml>"));
  CHECK_THAT(overlayctl(api, "survey result --format html --from " + before).output, Contains("survey-data"));
  const Json diff = json_of(api, "survey diff " + before + " " + after);
  CHECK(diff["nodesWent"] == Json::array({crypto::encode_node_id(node(200))}));
  CHECK(diff["nodesCame"].size() == 1);
  CHECK_THAT(overlayctl(api, "survey diff " + before + " " + after).output, Contains("Nodes that went: 1"));
  CHECK(overlayctl(api, "survey diff " + before + " " + before).output == "No difference.\n");
  const Run broken = overlayctl(api, "survey diff " + before + " /dev/null");
  CHECK(broken.exit_code == 2);
  CHECK_THAT(broken.errors, Contains("NEW: /dev/null: is not JSON"));
}

TEST_CASE("overlayctl fails where its output cannot be written, however much it is", "[ctl_survey]") {
  Api api;
  api.start();
  api.overlay.change_survey([](SurveyResult& result) {
    result.status.has_result = true;
    finish_run(result, 300, 10);
  });
  // The program's output goes to where it is sent last.
  for (const std::string words :
       {"survey status", "--json survey status", "survey result --format json", "--json survey result"}) {
    INFO(words);
    const Run run = overlayctl(api, words + " >/dev/full");
    CHECK(run.exit_code == 2);
    CHECK_THAT(run.errors, Contains("standard output"));
  }
}

TEST_CASE("the graphml and csv of overlayctl are what Python reads", "[ctl_survey]") {
  Api api;
  api.start();
  api.overlay.change_survey([](SurveyResult& result) {
    result.status.has_result = true;
    finish_run(result, 3, 2);
    SurveyNode hostile = *result.nodes[1];
    hostile.outbound[0].version = "=</data>&\"'<!--";
    result.nodes[1] = std::make_shared<const SurveyNode>(hostile);
  });
  const std::string base = api.directory.file("out");
  REQUIRE(overlayctl(api, "survey result --format graphml --output " + base + ".graphml").exit_code == 0);
  REQUIRE(overlayctl(api, "survey result --format csv --output " + base).exit_code == 0);
  const std::string script = R"(
import csv, sys, xml.etree.ElementTree as tree
space = '{http://graphml.graphdrawing.org/xmlns}'
root = tree.parse(sys.argv[1] + '.graphml').getroot()
nodes = {node.get('id') for node in root.iter(space + 'node')}
edges = [(edge.get('source'), edge.get('target')) for edge in root.iter(space + 'edge')]
keys = {key.get('id') for key in root.iter(space + 'key')}
assert all(data.get('key') in keys for data in root.iter(space + 'data'))
assert all(source in nodes and target in nodes for source, target in edges)
hostile = '=</data>&"' + "'<!--"
assert sum(data.text == hostile for data in root.iter(space + 'data')) == 1
rows = list(csv.DictReader(open(sys.argv[1] + '-links.csv', newline='')))
assert edges == [(row['dialler'], row['acceptor']) for row in rows]
assert sum(row['dialler_version'] == "'" + hostile for row in rows) == 1
assert len(list(csv.DictReader(open(sys.argv[1] + '-nodes.csv', newline='')))) == 3
print('read', len(edges))
)";
  std::ofstream(api.directory.file("read.py")) << script;
  const std::string command = "python3 " + api.directory.file("read.py") + " " + base + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer{};
  const std::string said(buffer.data(), std::fread(buffer.data(), 1, buffer.size(), pipe));
  CHECK(::pclose(pipe) == 0);
  CHECK_THAT(said, Contains("read "));
}
