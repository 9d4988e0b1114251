#include "ipc/stream_registry.h"

#include <catch2/catch.hpp>

using namespace overlayd::ipc;

namespace {

struct Stream {};

}  // namespace

TEST_CASE("a registry holds what was entered until it is taken", "[stream_registry]") {
  const std::atomic<bool> is_stopping = false;
  StreamRegistry<Stream> registry(2, "too many", is_stopping);
  auto stream = std::make_shared<Stream>();
  const std::weak_ptr<Stream> watched = stream;
  Stream* const key = stream.get();
  REQUIRE(registry.enter(stream).ok());
  CHECK(registry.copy() == std::vector{stream});
  stream.reset();
  CHECK_FALSE(watched.expired());
  auto taken = registry.take(key);
  CHECK(registry.size() == 0);
  CHECK(registry.take(key) == nullptr);
  CHECK_FALSE(watched.expired());  // whoever took it holds it
  taken.reset();
  CHECK(watched.expired());
}

TEST_CASE("a registry that is full, or stops, takes no more", "[stream_registry]") {
  std::atomic<bool> is_stopping = false;
  StreamRegistry<Stream> registry(2, "too many", is_stopping);
  const auto first = std::make_shared<Stream>();
  REQUIRE(registry.enter(first).ok());
  REQUIRE(registry.enter(std::make_shared<Stream>()).ok());
  const auto refused = registry.enter(std::make_shared<Stream>());
  CHECK(refused.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(refused.error_message() == "too many");
  REQUIRE(registry.take(first.get()) == first);
  is_stopping = true;
  CHECK(registry.enter(first).error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(registry.size() == 1);
}
