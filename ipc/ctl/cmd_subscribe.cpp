// subscribe: prints events as they come.
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "core/crypto/strkey.h"
#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/names.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/survey_fields.h"
#include "ipc/ctl/survey_json.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;
using Clock = std::chrono::steady_clock;

struct SubscribeOptions {
  std::vector<std::string> topics{"scp", "transactions"};
  std::uint64_t count = 0;
  double timeout_seconds = 0;
  bool is_accepting = false;
  bool is_observing = false;
  std::vector<std::uint64_t> resume_after;
  std::optional<std::uint64_t> boot_id;
};

v1::SubscribeRequest to_request(const SubscribeOptions& options, std::uint64_t boot_id) {
  v1::SubscribeRequest request;
  for (const std::string& topic : options.topics) {
    for (const TopicName& known : kTopicNames)
      if (topic == known.name) request.add_topics(known.topic);
  }
  request.set_observer_only(options.is_observing);
  for (const std::uint64_t sequence : options.resume_after) request.add_resume_after(sequence);
  if (!options.resume_after.empty()) request.set_boot_id(options.boot_id.value_or(boot_id));
  return request;
}

void add_peer(const v1::PeerEvent& peer, Json& object) {
  const bool is_dropped = peer.change() == v1::PeerEvent::CHANGE_DROPPED;
  object["change"] = is_dropped ? "dropped" : "authenticated";
  object["address"] = peer.address();
  object["direction"] = peer.direction() == v1::DIRECTION_INBOUND ? "inbound" : "outbound";
  if (is_dropped) object["reason"] = peer.reason();
  if (!peer.detail().empty()) object["detail"] = peer.detail();
}

void add_item(const v1::ItemEvent& item, Json& object) {
  const bool has_arrived = item.change() == v1::ItemEvent::CHANGE_ARRIVED;
  object["change"] = has_arrived ? "arrived" : "missing";
  object["kind"] = kind_text(item.kind());
  object["searched_ms"] = item.searched_ms();
  object["peers_asked"] = item.peers_asked();
  object["rounds"] = item.rounds();
}

Json event_json(const v1::Event& event) {
  Json object{{"seq", event.sequence()},
              {"topic", topic_text(event.topic())},
              {"arrival_unix_nanos", event.arrival_unix_nanos()},
              {"from", node_text(event.from())}};
  if (event.has_peer()) add_peer(event.peer(), object);
  if (event.has_item()) add_item(event.item(), object);
  if (event.has_scp_state_request()) {
    object["from_ledger"] = event.scp_state_request().from_ledger();
    object["envelopes_sent"] = event.scp_state_request().envelopes_sent();
  }
  if (event.has_survey()) object["survey"] = survey_status_json(to_status(event.survey()));
  if (event.hash().empty()) return object;
  object["hash"] = hex(event.hash());
  if (!event.flood_hash().empty()) object["flood_hash"] = hex(event.flood_hash());
  if (!event.tx_full_hash().empty()) object["full_hash"] = hex(event.tx_full_hash());
  if (event.xdr().empty()) return object;
  object["size"] = event.xdr().size();
  object["xdr"] = base64(event.xdr());
  return object;
}

std::string survey_text(const SurveyStatus& status) {
  std::string text(word_of(status.phase));
  if (status.phase != SurveyPhase::kInactive) {
    text += "  " + crypto::encode_node_id(status.surveyor) + (status.is_ours ? " (this node)" : "") + "  nonce " +
            std::to_string(status.nonce);
  }
  if (status.run != SurveyRun::kNone) text += "  run " + std::string(word_of(status.run));
  if (!status.rival.is_zero()) text += "  another surveyor " + crypto::encode_node_id(status.rival);
  return text;
}

// What follows the sequence number, the topic and the sender.
std::string event_text(const v1::Event& event) {
  if (event.has_peer()) {
    const v1::PeerEvent& peer = event.peer();
    const bool is_dropped = peer.change() == v1::PeerEvent::CHANGE_DROPPED;
    return peer.address() + "  " + (is_dropped ? "dropped: " : "authenticated") + peer.reason() + "  " + peer.detail();
  }
  if (event.has_scp_state_request()) {
    const v1::ScpStateRequestEvent& request = event.scp_state_request();
    return "from ledger " + std::to_string(request.from_ledger()) + "  " + std::to_string(request.envelopes_sent()) +
           " envelopes sent";
  }
  if (event.has_survey()) return survey_text(to_status(event.survey()));
  std::string text = hex(event.hash());
  if (event.has_item()) {
    const v1::ItemEvent& item = event.item();
    text += "  " + std::string(kind_text(item.kind()));
    if (item.change() == v1::ItemEvent::CHANGE_MISSING) {
      return text + "  missing after " + std::to_string(item.peers_asked()) + " requests in " +
             std::to_string(item.rounds()) + " rounds";
    }
  }
  return text + "  " + std::to_string(event.xdr().size()) + " bytes";
}

void print_event(const v1::Event& event) {
  const std::string from = event.from().empty() ? "-" : node_text(event.from());
  std::printf("%llu  %s  %s  %s\n", static_cast<unsigned long long>(event.sequence()), topic_text(event.topic()),
              from.c_str(), event_text(event).c_str());
}

void print_item(const Context& context, const Subscriber::Item& item) {
  if (const auto* gap = std::get_if<v1::Gap>(&item)) {
    if (context.is_json) {
      print_json({{"gap", true},
                  {"topic", topic_text(gap->topic())},
                  {"count", gap->count()},
                  {"from", gap->from()},
                  {"to", gap->to()}});
    } else {
      std::printf("lost: %llu events of topic %s\n", static_cast<unsigned long long>(gap->count()),
                  topic_text(gap->topic()));
    }
    return;
  }
  const auto& event = std::get<v1::Event>(item);
  if (context.is_json) {
    print_json(event_json(event));
  } else {
    print_event(event);
  }
}

// Until `count` events were printed (0: no limit), the deadline passed, or the stream ended.
class Session {
 public:
  Session(Context& context, const SubscribeOptions& options, Client& client)
      : context_(context), options_(options), client_(client) {
    if (options.is_accepting) verdicts_ = client.verdicts();
  }

  void run() {
    const auto subscriber = client_.subscribe(to_request(options_, client_.info().boot_id()));
    if (const auto attached = subscriber->wait_attached(std::chrono::seconds(10)); !attached) {
      return report_error(context_, kExitCall, attached.error());
    }
    std::fprintf(stderr, "overlayctl: subscribed\n");
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(options_.timeout_seconds));
    while (options_.count == 0 || printed_ < options_.count) {
      auto wait = std::chrono::milliseconds(1000);
      if (options_.timeout_seconds > 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) break;
        wait = std::min(wait, left);
      }
      if (const auto item = subscriber->next(wait)) {
        take(*item);
        if (!subscriber->has_next()) settle();
      } else if (const auto end = subscriber->end()) {
        if (!end->ok()) report_error(context_, kExitCall, end->error());
        break;
      }
      if (std::ferror(stdout) != 0) break;  // whoever read our output is gone
    }
    finish();
  }

 private:
  void take(const Subscriber::Item& item) {
    print_item(context_, item);
    const auto* event = std::get_if<v1::Event>(&item);
    if (event == nullptr) return;
    ++printed_;
    if (verdicts_ && !event->flood_hash().empty()) verdicts_->add(event->flood_hash(), v1::VERDICT_ACCEPT);
  }

  void settle() {
    std::fflush(stdout);
    if (verdicts_) verdicts_->flush();
  }

  void finish() {
    settle();
    if (verdicts_) {
      if (const auto taken = verdicts_->finish(); !taken && context_.exit_code == kExitOk) {
        report_error(context_, kExitCall, "verdicts: " + taken.error());
      }
    }
    if (context_.exit_code == kExitOk && printed_ < options_.count) context_.exit_code = kExitRefused;
  }

  Context& context_;
  const SubscribeOptions& options_;
  Client& client_;
  std::unique_ptr<VerdictWriter> verdicts_;
  std::uint64_t printed_ = 0;
};

void subscribe(Context& context, const SubscribeOptions& options) {
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  Session(context, options, *client.value()).run();
}

}  // namespace

void add_subscribe(CLI::App& app, Context& context) {
  auto options = std::make_shared<SubscribeOptions>();
  SubscribeOptions& o = *options;
  CLI::App* command = app.add_subcommand("subscribe", "Prints what peers send, as it comes");
  command
      ->add_option("--topics", o.topics,
                   "Of scp, transactions, peers, items, scp_state_requests, survey; separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"scp", "transactions", "peers", "items", "scp_state_requests", "survey"}))
      ->capture_default_str();
  command->add_option("--count", o.count, "End after so many events (0: never); exit code 1 if it ends before")
      ->check(whole_number(0, UINT64_MAX));
  command->add_option("--timeout", o.timeout_seconds, "End after so many seconds (0: never)")
      ->check(seconds_of_a_year());
  auto* accept =
      command->add_flag("--accept", o.is_accepting,
                        "Answer every transaction and envelope with an accepting verdict, so that it is relayed");
  command->add_flag("--observe", o.is_observing, "Only look on: do not make the daemon demand transactions")
      ->excludes(accept);
  command->add_option("--resume-after", o.resume_after, "Go on after these sequence numbers, one a topic")
      ->check(whole_number(0, UINT64_MAX))
      ->delimiter(',');
  command->add_option("--boot-id", o.boot_id, "The daemon's life they are of; default: its present one")
      ->check(whole_number(0, UINT64_MAX));
  command->footer(
      "With --json an event is {\"seq\",\"topic\",\"from\",\"hash\",\"xdr\",...}; events the daemon could not keep for "
      "us are\n"
      "reported as {\"gap\":true,\"topic\",\"count\",\"from\",\"to\"} and do not count.\n");
  command->callback([&context, options] { subscribe(context, *options); });
}

}  // namespace overlayd::ipc::ctl
