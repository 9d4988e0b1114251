#include "core/wire/message.h"

#include "core/wire/hashes.h"
#include "core/wire/values.h"
#include "tests/unit/xdr_vectors.h"

using namespace overlayd;
using namespace overlayd::wire;

TEST_CASE("a message has the hashes its type needs and no others", "[message]") {
  const NetworkId network{{1, 2, 3}};
  for (const auto& line : test::load_messages()) {
    const Bytes xdr = test::base64_of(line, "xdr");
    const auto type = line.at("type").get<std::string>();
    const MessagePtr message = Message::make(xdr, network);
    INFO(type);
    CHECK(message->size() == line.at("size").get<std::size_t>());
    CHECK(std::equal(xdr.begin(), xdr.end(), message->xdr().begin(), message->xdr().end()));
    CHECK(message->body().size() + 4 == xdr.size());

    const bool is_transaction = type == "transaction";
    const bool is_flooded = is_transaction || type == "scp_message" || type.starts_with("time_sliced_survey");
    CHECK(to_hex(message->flood_hash().bytes) ==
          (is_flooded ? line.at("blake2b_256").get<std::string>() : to_hex(FloodHash{}.bytes)));
    CHECK(message->tx_hash().is_zero() == !is_transaction);
    CHECK(message->tx_full_hash().is_zero() == !is_transaction);
    if (is_transaction) {
      CHECK(message->tx_hash() == tx_hash(message->body(), network));
      CHECK(message->tx_full_hash() == tx_full_hash(message->body()));
    }
  }
}

TEST_CASE("a set's hash is the message's item hash, of the three types that carry one", "[message]") {
  int sets = 0;
  for (const auto& line : test::load_messages()) {
    const Bytes xdr = test::base64_of(line, "xdr");
    const MessagePtr message = Message::make(xdr, {});
    ItemHash expected;
    switch (message->type()) {
      case MessageType::kTxSet: expected = tx_set_hash(message->body()); break;
      case MessageType::kGeneralizedTxSet: expected = generalized_tx_set_hash(message->body()); break;
      case MessageType::kScpQuorumset: expected = quorum_set_hash(message->body()); break;
      default: break;
    }
    INFO(line.at("type").get<std::string>());
    CHECK(message->item_hash() == expected);
    CHECK(Message::parse(xdr, {}).message->item_hash() == expected);
    sets += expected.is_zero() ? 0 : 1;
  }
  CHECK(sets > 2);
}

TEST_CASE("the item hash of every real transaction set is the one its ledger header names", "[message]") {
  const auto lines = test::load_lines(std::string(OVERLAYD_SHARED) + "/data/tx_sets.jsonl");
  for (const auto& line : lines) {
    const MessagePtr message =
        Message::adopt(wrap(MessageType::kGeneralizedTxSet, test::base64_of(line, "generalized_tx_set")), {});
    CHECK(to_hex(message->item_hash().bytes) == line.at("hash").get<std::string>());
  }
  CHECK((lines.empty() || lines.size() == 220));
}

// SHA-256 by another implementation.
TEST_CASE("a quorum set is named by the SHA-256 of its bytes", "[message]") {
  const Bytes quorum_set = test::hex(
      "000000010000000100000000"
      "1111111111111111111111111111111111111111111111111111111111111111"
      "00000000");
  const MessagePtr message = Message::adopt(wrap(MessageType::kScpQuorumset, quorum_set), {});
  CHECK(to_hex(message->item_hash().bytes) == "2805165e2c6fdc7e57eb370c8fb6893f658441de05479ee890b25d42fb97a283");
}

// previousLedgerHash and the envelopes' bytes, without the count between them.
TEST_CASE("a legacy transaction set is named without the count of its transactions", "[message]") {
  const Bytes empty(36);
  const MessagePtr message = Message::adopt(wrap(MessageType::kTxSet, empty), {});
  CHECK(to_hex(message->item_hash().bytes) == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
}

TEST_CASE("parsing in one pass agrees with validating and making", "[message]") {
  const NetworkId network{{1, 2, 3}};
  for (const auto& line : test::load_messages()) {
    const Bytes xdr = test::base64_of(line, "xdr");
    const Message::Parsed parsed = Message::parse(xdr, network);
    REQUIRE(parsed.message);
    const MessagePtr made = Message::make(xdr, network);
    CHECK(parsed.message->tx_hash() == made->tx_hash());
    CHECK(parsed.message->tx_full_hash() == made->tx_full_hash());
    CHECK(parsed.message->flood_hash() == made->flood_hash());
    // One byte more or less, anywhere in the tail, is refused for the same reason.
    for (std::size_t cut = 4; cut < xdr.size(); cut += 4) {
      const ByteView shorter = ByteView(xdr).first(cut);
      const Message::Parsed refused = Message::parse(shorter, network);
      const xdr::Validation expected = xdr::validate(xdr::Type::kStellarMessage, shorter);
      REQUIRE((refused.message == nullptr) == !expected.ok());
      if (refused.message == nullptr) CHECK(refused.validation.text() == expected.text());
    }
  }
}

TEST_CASE("adopting gives the same message as copying, over the same bytes", "[message]") {
  Bytes xdr = write_get_scp_state(77);
  const auto* data = xdr.data();
  const MessagePtr copied = Message::make(xdr, {});
  const MessagePtr adopted = Message::adopt(std::move(xdr), {});
  CHECK(adopted->xdr().data() == data);
  CHECK(copied->xdr().data() != data);
  CHECK(copied->type() == MessageType::kGetScpState);
  CHECK(std::equal(copied->xdr().begin(), copied->xdr().end(), adopted->xdr().begin(), adopted->xdr().end()));
}

TEST_CASE("every message type has its protocol name, and only those numbers are types", "[message]") {
  int types = 0;
  for (std::int32_t number = -2; number < 300; ++number) {
    const auto type = to_message_type(number);
    if (!type) continue;
    ++types;
    CHECK(static_cast<std::int32_t>(*type) == number);
    CHECK(message_type_name(*type) != "UNKNOWN");
  }
  CHECK(types == 21);
  CHECK(message_type_name(MessageType::kScpMessage) == "SCP_MESSAGE");
  CHECK(message_type_name(static_cast<MessageType>(4)) == "UNKNOWN");
  CHECK_FALSE(to_message_type(14).has_value());
}

TEST_CASE("the reference messages are of the type they say", "[message]") {
  for (const auto& line : test::load_messages()) {
    auto name = line.at("type").get<std::string>();
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
    CHECK(message_type_name(Message::make(test::base64_of(line, "xdr"), {})->type()) == name);
  }
}
