// Reads the reference vectors: one JSON object a line.
#pragma once
#include <catch2/catch.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace overlayd::test {

// Empty, with a message, if the file is not there.
inline std::vector<nlohmann::json> load_lines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  if (lines.empty()) std::cout << "SKIPPED: no " << path << "\n";
  return lines;
}

inline std::vector<nlohmann::json> load_messages() {
  return load_lines(std::string(OVERLAYD_TEST_DATA) + "/vectors/messages.jsonl");
}

inline Bytes base64_of(const nlohmann::json& line, const char* field) {
  const auto bytes = from_base64(line.at(field).get<std::string>());
  REQUIRE(bytes.has_value());
  return *bytes;
}

inline Bytes hex(std::string_view text) {
  const auto bytes = from_hex(text);
  REQUIRE(bytes.has_value());
  return *bytes;
}

}  // namespace overlayd::test
