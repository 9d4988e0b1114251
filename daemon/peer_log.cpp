#include "daemon/peer_log.h"

#include <spdlog/spdlog.h>

#include "core/crypto/strkey.h"
#include "daemon/addresses.h"
#include "daemon/clocks.h"

namespace overlayd::daemon {
namespace {

constexpr std::size_t kLogTextMax = 200;
constexpr std::size_t kAuthenticatedKind = kDropReasonCount;  // after one kind per reason

constexpr std::string_view kSlowReader = "it reads too slowly; if many do, check our upload bandwidth";
constexpr std::array<std::pair<DropReason, std::string_view>, 9> kAdvice{{
    {DropReason::kWrongNetwork, "it is of another network: check network.preset and network.passphrase"},
    {DropReason::kWrongProtocolVersion, "its versions and ours do not overlap: check overlay.min_version"},
    {DropReason::kConnectingToSelf, "remove our own address from peers.known"},
    {DropReason::kAuthCertInvalid, "if it happens with many peers, check this machine's clock"},
    {DropReason::kStraggling, kSlowReader},
    {DropReason::kNoCredit, kSlowReader},
    {DropReason::kWriteQueueFull, kSlowReader},
    {DropReason::kNoPendingSlot, "raise peers.max_pending if the machine can take more"},
    {DropReason::kDialFailed, "it will be tried again later"},
}};

std::string describe(const PublishPeer& change) {
  const std::string who = change.node.is_zero() ? "unknown node" : crypto::encode_node_id(change.node);
  return who + " at " + to_text(change.address) +
         (change.direction == Direction::kInbound ? " (inbound)" : " (outbound)");
}

// Ends of links that an operator need not see unless he looks for them.
bool is_quiet(DropReason reason) {
  return reason == DropReason::kDialFailed || reason == DropReason::kPeerRejected ||
         reason == DropReason::kAlreadyConnected || reason == DropReason::kErrorFromRemote;
}

}  // namespace

PeerLog::PeerLog() : limiter_(kDropReasonCount + 1) {}

void PeerLog::on_peer(const PublishPeer& change) {
  const bool is_drop = change.change == PeerChange::kDropped;
  const auto left_out =
      limiter_.on_line(is_drop ? static_cast<std::size_t>(change.reason) : kAuthenticatedKind, instant_now());
  if (!left_out) return;
  const std::string more = *left_out > 0 ? " [" + std::to_string(*left_out) + " like this left out]" : "";
  if (!is_drop) return spdlog::info("peer {} authenticated{}", describe(change), more);
  const DropReasonInfo& info = drop_reason_info(change.reason);
  const std::string_view advice = advice_for(change.reason);
  spdlog::log(is_quiet(change.reason) ? spdlog::level::debug : spdlog::level::info,
              "peer {} dropped: reason={} {}{}{}{}{}{}", describe(change), info.label, info.text,
              change.detail.empty() ? "" : ": ", to_log_text(change.detail), advice.empty() ? "" : "; ", advice, more);
}

std::string_view advice_for(DropReason reason) {
  const auto* found =
      std::find_if(kAdvice.begin(), kAdvice.end(), [reason](const auto& row) { return row.first == reason; });
  return found == kAdvice.end() ? std::string_view{} : found->second;
}

std::string to_log_text(std::string_view text) {
  std::string clean(text.substr(0, kLogTextMax));
  for (char& c : clean)
    if (c < ' ' || c > '~') c = '?';
  return clean;
}

}  // namespace overlayd::daemon
