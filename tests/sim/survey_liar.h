// Participants in a survey that mean harm: scripted peers with a key of their own, which answer what they are asked as
// a test says. They relay nothing.
#pragma once
#include "core/wire/survey_messages.h"
#include "tests/sim/scripted_peer.h"
#include "tests/sim/survey_scene.h"

namespace overlayd::sim {

// What a liar has been asked, and what it has heard of others.
struct LiarLog {
  std::size_t requests = 0;  // to it, each once
  std::size_t answers = 0;   // sent by it
  std::vector<Bytes> sealed_by_others;
};

// The sealed body of the answer; nothing: it is silent.
using Lie = std::function<std::optional<Bytes>(const wire::SurveyRequest&, LiarLog&)>;

// Adds a liar to the network, which calls `victims`.
struct Liar {
  std::size_t index = 0;
  std::shared_ptr<LiarLog> log;
};
Liar add_liar(SurveyNetwork& net, const std::vector<std::size_t>& victims, Lie lie);

// `topology`, sealed for whoever asked.
[[nodiscard]] Bytes seal_for(const wire::SurveyRequest& request, const wire::SurveyTopology& topology);
// `count` links to nodes that do not exist, the first of them with the number `first`.
[[nodiscard]] std::vector<SurveyedLink> invent_links(std::uint64_t first, std::size_t count);
// A message of a surveyor, START or STOP, signed with `key`, whoever the surveyor is.
[[nodiscard]] MessagePtr make_collecting(wire::MessageType type, const wire::SurveyCollecting& message,
                                         const crypto::NodeKey& key, const NetworkId& network);

}  // namespace overlayd::sim
