// update-ledger: says what a consensus process would say, to try things out by hand.
#include <cstdio>
#include <memory>
#include <optional>

#include "core/crypto/strkey.h"
#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

struct UpdateLedgerOptions {
  std::optional<std::uint32_t> sequence;
  bool is_in_sync = false;
  bool is_out_of_sync = false;
  std::optional<std::uint32_t> protocol_version;
  std::optional<std::uint32_t> close_time_ms;
  std::optional<std::uint32_t> max_tx_set_ops;
  std::optional<std::uint32_t> soroban_ledger_tx_count;
  std::optional<std::uint32_t> soroban_tx_bytes_max;
  std::optional<std::uint32_t> lowest_slot;
  std::optional<std::uint32_t> checkpoint_slot;
  bool is_validator = false;
  bool is_no_validator = false;
  std::vector<std::string> quorum;
  std::vector<std::string> applied;
  std::vector<std::string> banned;
};

// A refusal that names the option and the text.
template <typename Field>
Result<Done> add_hashes(const std::vector<std::string>& texts, const char* option, Field* out) {
  for (const std::string& text : texts) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != 32)
      return Failure{std::string(option) + ": \"" + text + "\" is not 64 hexadecimal digits"};
    out->Add(std::string(bytes->begin(), bytes->end()));
  }
  return Done{};
}

Result<::overlay::v1::UpdateLedgerRequest> to_request(const UpdateLedgerOptions& options) {
  ::overlay::v1::UpdateLedgerRequest request;
  if (options.sequence) request.set_sequence(*options.sequence);
  if (options.is_in_sync || options.is_out_of_sync) request.set_in_sync(options.is_in_sync);
  if (options.protocol_version) request.set_protocol_version(*options.protocol_version);
  if (options.close_time_ms) request.set_close_time_ms(*options.close_time_ms);
  if (options.max_tx_set_ops) request.set_max_tx_set_ops(*options.max_tx_set_ops);
  if (options.soroban_ledger_tx_count) request.set_soroban_ledger_tx_count(*options.soroban_ledger_tx_count);
  if (options.soroban_tx_bytes_max) request.set_soroban_tx_bytes_max(*options.soroban_tx_bytes_max);
  if (options.lowest_slot) request.set_lowest_slot(*options.lowest_slot);
  if (options.checkpoint_slot) request.set_checkpoint_slot(*options.checkpoint_slot);
  if (options.is_validator || options.is_no_validator) request.set_is_validator(options.is_validator);
  for (const std::string& text : options.quorum) {
    const auto node = crypto::decode_node_id(text);
    if (!node) return Failure{"--quorum: " + node.error()};
    request.mutable_quorum()->add_node_ids(node.value().bytes.data(), node.value().bytes.size());
  }
  if (auto done = add_hashes(options.applied, "--applied", request.mutable_applied_tx_hashes()); !done) {
    return Failure{done.error()};
  }
  if (auto done = add_hashes(options.banned, "--banned", request.mutable_banned_tx_hashes()); !done) {
    return Failure{done.error()};
  }
  return request;
}

void update_ledger(Context& context, const UpdateLedgerOptions& options) {
  const auto request = to_request(options);
  if (!request) return report_error(context, kExitUsage, request.error());
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  if (const auto done = client.value()->update_ledger(request.value()); !done) {
    return report_error(context, kExitCall, done.error());
  }
  if (context.is_json) {
    Json object{{"updated", true}};
    if (options.sequence) object["sequence"] = *options.sequence;
    if (options.is_in_sync || options.is_out_of_sync) object["in_sync"] = options.is_in_sync;
    return print_json(object);
  }
  std::printf("the daemon has the update\n");
}

}  // namespace

void add_update_ledger(CLI::App& app, Context& context) {
  auto options = std::make_shared<UpdateLedgerOptions>();
  UpdateLedgerOptions& o = *options;
  CLI::App* command = app.add_subcommand(
      "update-ledger",
      "Tells the daemon of the ledger, as a consensus process does; what is not given stays as it was");
  const CLI::Validator number = whole_number(0, UINT32_MAX);  // the daemon knows the ranges and names them
  command->add_option("--sequence", o.sequence, "Last closed ledger, from 1; required the first time")->check(number);
  auto* in_sync = command->add_flag("--in-sync", o.is_in_sync, "The node is in sync with the network");
  command->add_flag("--out-of-sync", o.is_out_of_sync, "It is not: transactions of peers are ignored")
      ->excludes(in_sync);
  command->add_option("--protocol-version", o.protocol_version, "Of the ledger, 1 to 1000")->check(number);
  command->add_option("--close-time-ms", o.close_time_ms, "Expected milliseconds between ledgers, 1 to 3600000")
      ->check(number);
  command->add_option("--max-tx-set-ops", o.max_tx_set_ops, "maxTxSetSize of the ledger header, 1 to 1000000")
      ->check(number);
  command
      ->add_option("--soroban-ledger-tx-count", o.soroban_ledger_tx_count, "ledgerMaxTxCount of the Soroban settings")
      ->check(number);
  command
      ->add_option("--soroban-tx-bytes-max", o.soroban_tx_bytes_max,
                   "txMaxSizeBytes of the Soroban settings, 0 to 16775172 bytes")
      ->check(number);
  command->add_option("--lowest-slot", o.lowest_slot, "Lowest slot to remember; 0: derived from the sequence")
      ->check(number);
  command->add_option("--checkpoint-slot", o.checkpoint_slot, "The latest checkpoint; 0: none")->check(number);
  auto* validator = command->add_flag("--validator", o.is_validator, "The node is a validator");
  command->add_flag("--no-validator", o.is_no_validator, "It is not")->excludes(validator);
  command->add_option("--quorum", o.quorum, "Node ids (G...) of the transitive quorum")->delimiter(',');
  command->add_option("--applied", o.applied, "Transaction hashes (hexadecimal) the ledger applied")->delimiter(',');
  command->add_option("--banned", o.banned, "Transaction hashes (hexadecimal) to refuse for 10 ledgers")
      ->delimiter(',');
  command->callback([&context, options] { update_ledger(context, *options); });
}

}  // namespace overlayd::ipc::ctl
