#include "config/schema.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "config/host_port.h"
#include "config/load.h"

namespace overlayd::config {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::string kExamples = std::string(OVERLAYD_TEST_DATA) + "/../../config/examples/";

}  // namespace

TEST_CASE("every key has a section, a unique name, a help text and a default of its own kind", "[config_schema]") {
  std::set<std::string_view> names;
  for (const Key& key : schema()) {
    INFO(key.name);
    CHECK(names.insert(key.name).second);
    CHECK(key.name.find('.') != std::string_view::npos);
    CHECK(!key.help.empty());
    CHECK((key.kind == Kind::kChoice) == !key.choices.empty());
    const Document parsed = parse_document("default = " + std::string(key.default_toml));
    REQUIRE(parsed.entries.size() == 1);
    Config config;
    CHECK(apply(key, parsed.entries.front().value, config) == "");
    CHECK(to_toml(parsed.entries.front().value) == key.default_toml);
  }
}

TEST_CASE("integers are taken at both ends of their range and refused one beyond", "[config_schema]") {
  for (const Key& key : schema()) {
    if (key.kind != Kind::kInteger) continue;
    INFO(key.name);
    Config config;
    CHECK(apply(key, key.range.low, config) == "");
    CHECK(apply(key, key.range.high, config) == "");
    CHECK(apply(key, key.range.low - 1, config) != "");
    CHECK(apply(key, key.range.high + 1, config) != "");
  }
}

TEST_CASE("strings and lists are taken at their longest and refused one beyond", "[config_schema]") {
  Config config;
  const Key& socket = *find_key("ipc.socket");
  CHECK(apply(socket, std::string(107, 'a'), config) == "");
  CHECK(apply(socket, std::string(108, 'a'), config) == "must have at most 107 bytes, has 108");
  CHECK(apply(socket, std::string(), config) == "must not be empty");
  CHECK(apply(socket, std::string("a\0b", 3), config) == "must not contain a NUL character");
  const Key& known = *find_key("peers.known");
  CHECK(apply(known, StringList(1000, "a"), config) == "");
  CHECK(apply(known, StringList(1001, "a"), config) == "must have at most 1000 items, has 1001");
}

TEST_CASE("every key refuses values of every other kind, naming what it wants and got", "[config_schema]") {
  const std::vector<std::pair<Value, std::set<Kind>>> values = {
      {true, {Kind::kBoolean}},
      {std::int64_t{8}, {Kind::kInteger}},
      {std::string("text"), {Kind::kString, Kind::kChoice}},
      {StringList{}, {Kind::kStringList}},
      {Unsupported{"a float"}, {}},
  };
  for (const Key& key : schema()) {
    for (const auto& [value, kinds] : values) {
      if (kinds.count(key.kind) != 0) continue;
      INFO(key.name);
      Config config;
      CHECK(apply(key, value, config) == "must be " + allowed_text(key) + ", is " + std::string(kind_of(value)));
    }
  }
}

TEST_CASE("choices arrive as the enumerator of their place", "[config_schema]") {
  Config config;
  const std::vector<std::pair<std::string, LogLevel>> levels = {{"trace", LogLevel::kTrace},
                                                                {"debug", LogLevel::kDebug},
                                                                {"info", LogLevel::kInfo},
                                                                {"warn", LogLevel::kWarn},
                                                                {"error", LogLevel::kError}};
  CHECK(choices_of(*find_key("log.level")).size() == levels.size());
  for (const auto& [name, level] : levels) {
    CHECK(apply(*find_key("log.level"), name, config) == "");
    CHECK(config.log.level == level);
  }
  CHECK(apply(*find_key("relay.mode"), std::string("standalone"), config) == "");
  CHECK(config.relay.mode == RelayMode::kStandalone);
  CHECK(apply(*find_key("network.preset"), std::string("testnet"), config) == "");
  CHECK(config.network.preset == Preset::kTestnet);
  CHECK(apply(*find_key("relay.mode"), std::string("Consensus"), config) ==
        "must be one of \"consensus\", \"standalone\", is \"Consensus\"");
}

TEST_CASE("a misspelt key, a key without its section and a stellar-core key find ours", "[config_schema]") {
  CHECK(nearest_key("listen.prot")->name == "listen.port");
  CHECK(nearest_key("peer.known")->name == "peers.known");
  CHECK(nearest_key("max_inbound")->name == "peers.max_inbound");
  CHECK(nearest_key("PREFERRED_PEERS_ONLY")->name == "peers.preferred_only");
  CHECK(nearest_key("completely.different") == nullptr);
  CHECK(nearest_key(std::string(100000, 'x')) == nullptr);
  CHECK(nearest_key("") == nullptr);
}

TEST_CASE("the example file is the text of the table, and loading it gives the defaults", "[config_schema]") {
  CHECK(read_text(kExamples + "overlayd.toml") == example_text());
  const LoadOutcome from_example = load(kExamples + "overlayd.toml");
  CHECK(from_example.report() == "");
  CHECK(from_example.config == load("").config);
}

TEST_CASE("the example file stays valid when every default is uncommented", "[config_schema]") {
  std::istringstream lines(example_text());
  std::string text;
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    for (const Key& key : schema()) {
      const std::string name(key.name.substr(key.name.find('.') + 1));
      if (!line.starts_with("# " + name + " = ")) continue;
      line.erase(0, 2);
      ++count;
      break;
    }
    text += line + '\n';
  }
  CHECK(count == schema().size());
  LoadOutcome outcome = load_text(text, "example");
  CHECK(outcome.report() == "");
  CHECK(outcome.config.peers.known.empty());  // given, though empty: the preset's list stays out
  outcome.config.peers.known = load("").config.peers.known;
  CHECK(outcome.config == load("").config);
}

TEST_CASE("the other examples load", "[config_schema]") {
  CHECK(load(kExamples + "testnet.toml").report() == "");
  CHECK(load(kExamples + "standalone.toml").report() == "");
}

TEST_CASE("help names every key with its default, in lines that fit a terminal", "[config_schema]") {
  const std::string help = help_text();
  for (const Key& key : schema()) CHECK(help.find("  " + std::string(key.name) + ' ') != std::string::npos);
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 120);
  }
}

TEST_CASE("addresses are names, IPv4 or bracketed IPv6, with or without a port", "[config_schema]") {
  const auto parsed = [](std::string_view text) { return parse_host_port(text, 11625).value(); };
  CHECK(parsed("core.example.org") == HostPort{"core.example.org", 11625});
  CHECK(parsed("127.0.0.1:1") == HostPort{"127.0.0.1", 1});
  CHECK(parsed("[2001:db8::1]:65535") == HostPort{"2001:db8::1", 65535});
  CHECK(parsed("[::1]") == HostPort{"::1", 11625});
  CHECK(parse_host_port(std::string(253, 'a'), 1).ok());
  for (const HostPort& address : {HostPort{"a", 2}, HostPort{"::1", 3}}) CHECK(parsed(to_string(address)) == address);
}

TEST_CASE("malformed addresses are refused", "[config_schema]") {
  for (const std::string_view text : {"", ":1", "host:", "host:0", "host:65536", "host:1x", "host:-1", "::1", "[::1",
                                      "[::1]1", "[::1]:", "[host]:1", "[]:1", "ho st", "host/path", "h:1:2", "h\n"}) {
    INFO(text);
    CHECK(!parse_host_port(text, 11625).ok());
  }
  CHECK(!parse_host_port(std::string(254, 'a'), 1).ok());
}

}  // namespace overlayd::config
