#include "tests/sim/survey_liar.h"

#include "core/check.h"
#include "core/crypto/sealed_box.h"
#include "tests/support/messages.h"

namespace overlayd::sim {
namespace {

using wire::MessageType;

// One liar's mind, shared by its links.
class Mind {
 public:
  Mind(SimNode::Key key, Lie lie, std::shared_ptr<LiarLog> log)
      : key_(std::move(key)), lie_(std::move(lie)), log_(std::move(log)) {}

  void on_message(ScriptedLink& link, const wire::Message& message) {
    if (!heard_.insert(message.flood_hash()).second) return;
    if (const auto response = wire::read_survey_response(message.xdr()))
      log_->sealed_by_others.push_back(response->sealed);
    const auto request = wire::read_survey_request(message.xdr());
    if (!request || request->surveyed != key_->id()) return;
    ++log_->requests;
    auto sealed = lie_(*request, *log_);
    if (!sealed) return;
    const wire::SurveyResponse response{.surveyor = request->surveyor,
                                        .surveyed = request->surveyed,
                                        .ledger = request->ledger,
                                        .sealed = std::move(*sealed),
                                        .nonce = request->nonce};
    const Bytes signed_part = wire::write_signed_part(response);
    const bool is_sent = link.send_within_credit(
        wire::write_survey_message(MessageType::kTimeSlicedSurveyResponse, key_->sign(signed_part), signed_part));
    log_->answers += is_sent ? 1 : 0;
  }

 private:
  SimNode::Key key_;
  Lie lie_;
  std::shared_ptr<LiarLog> log_;
  std::unordered_set<FloodHash> heard_;
};

}  // namespace

Liar add_liar(SurveyNetwork& net, const std::vector<std::size_t>& victims, Lie lie) {
  SimNetwork& network = net.network();
  Liar liar{.log = std::make_shared<LiarLog>()};
  auto mind = std::make_shared<std::optional<Mind>>();  // made once its key is there
  Script script;
  script.on_message = [mind](ScriptedLink& link, const wire::Message& message) { (*mind)->on_message(link, message); };
  script.on_told = [](ScriptedLink& link, const MessagePtr& message) { link.send(message); };
  liar.index = network.add_participant(
      [&](const LocalNode& local) { return std::make_unique<ScriptedPeer>(local, std::move(script)); });
  mind->emplace(network.node(liar.index).key(), std::move(lie), liar.log);
  for (const std::size_t victim : victims) network.connect(liar.index, victim);
  network.run_for(seconds(2));
  OVERLAYD_CHECK(net.is_connected(victims.front(), liar.index));
  return liar;
}

Bytes seal_for(const wire::SurveyRequest& request, const wire::SurveyTopology& topology) {
  SeededEntropy entropy(request.nonce + std::uint64_t{request.ledger});
  const auto sealed = crypto::seal(request.encryption_key, wire::write_survey_topology(topology), entropy);
  OVERLAYD_CHECK(sealed.has_value());
  return *sealed;
}

std::vector<SurveyedLink> invent_links(std::uint64_t first, std::size_t count) {
  std::vector<SurveyedLink> links(count);
  for (std::size_t i = 0; i < count; ++i) {
    links[i].node = test::make_node(first + i);
    links[i].version = "invented";
  }
  return links;
}

MessagePtr make_collecting(MessageType type, const wire::SurveyCollecting& message, const crypto::NodeKey& key,
                           const NetworkId& network) {
  const Bytes signed_part = wire::write_signed_part(message);
  return wire::Message::adopt(wire::write_survey_message(type, key.sign(signed_part), signed_part), network);
}

}  // namespace overlayd::sim
