// House rules that a machine can keep: what core may not touch, how long a file and a function may be.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct Line {
  std::size_t number;
  std::string text;
};

std::vector<fs::path> sources(const std::vector<std::string>& folders) {
  std::vector<fs::path> found;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(OVERLAYD_SOURCE) / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".h" || extension == ".cpp") found.push_back(entry.path());
    }
  }
  return found;
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE(file.good());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string without_comment(const std::string& line) { return line.substr(0, line.find("//")); }

const std::vector<std::string> kAll{"core", "config", "ipc", "daemon", "tests"};
const std::vector<std::string> kShipped{"core", "config", "ipc", "daemon"};

}  // namespace

TEST_CASE("core touches no clock, thread, lock, file, environment or I/O library", "[tidy]") {
  const std::vector<std::string> banned{
      "::now()",     "random_device", "<thread>",     "<mutex>",      "<atomic>",     "std::mutex",      "std::atomic",
      "std::thread", "asio",          "grpc",         "sqlite",       "SQLite",       "getenv",          "<fstream>",
      "<iostream>",  "spdlog",        "<filesystem>", "system_clock", "steady_clock", "#include <ctime>"};
  for (const fs::path& path : sources({"core"})) {
    std::size_t number = 0;
    for (const std::string& line : lines_of(path)) {
      ++number;
      for (const std::string& word : banned) {
        INFO(path.string() << ":" << number << ": " << line);
        CHECK(without_comment(line).find(word) == std::string::npos);
      }
    }
  }
}

TEST_CASE("rooms include only what is below them", "[tidy]") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> forbidden{
      {"core", {"ipc/", "daemon/", "config/", "tests/"}},
      {"core/xdr", {"core/crypto/", "core/wire/", "core/peer/", "core/flood/", "core/fetch/", "core/book/"}},
      {"core/crypto", {"core/xdr/", "core/wire/", "core/peer/", "core/flood/", "core/fetch/", "core/book/"}},
      {"core/wire", {"core/peer/", "core/flood/", "core/fetch/", "core/book/", "core/overlay_manager"}},
      {"core/peer", {"core/flood/", "core/fetch/", "core/book/", "core/overlay_manager", "core/message_dispatcher"}},
      {"core/flood", {"core/peer/", "core/fetch/", "core/book/", "core/overlay_manager"}},
      {"core/fetch", {"core/peer/", "core/flood/", "core/book/", "core/overlay_manager"}},
      {"core/book", {"core/peer/", "core/flood/", "core/fetch/", "core/overlay_manager"}},
      {"config", {"ipc/", "daemon/"}},
      {"ipc", {"daemon/"}},
      {"tests/sim", {"ipc/", "daemon/", "config/"}},
  };
  for (const auto& [room, others] : forbidden) {
    for (const fs::path& path : sources({room})) {
      for (const std::string& line : lines_of(path)) {
        for (const std::string& other : others) {
          INFO(path.string() << ": " << line);
          CHECK_FALSE(line.starts_with("#include \"" + other));
        }
      }
    }
  }
}

TEST_CASE("no file is longer than 500 lines", "[tidy]") {
  for (const fs::path& path : sources(kAll)) {
    INFO(path.string());
    CHECK(lines_of(path).size() <= 500);
  }
}

TEST_CASE("no function is longer than 60 lines", "[tidy]") {
  // Functions begin and end in the first column, for namespaces are not indented.
  for (const fs::path& path : sources(kShipped)) {
    std::size_t number = 0;
    Line opened{0, ""};
    for (const std::string& line : lines_of(path)) {
      ++number;
      if (line.empty()) continue;
      const bool opens = line[0] != ' ' && line[0] != '}' && line.ends_with("{") && line.find('(') != std::string::npos;
      if (opens) opened = {number, line};
      if (line == "}" && opened.number != 0) {
        INFO(path.string() << ":" << opened.number << ": " << opened.text);
        CHECK(number - opened.number <= 61);
        opened.number = 0;
      }
    }
  }
}

TEST_CASE("nothing is left to do in a comment", "[tidy]") {
  const std::string word = std::string("TO") + "DO";
  for (const fs::path& path : sources(kAll)) {
    for (const std::string& line : lines_of(path)) {
      INFO(path.string() << ": " << line);
      CHECK(line.find(word) == std::string::npos);
    }
  }
}
