// How overlayctl shows peers, closed links, the book and bans: to people and as JSON.
#pragma once
#include <overlay/v1/admin.pb.h>

#include <string>

#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {

[[nodiscard]] Json peer_json(const ::overlay::v1::Peer& peer);
[[nodiscard]] Json closed_json(const ::overlay::v1::ClosedPeer& closed);
[[nodiscard]] Json totals_json(const ::overlay::v1::PeerTotals& totals);
[[nodiscard]] Json known_json(const ::overlay::v1::KnownPeer& known);
[[nodiscard]] Json ban_json(const ::overlay::v1::BanEntry& ban);

[[nodiscard]] const char* direction_text(::overlay::v1::Direction direction);
[[nodiscard]] const char* closed_by_text(::overlay::v1::ClosedBy by);
[[nodiscard]] const char* known_type_text(::overlay::v1::KnownPeerType type);
[[nodiscard]] std::string subject_text(const ::overlay::v1::BanSubject& subject);  // a node id, or a range
[[nodiscard]] std::string node_or_dash(std::string_view node_id);
// "configured anchor connected banned", as far as it is; "-" if it is none.
[[nodiscard]] std::string marks_text(const ::overlay::v1::KnownPeer& known);
// "ERR_LOAD peer rejected"; without an ERROR_MSG the detail, such as "Connection refused", or "-".
[[nodiscard]] std::string error_or_detail(const ::overlay::v1::ClosedPeer& closed);
// "12.0 ms", or "-" where it was not measured.
[[nodiscard]] std::string latency_text(bool is_known, double milliseconds);

[[nodiscard]] std::int64_t unix_now();
[[nodiscard]] std::string time_text(std::int64_t unix_seconds);  // "2026-11-24 14:53:45Z"
// "in 12s"; "due" if it has come.
[[nodiscard]] std::string until_text(std::int64_t unix_seconds, std::int64_t now);
[[nodiscard]] std::string ago_text(std::int64_t unix_seconds, std::int64_t now);  // "12s ago"

}  // namespace overlayd::ipc::ctl
