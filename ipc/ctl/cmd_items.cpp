// fetch, cancel-fetch and get-item: items by their hash.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>

#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/names.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;
using Clock = std::chrono::steady_clock;

struct ItemOptions {
  std::string hash;
  std::string kind;
  std::optional<std::uint64_t> slot;
  double wait_seconds = 0;
  std::string out;
};

// Hash and kind, in a request that has both.
template <typename Request>
Result<Request> naming(const ItemOptions& options) {
  const auto hash = from_hex(options.hash);
  if (!hash || hash->size() != 32) return Failure{"HASH: \"" + options.hash + "\" is not 64 hexadecimal digits"};
  Request request;
  request.set_hash(hash->data(), hash->size());
  request.set_kind(options.kind == "quorum-set" ? v1::ITEM_KIND_QUORUM_SET : v1::ITEM_KIND_TX_SET);
  return request;
}

// One record-marked value, as put-items and inspect read it.
Result<Done> write_file(const std::string& path, const std::string& xdr) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const auto mark = static_cast<std::uint32_t>(xdr.size()) | 0x8000'0000U;
  for (int shift = 24; shift >= 0; shift -= 8) file.put(static_cast<char>(mark >> shift & 0xff));
  file.write(xdr.data(), static_cast<std::streamsize>(xdr.size()));
  file.close();
  if (!file) return Failure{path + ": cannot be written"};
  return Done{};
}

struct Arrived {
  v1::ItemKind kind;
  const std::string& hash;
  const std::string& xdr;
};

// To the file if one is named, else to standard output.
void show_item(Context& context, const Arrived& item, const std::string& out) {
  if (!out.empty()) {
    if (const auto written = write_file(out, item.xdr); !written) {
      return report_error(context, kExitUsage, "--out: " + written.error());
    }
  }
  if (context.is_json) {
    Json object{{"kind", kind_text(item.kind)}, {"hash", hex(item.hash)}, {"size", item.xdr.size()}};
    if (out.empty()) object["xdr"] = base64(item.xdr);
    if (!out.empty()) object["file"] = out;
    return print_json(object);
  }
  print_table({{"kind", std::string(kind_text(item.kind))},
               {"hash", hex(item.hash)},
               {"size", std::to_string(item.xdr.size()) + " bytes"},
               {out.empty() ? "xdr" : "file", out.empty() ? base64(item.xdr) : out}});
}

void get_item(Context& context, Client& client, const ItemOptions& options, const v1::GetItemRequest& request) {
  const auto answer = client.get_item(request);
  if (!answer) return report_call_error(context, answer.error());
  show_item(context, {answer.value().kind(), request.hash(), answer.value().xdr()}, options.out);
}

void run_get_item(Context& context, const ItemOptions& options) {
  const auto request = naming<v1::GetItemRequest>(options);
  if (!request) return report_error(context, kExitUsage, request.error());
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  get_item(context, *client.value(), options, request.value());
}

void run_cancel_fetch(Context& context, const ItemOptions& options) {
  const auto request = naming<v1::CancelFetchRequest>(options);
  if (!request) return report_error(context, kExitUsage, request.error());
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  const auto answer = client.value()->cancel_fetch(request.value());
  if (!answer) return report_error(context, kExitCall, answer.error());
  const bool is_stopped = answer.value().stopped();
  if (!is_stopped) context.exit_code = kExitRefused;
  if (context.is_json) return print_json({{"stopped", is_stopped}});
  std::printf("%s\n", is_stopped ? "stopped" : "no client had asked for it");
}

// The time is over: the daemon shall not search on for somebody who has left.
void give_up(Context& context, Client& client, const ItemOptions& options) {
  const auto cancelled = client.cancel_fetch(naming<v1::CancelFetchRequest>(options).value());
  if (!cancelled) return report_error(context, kExitCall, cancelled.error());
  report_error(context, kExitRefused, "the item did not arrive in time");
}

// Until the item arrives or the time is over.
void await_item(Context& context, Client& client, Subscriber& subscriber, const ItemOptions& options) {
  const std::string hash = naming<v1::FetchRequest>(options).value().hash();
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.wait_seconds));
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return give_up(context, client, options);
    const auto next = subscriber.next(left);
    if (!next) {
      const auto end = subscriber.end();
      if (end && !end->ok()) return report_error(context, kExitCall, end->error());
      continue;
    }
    const auto* event = std::get_if<v1::Event>(&*next);
    if (event == nullptr || event->hash() != hash) continue;
    const v1::ItemEvent& item = event->item();
    if (item.change() == v1::ItemEvent::CHANGE_ARRIVED) {
      return show_item(context, {item.kind(), hash, event->xdr()}, options.out);
    }
    std::fprintf(stderr, "overlayctl: no peer has it: %u requests in %u rounds\n", item.peers_asked(), item.rounds());
  }
}

void show_fetch(Context& context, const v1::FetchResponse& answer) {
  const bool is_refused = answer.status() == v1::FETCH_STATUS_REFUSED;
  const char* status = answer.status() == v1::FETCH_STATUS_HELD ? "held" : is_refused ? "refused" : "fetching";
  if (is_refused) context.exit_code = kExitRefused;
  if (context.is_json) {
    Json object{{"status", status}};
    if (is_refused) object["why"] = answer.why();
    return print_json(object);
  }
  std::printf("%s%s%s\n", status, is_refused ? ": " : "", answer.why().c_str());
}

void run_fetch(Context& context, const ItemOptions& options) {
  auto request = naming<v1::FetchRequest>(options);
  if (!request) return report_error(context, kExitUsage, request.error());
  v1::FetchRequest fetch = std::move(request).value();
  if (options.slot) fetch.set_slot(*options.slot);
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  std::unique_ptr<Subscriber> subscriber;
  if (options.wait_seconds > 0) {
    v1::SubscribeRequest topics;
    topics.add_topics(v1::TOPIC_ITEMS);
    subscriber = client.value()->subscribe(topics);
    const auto attached = subscriber->wait_attached(std::chrono::seconds(10));
    if (!attached) return report_error(context, kExitCall, attached.error());
  }
  const auto answer = client.value()->fetch(fetch);
  if (!answer) return report_error(context, kExitCall, answer.error());
  if (!subscriber || answer.value().status() == v1::FETCH_STATUS_REFUSED) return show_fetch(context, answer.value());
  if (answer.value().status() == v1::FETCH_STATUS_HELD) {
    return get_item(context, *client.value(), options, naming<v1::GetItemRequest>(options).value());
  }
  await_item(context, *client.value(), *subscriber, options);
}

std::shared_ptr<ItemOptions> add_item_options(CLI::App& command) {
  auto options = std::make_shared<ItemOptions>();
  command.add_option("HASH", options->hash, "The item's hash, hexadecimal")->required();
  command.add_option("--kind", options->kind, "What it is: tx-set (of either form) or quorum-set")
      ->required()
      ->check(CLI::IsMember({"tx-set", "generalized-tx-set", "quorum-set"}));
  return options;
}

constexpr const char* kOutHelp = "Write the XDR to this file, record-marked, as put-items and inspect read it";

}  // namespace

void add_fetch(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("fetch", "Searches for a transaction set or quorum set at the peers");
  const auto options = add_item_options(*command);
  command->add_option("--slot", options->slot, "Slot it is wanted for; default: the current ledger's")
      ->check(whole_number(0, UINT64_MAX));
  auto* wait =
      command
          ->add_option("--wait", options->wait_seconds,
                       "Wait so many seconds for it and show it; if it does not come, take the fetch back, exit code 1")
          ->check(seconds_of_a_year());
  command->add_option("--out", options->out, kOutHelp)->needs(wait);
  command->callback([&context, options] { run_fetch(context, *options); });
}

void add_cancel_fetch(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("cancel-fetch", "Takes a fetch back; exit code 1 if there was none");
  const auto options = add_item_options(*command);
  command->callback([&context, options] { run_cancel_fetch(context, *options); });
}

void add_get_item(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("get-item", "Shows a transaction set or quorum set that the daemon holds");
  const auto options = add_item_options(*command);
  command->add_option("--out", options->out, kOutHelp);
  command->callback([&context, options] { run_get_item(context, *options); });
}

}  // namespace overlayd::ipc::ctl
