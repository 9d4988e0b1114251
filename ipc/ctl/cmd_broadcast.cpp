// broadcast: floods transactions or SCP envelopes from a file.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <unordered_map>

#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/xdr_input.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;
using Clock = std::chrono::steady_clock;

enum class What : std::uint8_t { kTransactions, kScp };

// The envelope of an item that is one, or a StellarMessage around one. The first int32 tells: a TransactionEnvelope
// begins with 0, 2 or 5, an SCPEnvelope with 0; the messages with 8 and 11.
Result<std::string> to_envelope(What what, const Bytes& bytes) {
  if (bytes.size() < 8) return Failure{"too short to be an envelope"};
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < 4; ++i) first = first << 8 | bytes[i];
  const std::uint32_t message = what == What::kTransactions ? 8 : 11;
  const bool is_envelope = what == What::kTransactions ? first == 0 || first == 2 || first == 5 : first == 0;
  if (is_envelope) return std::string(bytes.begin(), bytes.end());
  if (first == message) return std::string(bytes.begin() + 4, bytes.end());
  return Failure{what == What::kTransactions ? "neither a TransactionEnvelope nor a TRANSACTION message"
                                             : "neither an SCPEnvelope nor an SCP_MESSAGE"};
}

class Run {
 public:
  Run(Context& context, What what, XdrInput& input, Client& client)
      : context_(context), what_(what), input_(input), is_progress_shown_(::isatty(STDERR_FILENO) == 1) {
    BroadcasterOptions options;
    options.on_answer = [this](std::uint64_t id, const v1::BroadcastResponse& response) { on_answer(id, response); };
    broadcaster_ = client.broadcaster(std::move(options));
  }

  void run() {
    bool is_open = true;
    while (is_open) {
      const auto item = input_.next();
      if (!item) break;
      is_open = send(*item);
      show_progress(false);
    }
    const auto finished = broadcaster_->finish();
    show_progress(true);
    report(finished);
  }

 private:
  static constexpr std::size_t kErrorsMax = 1000;  // kept to be reported; all are counted

  // False: the stream is broken.
  bool send(const XdrItem& item) {
    auto envelope =
        item.bytes ? to_envelope(what_, item.bytes.value()) : Result<std::string>(Failure{item.bytes.error()});
    if (!envelope) {
      const std::lock_guard lock(mutex_);
      refuse(item, envelope.error());
      return true;
    }
    {
      const std::lock_guard lock(mutex_);
      waiting_.emplace(item.index, XdrItem{item.index, item.line, Bytes{}});
      ++sent_;
    }
    return what_ == What::kTransactions ? broadcaster_->add_transaction(item.index, std::move(envelope).value())
                                        : broadcaster_->add_scp(item.index, std::move(envelope).value());
  }

  // From the broadcaster's reader thread.
  void on_answer(std::uint64_t id, const v1::BroadcastResponse& response) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return;
    const XdrItem item = std::move(found->second);
    waiting_.erase(found);
    switch (response.status()) {
      case v1::BROADCAST_STATUS_ACCEPTED: ++accepted_; return;
      case v1::BROADCAST_STATUS_DUPLICATE: ++duplicate_; return;
      default: refuse(item, response.why()); return;
    }
  }

  // With the lock held.
  void refuse(const XdrItem& item, const std::string& why) {
    ++refused_;
    if (errors_.size() >= kErrorsMax) return;
    Json error{{"index", item.index}};
    if (item.line != 0) error["line"] = item.line;
    error["error"] = why;
    errors_.push_back(std::move(error));
    error_lines_.push_back(input_.where(item) + ": " + why);
  }

  void show_progress(bool is_last) {
    if (!is_progress_shown_) return;
    const auto now = Clock::now();
    if (!is_last && now - progress_shown_ < std::chrono::milliseconds(200)) return;
    progress_shown_ = now;
    const std::lock_guard lock(mutex_);
    std::fprintf(stderr, "\rsent %zu, accepted %zu, duplicate %zu, refused %zu%s", sent_, accepted_, duplicate_,
                 refused_, is_last ? "\n" : "");
  }

  void report(const Result<Done>& finished) {
    const std::lock_guard lock(mutex_);
    for (const std::string& line : error_lines_) std::fprintf(stderr, "overlayctl: %s\n", line.c_str());
    if (refused_ > error_lines_.size()) {
      std::fprintf(stderr, "overlayctl: and %zu more refused\n", refused_ - error_lines_.size());
    }
    if (!finished) {
      context_.exit_code = kExitCall;
      std::fprintf(stderr, "overlayctl: error: %s\n", finished.error().c_str());
    } else if (refused_ > 0) {
      context_.exit_code = kExitRefused;
    }
    if (context_.is_json) {
      Json object{{"accepted", accepted_}, {"duplicate", duplicate_}, {"refused", refused_}, {"errors", errors_}};
      if (!finished) {
        object["unanswered"] = waiting_.size();
        object["error"] = finished.error();
      }
      print_json(object);
    } else {
      std::printf("accepted %zu, duplicate %zu, refused %zu\n", accepted_, duplicate_, refused_);
      if (!waiting_.empty()) std::printf("unanswered %zu\n", waiting_.size());
    }
  }

  Context& context_;
  const What what_;
  XdrInput& input_;
  const bool is_progress_shown_;
  Clock::time_point progress_shown_;
  std::unique_ptr<Broadcaster> broadcaster_;

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, XdrItem> waiting_;  // bounded by the broadcaster's window
  std::size_t sent_ = 0;
  std::size_t accepted_ = 0;
  std::size_t duplicate_ = 0;
  std::size_t refused_ = 0;
  Json errors_ = Json::array();
  std::vector<std::string> error_lines_;
};

void broadcast(Context& context, What what, const std::string& file) {
  auto input = XdrInput::open(file);
  if (!input) return report_error(context, kExitUsage, input.error());
  auto client = Client::connect({.socket = context.socket});
  if (!client) return report_error(context, kExitCall, client.error());
  Run(context, what, input.value(), *client.value()).run();
}

}  // namespace

void add_broadcast(CLI::App& app, Context& context) {
  auto what = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("broadcast", "Floods transactions or SCP envelopes to the network");
  command->add_option("WHAT", *what, "transactions or scp")->required()->check(CLI::IsMember({"transactions", "scp"}));
  command->add_option("FILE", *file, "Where they are; - is standard input")->required();
  command->footer(
      "FILE holds record-marked XDR, or base64 (one a line), or JSON lines with a field `xdr` or `envelope`. An item "
      "is a\n"
      "TransactionEnvelope or SCPEnvelope, or the StellarMessage around it. Exit code 0 only if nothing was refused;\n"
      "with --json: {\"accepted\",\"duplicate\",\"refused\",\"errors\":[{\"index\",\"line\",\"error\"}]}.\n");
  command->callback(
      [&context, what, file] { broadcast(context, *what == "scp" ? What::kScp : What::kTransactions, *file); });
}

}  // namespace overlayd::ipc::ctl
