// put-items: gives the daemon transaction sets and quorum sets to serve.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "core/limits.h"
#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/item_input.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/xdr_input.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

struct PutOptions {
  std::vector<std::string> files;
  std::string kind = "auto";
};

class Run {
 public:
  Run(Context& context, Client& client, std::optional<ItemForm> form)
      : context_(context), client_(client), form_(form) {}

  // False: the daemon cannot be reached, or the file cannot be read; report says so.
  bool take(const std::string& path) {
    auto input = XdrInput::open(path);
    if (!input) return fail(kExitUsage, input.error());
    while (const auto item = input.value().next()) {
      const std::string where = input.value().where(*item);
      auto read = item->bytes ? to_item(item->bytes.value(), form_) : Result<ItemXdr>(Failure{item->bytes.error()});
      rows_.push_back({.where = where});
      if (!read) {
        rows_.back() = {where, "", "refused", read.error()};
      } else if (!add(std::move(read).value())) {
        return false;
      }
    }
    return !input.value().is_broken() || fail(kExitUsage, path + ": cannot be read to its end");
  }

  bool flush() {
    if (request_.items().empty()) return true;
    const auto answer = client_.put_items(request_);
    if (!answer) return fail(kExitCall, answer.error());
    for (int i = 0; i < answer.value().results_size(); ++i) {
      const auto& result = answer.value().results(i);
      Row& row = rows_.at(waiting_.at(static_cast<std::size_t>(i)));
      row = {row.where, hex(result.hash()), status_text(result.status()), result.why()};
    }
    request_.Clear();
    waiting_.clear();
    bytes_ = 0;
    return true;
  }

  // What became of the items, also of those before an error, in the order of the input.
  void report() {
    std::erase_if(rows_, [](const Row& row) { return row.status.empty(); });  // an error came before its result
    const bool is_any_refused = std::ranges::find(rows_, "refused", &Row::status) != rows_.end();
    if (is_any_refused && context_.exit_code == kExitOk) context_.exit_code = kExitRefused;
    if (!error_.empty()) std::fprintf(stderr, "overlayctl: error: %s\n", error_.c_str());
    if (context_.is_json) return report_json();
    if (rows_.empty()) return;
    std::vector<std::vector<std::string>> table{{"item", "status", "hash", ""}};
    for (const Row& row : rows_) table.push_back({row.where, row.status, row.hash.empty() ? "-" : row.hash, row.why});
    print_table(table);
  }

 private:
  struct Row {
    std::string where, hash{}, status{}, why{};
  };
  static constexpr std::size_t kBatchBytesMax = 8 << 20;  // and one item more, which alone fits any message

  static const char* status_text(v1::PutItemStatus status) {
    switch (status) {
      case v1::PUT_ITEM_STATUS_TAKEN: return "taken";
      case v1::PUT_ITEM_STATUS_HELD: return "held";
      default: return "refused";
    }
  }

  // The item of the last row.
  bool add(ItemXdr item) {
    if (bytes_ + item.xdr.size() > kBatchBytesMax && !flush()) return false;
    bytes_ += item.xdr.size();
    waiting_.push_back(rows_.size() - 1);
    auto& out = *request_.add_items();
    switch (item.form) {
      case ItemForm::kTxSet: out.set_tx_set(std::move(item.xdr)); break;
      case ItemForm::kGeneralizedTxSet: out.set_generalized_tx_set(std::move(item.xdr)); break;
      case ItemForm::kQuorumSet: out.set_quorum_set(std::move(item.xdr)); break;
    }
    return waiting_.size() < limits::kItemBatchMax || flush();
  }

  void report_json() const {
    Json items = Json::array();
    for (const Row& row : rows_) {
      Json& item = items.emplace_back(Json{{"item", row.where}});
      if (!row.hash.empty()) item["hash"] = row.hash;
      item["status"] = row.status;
      if (!row.why.empty()) item["why"] = row.why;
    }
    Json object{{"items", std::move(items)}};
    if (!error_.empty()) object["error"] = error_;
    print_json(object);
  }

  bool fail(int exit_code, const std::string& why) {
    context_.exit_code = exit_code;
    error_ += (error_.empty() ? "" : "; ") + why;
    return false;
  }

  Context& context_;
  Client& client_;
  const std::optional<ItemForm> form_;
  v1::PutItemsRequest request_;
  std::vector<std::size_t> waiting_;  // the row of each item of request_
  std::size_t bytes_ = 0;
  std::string error_;
  std::vector<Row> rows_;  // without a status until the daemon has answered
};

void put_items(Context& context, const PutOptions& options) {
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  Run run(context, *client.value(), to_item_form(options.kind));
  bool is_whole = true;
  for (const std::string& file : options.files) is_whole = is_whole && run.take(file);
  if (is_whole || context.exit_code != kExitCall) run.flush();  // also what stood before a file that cannot be read
  run.report();
}

}  // namespace

void add_put_items(CLI::App& app, Context& context) {
  auto options = std::make_shared<PutOptions>();
  CLI::App* command = app.add_subcommand("put-items", "Gives the daemon transaction sets and quorum sets to serve");
  command->add_option("FILE", options->files, "Where they are; - is standard input")->required();
  command->add_option("--kind", options->kind, "What they are; auto: the first form that the bytes are valid XDR of")
      ->check(CLI::IsMember({"auto", "tx-set", "generalized-tx-set", "quorum-set"}))
      ->capture_default_str();
  command->footer(
      "FILE holds record-marked XDR, or base64 (one a line), or JSON lines with a field `xdr`. An item is a "
      "TransactionSet,\n"
      "GeneralizedTransactionSet or SCPQuorumSet, or the StellarMessage around it. Exit code 0 only if nothing was "
      "refused;\n"
      "with --json: {\"items\":[{\"item\",\"hash\",\"status\",\"why\"}]}, hash only where it is known.\n");
  command->callback([&context, options] { put_items(context, *options); });
}

}  // namespace overlayd::ipc::ctl
