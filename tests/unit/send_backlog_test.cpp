#include "daemon/send_backlog.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/wire/message.h"

using namespace overlayd;
using overlayd::daemon::SendBacklog;

namespace {

constexpr PeerId kGreedy{1};
constexpr PeerId kQuiet{2};
constexpr std::size_t kLinkBytesMax = 1000;
constexpr std::size_t kFrameBytes = 48;  // record mark, version, sequence, MAC

// Weighs `bytes` in all.
MessagePtr weighing(std::size_t bytes, wire::MessageType type = wire::MessageType::kScpQuorumset) {
  Bytes xdr(bytes - kFrameBytes);
  xdr[3] = static_cast<std::uint8_t>(type);
  return wire::Message::adopt(std::move(xdr), NetworkId{});
}

std::size_t sends_to(const Outputs& outputs, PeerId peer) {
  return static_cast<std::size_t>(std::ranges::count_if(outputs, [peer](const Output& output) {
    const auto* send = std::get_if<Send>(&output);
    return send && send->peer == peer;
  }));
}

}  // namespace

TEST_CASE("a link may have waiting what the limit says, and not a byte more", "[send_backlog]") {
  SendBacklog backlog(kLinkBytesMax);
  Outputs outputs{Send{kGreedy, weighing(kLinkBytesMax - 60)}, Send{kGreedy, weighing(60)}};
  CHECK(backlog.admit(outputs).empty());
  CHECK(outputs.size() == 2);
  SendBacklog another(kLinkBytesMax);
  outputs = {Send{kGreedy, weighing(kLinkBytesMax - 60)}, Send{kGreedy, weighing(61)}};
  CHECK(another.admit(outputs) == std::vector{kGreedy});
  CHECK(outputs.size() == 1);
  CHECK(another.refused_total() == 1);
}

TEST_CASE("a transaction set without room is left out, and its link goes on", "[send_backlog]") {
  SendBacklog backlog(kLinkBytesMax);
  const auto set = weighing(600, wire::MessageType::kGeneralizedTxSet);
  Outputs outputs{Send{kGreedy, set}, Send{kGreedy, set}, Send{kGreedy, weighing(400)}};
  CHECK(backlog.admit(outputs).empty());
  CHECK(outputs.size() == 2);
  CHECK(backlog.refused_total() == 1);
}

TEST_CASE("only the link over its own limit is refused, and only its sends are taken out", "[send_backlog]") {
  SendBacklog backlog(kLinkBytesMax);
  const MessagePtr shared = weighing(400);
  Outputs outputs{Send{kQuiet, shared}};
  for (int i = 0; i < 1000; ++i) outputs.emplace_back(Send{kGreedy, shared});
  outputs.emplace_back(PauseReading{kGreedy});
  outputs.emplace_back(Send{kQuiet, shared});
  CHECK(backlog.admit(outputs) == std::vector{kGreedy});
  CHECK(sends_to(outputs, kGreedy) == 2);
  CHECK(sends_to(outputs, kQuiet) == 2);
  CHECK(outputs.size() == 5);
  CHECK(backlog.refused_total() == 998);
}

TEST_CASE("what was worked off makes room", "[send_backlog]") {
  SendBacklog backlog(kLinkBytesMax);
  for (int i = 0; i < 10; ++i) {
    Outputs outputs{Send{kGreedy, weighing(kLinkBytesMax)}};
    REQUIRE(backlog.admit(outputs).empty());
    CHECK(backlog.size() == 1);
    backlog.release(outputs);
    CHECK(backlog.size() == 0);
  }
}

TEST_CASE("a refused link stays so and is named once, until it is forgotten", "[send_backlog]") {
  SendBacklog backlog(kLinkBytesMax);
  Outputs first{Send{kGreedy, weighing(600)}, Send{kGreedy, weighing(600)}};
  REQUIRE(backlog.admit(first) == std::vector{kGreedy});
  backlog.release(first);
  Outputs second{Send{kGreedy, weighing(100)}};
  CHECK(backlog.admit(second).empty());
  CHECK(second.empty());
  backlog.forget(kGreedy);
  CHECK(backlog.size() == 0);
}

TEST_CASE("a link that went with sends on their way is remembered until they are worked off", "[send_backlog]") {
  SendBacklog backlog(kLinkBytesMax);
  Outputs outputs{Send{kGreedy, weighing(600)}, Send{kGreedy, weighing(600)}};
  REQUIRE(backlog.admit(outputs) == std::vector{kGreedy});
  backlog.forget(kGreedy);
  CHECK(backlog.size() == 1);
  backlog.release(outputs);
  CHECK(backlog.size() == 0);
  backlog.forget(kGreedy);
}
