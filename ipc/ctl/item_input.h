// What an item in a file is: a TransactionSet, a GeneralizedTransactionSet or an SCPQuorumSet, bare or as the
// StellarMessage around it. A message is recognised by its type, and then tried before the bare forms.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace overlayd::ipc::ctl {

enum class ItemForm : std::uint8_t { kTxSet = 0, kGeneralizedTxSet = 1, kQuorumSet = 2 };
inline constexpr std::array<std::string_view, 3> kItemFormNames{"tx-set", "generalized-tx-set", "quorum-set"};

struct ItemXdr {
  ItemForm form = ItemForm::kTxSet;
  std::string xdr;  // bare
};

// The name's place in kItemFormNames.
[[nodiscard]] std::optional<ItemForm> to_item_form(std::string_view name);

// With a `form` only that one is tried. Without, the first that the bytes are valid XDR of: a generalised set, a quorum
// set, a transaction set; the refusal then says only that they are none.
[[nodiscard]] Result<ItemXdr> to_item(const Bytes& bytes, std::optional<ItemForm> form);

}  // namespace overlayd::ipc::ctl
