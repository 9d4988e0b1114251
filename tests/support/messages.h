// Messages for tests: well-formed XDR, distinct by `number`; signatures are filler.
#pragma once
#include "core/wire/message.h"

namespace overlayd::test {

// A TRANSACTION of payments, of roughly `size` bytes (at least 204).
[[nodiscard]] MessagePtr make_transaction(const NetworkId& network, std::uint64_t number, std::size_t size = 300);

// A TRANSACTION that uploads `wasm_bytes` of code: as large as one likes.
[[nodiscard]] MessagePtr make_upload(const NetworkId& network, std::uint64_t number, std::size_t wasm_bytes);

struct ScpFields {
  NodeId node;
  std::uint64_t slot = 1;
  std::uint32_t ballot_counter = 1;
  std::uint64_t value = 1;               // distinguishes the value's transaction set
  std::size_t value_bytes = 0;           // not 0: a value of that size instead, which decodes as nothing
  std::optional<ItemHash> tx_set{};      // instead of what `value` says
  std::optional<ItemHash> quorum_set{};  // instead of one and the same for all
  bool is_externalize = false;           // an EXTERNALIZE of that ballot instead
  std::vector<ItemHash> votes{};         // not empty: a NOMINATE that votes for values of these transaction sets
};
// An SCP_MESSAGE with an EXTERNALIZE-like PREPARE statement: ballot (counter, value), nothing prepared.
[[nodiscard]] MessagePtr make_scp(const NetworkId& network, const ScpFields& fields);

// A GENERALIZED_TX_SET of one transaction and about `bytes` as a StellarMessage (at least 400).
[[nodiscard]] MessagePtr make_tx_set(std::uint64_t number, std::size_t bytes = 600);

// An SCP_QUORUMSET of one validator.
[[nodiscard]] MessagePtr make_quorum_set(std::uint64_t number);

// What the item in this TX_SET, GENERALIZED_TX_SET or SCP_QUORUMSET is named by.
[[nodiscard]] ItemId item_id_of(const wire::Message& message);

[[nodiscard]] TxFullHash make_full_hash(std::uint64_t number);
[[nodiscard]] NodeId make_node(std::uint64_t number);

}  // namespace overlayd::test
