#include "ipc/ctl/item_input.h"

#include <catch2/catch.hpp>

using namespace overlayd;
using namespace overlayd::ipc::ctl;

namespace {

Bytes joined(Bytes head, std::size_t count, std::uint8_t fill, const Bytes& tail) {
  head.insert(head.end(), count, fill);
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

Bytes quorum_set() { return joined({0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}, 32, 0x11, {0, 0, 0, 0}); }
Bytes tx_set() { return joined({}, 32, 0x22, {0, 0, 0, 0}); }
Bytes generalized_tx_set() { return joined({0, 0, 0, 1}, 32, 0x33, {0, 0, 0, 0}); }
Bytes message(std::uint8_t type, const Bytes& body) { return joined({0, 0, 0, type}, 0, 0, body); }
std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST_CASE("an item is told by its XDR, bare or as a message", "[item_input]") {
  struct Example {
    Bytes bare;
    std::uint8_t type;
    ItemForm form;
  };
  for (const Example& example :
       {Example{tx_set(), 7, ItemForm::kTxSet}, Example{quorum_set(), 10, ItemForm::kQuorumSet},
        Example{generalized_tx_set(), 17, ItemForm::kGeneralizedTxSet}}) {
    for (const Bytes& bytes : {example.bare, message(example.type, example.bare)}) {
      for (const std::optional<ItemForm> form : {std::optional<ItemForm>(), std::optional(example.form)}) {
        const auto item = to_item(bytes, form);
        REQUIRE(item.ok());
        CHECK(item.value().form == example.form);
        CHECK(item.value().xdr == text_of(example.bare));
      }
    }
  }
}

TEST_CASE("what is no item is refused; with a kind named the refusal says where decoding failed", "[item_input]") {
  CHECK(to_item({}, {}).error() == "neither a transaction set, a generalised one nor a quorum set");
  CHECK_FALSE(to_item(Bytes(40, 0xff), {}).ok());
  Bytes cut = quorum_set();
  cut.pop_back();
  CHECK_FALSE(to_item(cut, {}).ok());
  CHECK_THAT(to_item(cut, ItemForm::kQuorumSet).error(), Catch::Contains("at byte"));
  CHECK_FALSE(to_item(quorum_set(), ItemForm::kTxSet).ok());
}

TEST_CASE("a form is called what the command line calls it", "[item_input]") {
  CHECK(to_item_form("tx-set") == ItemForm::kTxSet);
  CHECK(to_item_form("generalized-tx-set") == ItemForm::kGeneralizedTxSet);
  CHECK(to_item_form("quorum-set") == ItemForm::kQuorumSet);
  CHECK_FALSE(to_item_form("auto"));
}
