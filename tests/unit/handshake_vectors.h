// The transcripts of tests/data/vectors/handshake.json, for the tests of keys, certificates and frames.
#pragma once
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/bytes.h"

namespace overlayd::test {

inline const nlohmann::json& handshakes() {
  static const nlohmann::json kHandshakes = [] {
    std::ifstream file(OVERLAYD_TEST_DATA "/vectors/handshake.json");
    REQUIRE(file.good());
    return nlohmann::json::parse(file);
  }();
  return kHandshakes;
}

inline Bytes hex(const nlohmann::json& value) {
  const auto bytes = from_hex(value.get<std::string>());
  REQUIRE(bytes.has_value());
  return *bytes;
}

inline std::array<std::uint8_t, 32> hex32(const nlohmann::json& value) {
  const Bytes bytes = hex(value);
  REQUIRE(bytes.size() == 32);
  std::array<std::uint8_t, 32> fixed;
  std::copy(bytes.begin(), bytes.end(), fixed.begin());
  return fixed;
}

}  // namespace overlayd::test
