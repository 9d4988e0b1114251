// A database in a temporary folder, and what to put into it.
#pragma once
#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "daemon/peer_store.h"

namespace overlayd::daemon::test {

namespace fs = std::filesystem;

struct Folder {
  std::string path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "overlayd-store-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string database() const { return path + "/overlayd.db"; }
};

struct Opened {
  std::unique_ptr<PeerStore> store;
  std::string error;
  std::vector<std::string> warnings;
};

[[nodiscard]] inline Opened open_store(const std::string& path) {
  Opened opened;
  auto store =
      PeerStore::open({path, UnixTime{1000}, [&](std::string_view text) { opened.warnings.emplace_back(text); }});
  if (store.ok()) {
    opened.store = std::move(store).value();
  } else {
    opened.error = store.error();
  }
  return opened;
}

[[nodiscard]] inline PeerAddress address_of(std::uint32_t number) {
  return PeerAddress::from_v4({10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                               static_cast<std::uint8_t>(number)},
                              11625);
}

[[nodiscard]] inline NodeId node_of(std::uint32_t number) {
  NodeId node;
  for (std::size_t i = 0; i < 4; ++i) node.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return node;
}

[[nodiscard]] inline StorePeer store_of(std::uint32_t number, std::uint32_t failures = 0,
                                        PeerType type = PeerType::kOutbound) {
  return {{address_of(number), UnixTime{100 + number}, failures, type}};
}

[[nodiscard]] inline std::vector<PeerRecord> load_records(const std::string& path) {
  const Opened opened = open_store(path);
  REQUIRE(opened.error == "");
  return opened.store->load_all().value().records;
}

}  // namespace overlayd::daemon::test
