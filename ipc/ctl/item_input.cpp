#include "ipc/ctl/item_input.h"

#include <algorithm>

#include "core/wire/message_type.h"
#include "core/xdr/validate.h"

namespace overlayd::ipc::ctl {
namespace {

struct Form {
  ItemForm form;
  xdr::Type type;
  wire::MessageType message;
};

// In the order in which they are tried: the most particular first.
constexpr std::array<Form, 3> kForms{
    {{ItemForm::kGeneralizedTxSet, xdr::Type::kGeneralizedTransactionSet, wire::MessageType::kGeneralizedTxSet},
     {ItemForm::kQuorumSet, xdr::Type::kScpQuorumSet, wire::MessageType::kScpQuorumset},
     {ItemForm::kTxSet, xdr::Type::kTransactionSet, wire::MessageType::kTxSet}}};

std::string text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool begins_with(ByteView bytes, wire::MessageType type) {
  if (bytes.size() < 4) return false;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | bytes[i];
  return number == static_cast<std::uint32_t>(type);
}

}  // namespace

std::optional<ItemForm> to_item_form(std::string_view name) {
  const auto found = std::find(kItemFormNames.begin(), kItemFormNames.end(), name);
  if (found == kItemFormNames.end()) return std::nullopt;
  return static_cast<ItemForm>(found - kItemFormNames.begin());
}

Result<ItemXdr> to_item(const Bytes& bytes, std::optional<ItemForm> form) {
  const ByteView all(bytes);
  const auto is_wanted = [&](const Form& known) { return !form || *form == known.form; };
  for (const Form& known : kForms) {
    if (!is_wanted(known) || !begins_with(all, known.message)) continue;
    if (xdr::validate(known.type, all.subspan(4))) return ItemXdr{known.form, text_of(all.subspan(4))};
  }
  std::string why = "neither a transaction set, a generalised one nor a quorum set";
  for (const Form& known : kForms) {
    if (!is_wanted(known)) continue;
    const auto validation = xdr::validate(known.type, all);
    if (validation) return ItemXdr{known.form, text_of(all)};
    if (form) why = validation.text();
  }
  return Failure{why};
}

}  // namespace overlayd::ipc::ctl
