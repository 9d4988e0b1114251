#include "ipc/ctl/inspect.h"

#include <array>
#include <iomanip>

#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "core/crypto/strkey.h"
#include "core/wire/hashes.h"
#include "core/wire/message_type.h"
#include "core/xdr/json.h"
#include "core/xdr/reader.h"
#include "core/xdr/validate.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

constexpr std::array<xdr::Type, 7> kInspectable{xdr::Type::kStellarMessage,      xdr::Type::kAuthenticatedMessage,
                                                xdr::Type::kTransactionEnvelope, xdr::Type::kGeneralizedTransactionSet,
                                                xdr::Type::kTransactionSet,      xdr::Type::kScpEnvelope,
                                                xdr::Type::kScpQuorumSet};

struct Inspected {
  std::string type;  // empty: not known
  std::string tx_hash;
  std::string hash;
  std::string error;  // empty: valid
};

// The StellarMessage's bytes within the item, as far as they are there.
ByteView message_of(xdr::Type root, ByteView bytes) {
  if (root == xdr::Type::kStellarMessage) return bytes;
  if (root != xdr::Type::kAuthenticatedMessage || bytes.size() < limits::kAuthHeadBytes) return {};
  const ByteView rest = bytes.subspan(limits::kAuthHeadBytes);
  return rest.size() > limits::kMacBytes ? rest.first(rest.size() - limits::kMacBytes) : rest;
}

std::optional<wire::MessageType> message_type_of(ByteView message) {
  if (message.size() < 4) return std::nullopt;
  return wire::to_message_type(static_cast<std::int32_t>(xdr::Reader(message).u32()));
}

std::string hash_of_set(xdr::Type type, ByteView bytes) {
  if (type == xdr::Type::kGeneralizedTransactionSet) return to_hex(wire::generalized_tx_set_hash(bytes).view());
  if (type == xdr::Type::kTransactionSet) return to_hex(wire::tx_set_hash(bytes).view());
  if (type == xdr::Type::kScpQuorumSet) return to_hex(wire::quorum_set_hash(bytes).view());
  return {};
}

// What a valid message carries, as the type it would have by itself.
std::optional<xdr::Type> carried_type(wire::MessageType type) {
  if (type == wire::MessageType::kTransaction) return xdr::Type::kTransactionEnvelope;
  if (type == wire::MessageType::kGeneralizedTxSet) return xdr::Type::kGeneralizedTransactionSet;
  if (type == wire::MessageType::kTxSet) return xdr::Type::kTransactionSet;
  if (type == wire::MessageType::kScpQuorumset) return xdr::Type::kScpQuorumSet;
  return std::nullopt;
}

void add_hashes(Inspected& item, xdr::Type type, ByteView bytes, const InspectOptions& options) {
  if (type == xdr::Type::kTransactionEnvelope && options.network)
    item.tx_hash = to_hex(wire::tx_hash(bytes, *options.network).view());
  item.hash = hash_of_set(type, bytes);
}

Inspected look_at(const Bytes& bytes, const InspectOptions& options) {
  Inspected item;
  const bool is_message =
      options.type == xdr::Type::kStellarMessage || options.type == xdr::Type::kAuthenticatedMessage;
  const ByteView message = message_of(options.type, bytes);
  const std::optional<wire::MessageType> message_type = message_type_of(message);
  if (!is_message)
    item.type = xdr::type_name(options.type);
  else if (message_type)
    item.type = wire::message_type_name(*message_type);
  const xdr::Validation validation = xdr::validate(options.type, bytes);
  if (!validation) {
    item.error = validation.text();
    return item;
  }
  if (!is_message) {
    add_hashes(item, options.type, bytes, options);
  } else if (const auto carried = message_type ? carried_type(*message_type) : std::nullopt) {
    add_hashes(item, *carried, message.subspan(4), options);
  }
  return item;
}

std::string key_text(ByteView key) { return crypto::encode_node_id(NodeId::from(key.first<32>())); }

std::string content_of(const XdrItem& input, const InspectOptions& options) {
  return xdr::to_json(options.type, input.bytes.value(), {.key_text = key_text});
}

void print_json(const XdrItem& input, const Inspected& item, const InspectOptions& options, std::ostream& out) {
  Json line;
  line["index"] = input.index;
  if (!item.type.empty()) line["type"] = item.type;
  if (input.bytes.ok()) {
    line["size"] = input.bytes.value().size();
    line["blake2b_256"] = to_hex(crypto::blake2b_256(input.bytes.value()));
    line["sha256"] = to_hex(crypto::sha256(input.bytes.value()));
  }
  if (!item.tx_hash.empty()) line["tx_hash"] = item.tx_hash;
  if (!item.hash.empty()) line["hash"] = item.hash;
  if (!item.error.empty()) line["error"] = item.error;
  std::string text = line.dump(-1, ' ', true, Json::error_handler_t::replace);
  // The content is JSON already: it takes the place of the closing brace.
  if (options.is_decoded && item.error.empty()) {
    text.pop_back();
    text += ",\"content\":" + content_of(input, options) + "}";
  }
  out << text << '\n';
}

constexpr int kIndexWidth = 7;
constexpr int kTypeWidth = 36;
constexpr int kSizeWidth = 9;

void print_head(std::ostream& out) {
  out << std::left << std::setw(kIndexWidth) << "INDEX" << std::setw(kTypeWidth) << "TYPE" << std::right
      << std::setw(kSizeWidth) << "BYTES"
      << "  HASH\n";
}

void print_row(const XdrItem& input, const Inspected& item, const InspectOptions& options, std::ostream& out) {
  const std::string size = input.bytes.ok() ? std::to_string(input.bytes.value().size()) : "-";
  out << std::left << std::setw(kIndexWidth) << input.index << std::setw(kTypeWidth)
      << (item.type.empty() ? "-" : item.type) << std::right << std::setw(kSizeWidth) << size << "  ";
  if (!item.error.empty())
    out << "INVALID: " << item.error;
  else if (!item.tx_hash.empty())
    out << "tx " << item.tx_hash;
  else if (!item.hash.empty())
    out << "set " << item.hash;
  else
    out << "sha256 " << to_hex(crypto::sha256(input.bytes.value()));
  out << '\n';
  if (options.is_decoded && item.error.empty()) out << "  " << content_of(input, options) << '\n';
}

}  // namespace

Result<xdr::Type> to_inspectable(std::string_view name) {
  std::string known;
  for (const xdr::Type type : kInspectable) {
    if (xdr::type_name(type) == name) return type;
    known += (known.empty() ? "" : ", ") + std::string(xdr::type_name(type));
  }
  return Failure{"--type " + std::string(name) + " is none of " + known};
}

Result<InspectTotals> inspect(XdrInput& input, const InspectOptions& options, std::ostream& out) {
  crypto::init();
  InspectTotals totals;
  if (!options.is_json) print_head(out);
  while (const std::optional<XdrItem> item = input.next()) {
    Inspected seen;
    if (item->bytes.ok())
      seen = look_at(item->bytes.value(), options);
    else
      seen.error = item->bytes.error();
    ++totals.items;
    if (!seen.error.empty()) ++totals.invalid;
    if (options.is_json)
      print_json(*item, seen, options, out);
    else
      print_row(*item, seen, options, out);
    if (!out) return Failure{"cannot write the output"};
  }
  if (input.is_broken()) return Failure{"cannot read the input"};
  if (!options.is_json) out << totals.items << " items, " << totals.invalid << " invalid\n";
  out.flush();
  return totals;
}

}  // namespace overlayd::ipc::ctl
