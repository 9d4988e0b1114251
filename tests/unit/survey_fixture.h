// What the tests of Survey share: one node, and others that are nothing but their keys.
#pragma once
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "core/crypto/sealed_box.h"
#include "core/crypto/strkey.h"
#include "core/survey/survey.h"
#include "core/wire/message.h"
#include "tests/unit/crawl_fixture.h"
#include "tests/unit/survey_entropy.h"

namespace overlayd::survey {

using std::chrono::hours;
using std::chrono::minutes;
using wire::MessageType;

inline std::shared_ptr<const crypto::NodeKey> make_key(std::uint64_t number) {
  crypto::init();
  test::CountingEntropy entropy(number);
  return std::make_shared<crypto::NodeKey>(crypto::NodeKey::generate(entropy));
}
inline NodeId id_of(std::uint64_t number) { return make_key(number)->id(); }

inline constexpr std::uint64_t kOurs = 1000;
inline constexpr std::uint64_t kTheirs = 2000;  // a permitted surveyor
inline constexpr std::uint32_t kNonce = 77;

struct SurveyFixture {
  SurveyOptions options;
  SurveyedLimits limits{40, 8};
  LocalNode local;
  LedgerView ledger;
  SurveyMetrics metrics;
  Now now{Instant(seconds(1000)), {1'800'000'000}};
  std::vector<PeerSnapshot> links;
  std::unique_ptr<Survey> survey;
  std::vector<MessagePtr> broadcasts;
  Outputs outputs;
  test::CountingEntropy entropy{5};
  crypto::EcdhKeyPair box = crypto::EcdhKeyPair::generate(entropy);  // that surveyor's
  std::uint64_t last_request = 0;

  SurveyFixture() {
    options.key = make_key(kOurs);
    options.entropy = std::make_shared<test::CountingEntropy>(9);
    local.node_id = options.key->id();
    ledger.is_known = true;
    ledger.sequence = 100;
    ledger.quorum = {id_of(kTheirs), id_of(kTheirs + 1), id_of(kTheirs + 2)};
    add_link(1);
    add_link(2);
    build();
  }
  void build() {
    survey = std::make_unique<Survey>(
        options, limits, local, ledger, [this](Instant) { return links; }, [this] { return peers(); }, metrics, now);
    survey->check_invariants();
  }
  void add_link(std::uint64_t number) {
    PeerSnapshot link;
    link.peer = {number};
    link.node = id_of(number);
    link.direction = Direction::kOutbound;
    link.is_authenticated = true;
    links.push_back(link);
  }
  std::vector<NodeId> peers() const {
    std::vector<NodeId> nodes;
    for (const PeerSnapshot& link : links) nodes.push_back(link.node);
    return nodes;
  }

  Survey::Effects effects() {
    broadcasts.clear();
    outputs.clear();
    return {broadcasts, outputs};
  }
  std::optional<DropReason> receive(const MessagePtr& message) {
    const auto dropped = survey->on_message(message, now, effects());
    survey->check_invariants();
    return dropped;
  }
  // Relayed as it came, to be told from whatever else is sent.
  bool is_relayed(const MessagePtr& message) {
    const auto dropped = receive(message);
    return !dropped && broadcasts == std::vector{message};
  }
  bool is_ignored(const MessagePtr& message) {
    const auto dropped = receive(message);
    return !dropped && broadcasts.empty();
  }
  // For us, and followed: what else is sent now does not matter.
  bool is_taken(const MessagePtr& message) {
    const auto dropped = receive(message);
    return !dropped && std::ranges::find(broadcasts, message) == broadcasts.end();
  }
  template <typename Order>
  RequestAnswer order(Order given) {
    given.request = {++last_request};
    survey->on(given, now, effects());
    survey->check_invariants();
    std::vector<RequestAnswer> answers;
    for (const Output& output : outputs)
      if (const auto* answer = std::get_if<RequestAnswer>(&output)) answers.push_back(*answer);
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0].request == given.request);
    return answers[0];
  }
  void move(Duration time) {
    now.instant = now.instant + time;
    now.unix_time.seconds += static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(time).count());
  }
  void pass(Duration time) {
    move(time);
    survey->advance(now, effects());
    survey->check_invariants();
  }
  void set_ledger(std::uint32_t sequence) {
    ledger.sequence = sequence;
    survey->on_ledger(ledger.is_in_sync, now, effects());
    survey->check_invariants();
  }
  void pass_ledgers(std::uint32_t count) {
    move(seconds(5) * count);
    set_ledger(ledger.sequence + count);
  }
  SurveyStatus status() const { return survey->status(now.instant); }

  static MessagePtr sign(MessageType type, const Bytes& part, std::uint64_t signer) {
    return wire::Message::adopt(wire::write_survey_message(type, make_key(signer)->sign(part), part), {});
  }
  // The signature of a message, broken.
  static MessagePtr forge(const MessagePtr& message) {
    Bytes bytes(message->xdr().begin(), message->xdr().end());
    bytes[8 + 5] ^= 1;
    return wire::Message::adopt(std::move(bytes), {});
  }
  MessagePtr start(std::uint64_t surveyor = kTheirs, std::uint32_t nonce = kNonce, std::int64_t ahead = 0) const {
    return collecting(MessageType::kTimeSlicedSurveyStartCollecting, surveyor, nonce, ahead);
  }
  MessagePtr stop(std::uint64_t surveyor = kTheirs, std::uint32_t nonce = kNonce, std::int64_t ahead = 0) const {
    return collecting(MessageType::kTimeSlicedSurveyStopCollecting, surveyor, nonce, ahead);
  }
  MessagePtr collecting(MessageType type, std::uint64_t surveyor, std::uint32_t nonce, std::int64_t ahead) const {
    return sign(type, wire::write_signed_part(wire::SurveyCollecting{id_of(surveyor), nonce, ledger_at(ahead)}),
                surveyor);
  }
  struct Asked {
    std::uint64_t surveyor = kTheirs;
    std::uint64_t surveyed = kOurs;
    std::uint32_t nonce = kNonce;
    std::int64_t ahead = 0;
    std::uint32_t inbound_index = 0;
    std::uint32_t outbound_index = 0;
  };
  MessagePtr request(const Asked& asked) const {
    wire::SurveyRequest request;
    request.surveyor = id_of(asked.surveyor);
    request.surveyed = id_of(asked.surveyed);
    request.ledger = ledger_at(asked.ahead);
    request.encryption_key = box.public_key();
    request.nonce = asked.nonce;
    request.inbound_index = asked.inbound_index;
    request.outbound_index = asked.outbound_index;
    return sign(MessageType::kTimeSlicedSurveyRequest, wire::write_signed_part(request), asked.surveyor);
  }
  MessagePtr response(const Asked& asked, Bytes sealed = Bytes(60, 1)) const {
    const wire::SurveyResponse response{id_of(asked.surveyor), id_of(asked.surveyed), ledger_at(asked.ahead),
                                        std::move(sealed), asked.nonce};
    return sign(MessageType::kTimeSlicedSurveyResponse, wire::write_signed_part(response), asked.surveyed);
  }
  std::uint32_t ledger_at(std::int64_t ahead) const { return static_cast<std::uint32_t>(ledger.sequence + ahead); }

  // The permitted surveyor's survey, as far as that.
  void collect() { REQUIRE(is_relayed(start())); }
  void report() {
    collect();
    REQUIRE(is_relayed(stop()));
  }
  // What was answered to that surveyor.
  std::optional<wire::SurveyTopology> opened(const MessagePtr& message) const {
    const auto response = wire::read_survey_response(message->xdr());
    REQUIRE(response);
    const auto body = crypto::open(box, response->sealed);
    if (!body) return std::nullopt;
    return wire::read_survey_topology(*body);
  }

  // Our own survey: what we sent of this type, in the last step.
  std::vector<MessagePtr> sent(MessageType type) const {
    std::vector<MessagePtr> found;
    for (const MessagePtr& message : broadcasts)
      if (message->type() == type) found.push_back(message);
    return found;
  }
  std::vector<wire::SurveyRequest> asked() const {
    std::vector<wire::SurveyRequest> requests;
    for (const MessagePtr& message : sent(MessageType::kTimeSlicedSurveyRequest))
      requests.push_back(wire::read_survey_request(message->xdr()).value());
    return requests;
  }
  // The answer of a node to a request of ours.
  MessagePtr answer(std::uint64_t surveyed, const wire::SurveyRequest& to,
                    const std::optional<wire::SurveyTopology>& topology) {
    Bytes sealed(100, 3);
    if (topology) sealed = crypto::seal(to.encryption_key, wire::write_survey_topology(*topology), entropy).value();
    const wire::SurveyResponse response{to.surveyor, to.surveyed, to.ledger, std::move(sealed), to.nonce};
    return sign(MessageType::kTimeSlicedSurveyResponse, wire::write_signed_part(response), surveyed);
  }
  SurveyNodePtr node(const NodeId& id) const {
    for (const SurveyNodePtr& node : survey->result(now.instant).nodes)
      if (node->node == id) return node;
    return nullptr;
  }
};

}  // namespace overlayd::survey
