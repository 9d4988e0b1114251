#include "core/local_node.h"

#include <catch2/catch.hpp>

using namespace overlayd;

TEST_CASE("before the first update we are in sync and know no ledger", "[local_node]") {
  const LedgerView view;
  CHECK(view.is_in_sync);
  CHECK_FALSE(view.is_known);
  CHECK(view.first_slot_to_ask() == 0);
  CHECK(view.lowest_slot_to_remember() == 1);
  CHECK(view.max_tx_size() == 102'400);
}

TEST_CASE("the largest transaction is the larger of the classic and the Soroban bound", "[local_node]") {
  LedgerView view;
  view.soroban_tx_bytes_max = 100'399;
  CHECK(view.max_tx_size() == 102'400);
  view.soroban_tx_bytes_max = 100'400;
  CHECK(view.max_tx_size() == 102'400);
  view.soroban_tx_bytes_max = 100'401;
  CHECK(view.max_tx_size() == 102'401);
  view.soroban_tx_bytes_max = 132'096;
  CHECK(view.max_tx_size() == 134'096);
}

TEST_CASE("the largest transaction never exceeds what a frame holds", "[local_node]") {
  LedgerView view;
  view.soroban_tx_bytes_max = UINT32_MAX;
  CHECK(view.max_tx_size() == limits::kMessageBytesMax);
}

TEST_CASE("twelve slots are remembered, the current one included", "[local_node]") {
  LedgerView view;
  view.sequence = 12;
  CHECK(view.lowest_slot_to_remember() == 1);
  view.sequence = 13;
  CHECK(view.lowest_slot_to_remember() == 2);
  view.sequence = 1000;
  CHECK(view.lowest_slot_to_remember() == 989);
  view.sequence = UINT32_MAX;
  CHECK(view.lowest_slot_to_remember() == UINT32_MAX - 11);
}

TEST_CASE("how many slots are remembered can be configured", "[local_node]") {
  LedgerView view;
  view.slots_to_remember = 30;
  view.sequence = 30;
  CHECK(view.lowest_slot_to_remember() == 1);
  view.sequence = 31;
  CHECK(view.lowest_slot_to_remember() == 2);
  view.sequence = 1000;
  CHECK(view.lowest_slot_to_remember() == 971);
  CHECK(view.first_slot_to_ask() == 998);
  view.slots_to_remember = 1;
  CHECK(view.lowest_slot_to_remember() == 1000);
  CHECK(view.first_slot_to_ask() == 1000);
  view.lowest_slot = 950;
  CHECK(view.lowest_slot_to_remember() == 950);
}

TEST_CASE("the consensus process can name the lowest slot", "[local_node]") {
  LedgerView view;
  view.sequence = 1000;
  view.lowest_slot = 950;
  CHECK(view.lowest_slot_to_remember() == 950);
}

TEST_CASE("peers are asked from three ledgers before the next one on", "[local_node]") {
  LedgerView view;
  view.sequence = 1;
  CHECK(view.first_slot_to_ask() == 1);
  view.sequence = 2;
  CHECK(view.first_slot_to_ask() == 1);
  view.sequence = 3;
  CHECK(view.first_slot_to_ask() == 1);
  view.sequence = 4;
  CHECK(view.first_slot_to_ask() == 2);
  view.sequence = 1000;
  CHECK(view.first_slot_to_ask() == 998);
  view.sequence = UINT32_MAX;
  CHECK(view.first_slot_to_ask() == UINT32_MAX - 2);
}

TEST_CASE("Soroban transactions count for flooding from protocol 20", "[local_node]") {
  LedgerView view;
  view.max_tx_set_ops = 1000;
  view.soroban_ledger_tx_count = 120;
  view.protocol_version = 19;
  CHECK(view.ops_per_ledger() == 1000);
  view.protocol_version = 20;
  CHECK(view.ops_per_ledger() == 1120);
  view.max_tx_set_ops = UINT32_MAX;
  view.soroban_ledger_tx_count = UINT32_MAX;
  CHECK(view.ops_per_ledger() == 2 * std::uint64_t{UINT32_MAX});
}
