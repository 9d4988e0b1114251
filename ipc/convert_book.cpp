// Why peers go, the book and bans, for the operator.
#include <algorithm>

#include "core/book/address.h"
#include "ipc/convert.h"
#include "ipc/convert_parts.h"

namespace overlayd::ipc {

using namespace parts;

namespace {

Result<std::string> to_text(const std::string& text, const std::string& field, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return Failure{field + ": at most " + std::to_string(bytes_max) + " bytes, has " + std::to_string(text.size())};
  }
  if (printable(text) != text) return Failure{field + ": must be printable ASCII text"};
  return text;
}

Result<BanTerms> to_terms(const v1::BanTerms& terms, const std::string& field) {
  auto reason = to_text(terms.reason(), field + ".reason", limits::kBanReasonBytesMax);
  if (!reason) return Failure{reason.error()};
  auto set_by = to_text(terms.set_by(), field + ".set_by", limits::kBanSetByBytesMax);
  if (!set_by) return Failure{set_by.error()};
  const auto seconds_max = static_cast<std::uint64_t>(limits::kBanLastsMax.count());
  if (terms.duration_s() > seconds_max) {
    return Failure{field + ".duration_s: at most " + std::to_string(seconds_max) + ", is " +
                   std::to_string(terms.duration_s())};
  }
  BanTerms out{.reason = std::move(reason).value(), .set_by = std::move(set_by).value(), .lasts_for = {}};
  if (terms.duration_s() > 0) out.lasts_for = seconds(terms.duration_s());
  return out;
}

Result<BanSubject> to_subject(const v1::BanSubject& subject) {
  switch (subject.subject_case()) {
    case v1::BanSubject::kNodeId: {
      const auto node = to_node_id(subject.node_id(), "subject.node_id");
      if (!node) return Failure{node.error()};
      return BanSubject(node.value());
    }
    case v1::BanSubject::kSubnet: {
      const auto subnet = book::parse_subnet(subject.subnet());
      if (!subnet) return Failure{"subject.subnet: " + printable(subnet.error())};
      return BanSubject(subnet.value());
    }
    case v1::BanSubject::SUBJECT_NOT_SET: break;
  }
  return Failure{"subject: neither node_id nor subnet is given"};
}

v1::ClosedBy to_proto(ClosedBy by) {
  switch (by) {
    case ClosedBy::kUs: return v1::CLOSED_BY_US;
    case ClosedBy::kRemote: return v1::CLOSED_BY_REMOTE;
    case ClosedBy::kNetwork: return v1::CLOSED_BY_NETWORK;
  }
  return v1::CLOSED_BY_UNSPECIFIED;
}

v1::KnownPeerType to_proto(PeerType type) {
  switch (type) {
    case PeerType::kInbound: return v1::KNOWN_PEER_TYPE_INBOUND;
    case PeerType::kOutbound: return v1::KNOWN_PEER_TYPE_OUTBOUND;
    case PeerType::kPreferred: return v1::KNOWN_PEER_TYPE_PREFERRED;
  }
  return v1::KNOWN_PEER_TYPE_UNSPECIFIED;
}

// On the wire some texts end in ": " and what was wrong.
std::string_view without_colon(std::string_view text) {
  return text.substr(0, text.ends_with(": ") ? text.size() - 2 : text.size());
}

std::int64_t unix_seconds(UnixTime time) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(time.seconds, INT64_MAX));
}

}  // namespace

Result<PeerSubject> to_peer_subject(const v1::PeerSelector& selector, std::string_view field) {
  const std::string name(field);
  switch (selector.peer_case()) {
    case v1::PeerSelector::kNodeId: {
      const auto node = to_node_id(selector.node_id(), name + ".node_id");
      if (!node) return Failure{node.error()};
      return PeerSubject(node.value());
    }
    case v1::PeerSelector::kAddress: {
      const auto address = parse_address(selector.address(), name + ".address", 0);
      if (!address) return Failure{address.error()};
      return PeerSubject(address.value());
    }
    case v1::PeerSelector::PEER_NOT_SET: break;
  }
  return Failure{name + ": neither node_id nor address is given"};
}

Result<ConnectTo> to_connect(const v1::ConnectRequest& request) {
  const auto address = parse_address(request.address());
  if (!address) return Failure{address.error()};
  if (book::is_unusable(address.value())) return Failure{"address: nobody can be connected to there"};
  return ConnectTo{.address = address.value(), .request = {}};
}

Result<Disconnect> to_disconnect(const v1::DisconnectRequest& request) {
  Disconnect out;
  if (!request.node_id().empty() && request.has_peer()) return Failure{"peer: must be absent where node_id is given"};
  if (request.has_peer()) {
    auto peer = to_peer_subject(request.peer(), "peer");
    if (!peer) return Failure{peer.error()};
    out.peer = std::move(peer).value();
  } else {
    const auto node = to_node_id(request.node_id(), "node_id");
    if (!node) return Failure{node.error() + (request.node_id().empty() ? "; or give peer" : "")};
    out.peer = node.value();
  }
  static constexpr auto kCoolDownMaxMs =
      static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(limits::kCoolDownMax).count());
  if (request.cool_down_ms() > kCoolDownMaxMs) {
    return Failure{"cool_down_ms: at most " + std::to_string(kCoolDownMaxMs) + ", is " +
                   std::to_string(request.cool_down_ms())};
  }
  out.cool_down = milliseconds(request.cool_down_ms());
  if (request.has_ban()) {
    auto terms = to_terms(request.ban(), "ban");
    if (!terms) return Failure{terms.error()};
    out.ban = std::move(terms).value();
  }
  return out;
}

Result<BanPeers> to_ban(const v1::BanRequest& request) {
  const auto subject = to_subject(request.subject());
  if (!subject) return Failure{subject.error()};
  auto terms = to_terms(request.terms(), "terms");
  if (!terms) return Failure{terms.error()};
  return BanPeers{.subject = subject.value(), .terms = std::move(terms).value(), .request = {}};
}

Result<Unban> to_unban(const v1::UnbanRequest& request) {
  const auto subject = to_subject(request.subject());
  if (!subject) return Failure{subject.error()};
  return Unban{.subject = subject.value(), .request = {}};
}

void to_proto(const ClosedLink& closed, v1::ClosedPeer& out) {
  to_proto(closed.last, *out.mutable_peer());
  out.set_closed_unix_seconds(unix_seconds(closed.closed));
  const DropReasonInfo& info = drop_reason_info(closed.reason);
  out.set_reason(std::string(info.label));
  out.set_reason_text(std::string(without_colon(info.text)));
  out.set_closed_by(to_proto(closed.closed_by));
  if (closed.error_code) out.set_error_code(std::string(error_code_name(*closed.error_code)));
  out.set_error_text(printable(closed.error_text));
  out.set_detail(printable(closed.detail));
  if (closed.timer) out.set_timer_ms(whole_milliseconds(*closed.timer));
  out.set_advice(std::string(drop_reason_advice(closed.reason)));
}

void to_proto(const PeerTotals& totals, v1::PeerTotals& out) {
  out.set_node_id(std::string(text_of(totals.node.view())));
  out.set_address(book::display_text(totals.address));
  out.set_links(totals.links);
  out.set_authenticated_links(totals.authenticated_links);
  out.set_connected_ms(whole_milliseconds(totals.connected));
  out.set_messages_read(totals.messages_read);
  out.set_messages_written(totals.messages_written);
  out.set_bytes_read(totals.bytes_read);
  out.set_bytes_written(totals.bytes_written);
  out.set_last_closed_unix_seconds(unix_seconds(totals.last_closed));
  out.set_last_reason(std::string(drop_reason_info(totals.last_reason).label));
}

void to_proto(const KnownPeerSnapshot& known, v1::KnownPeer& out) {
  out.set_address(book::display_text(known.record.address));
  out.set_type(to_proto(known.record.type));
  out.set_failures(known.record.failures);
  out.set_next_attempt_unix_seconds(unix_seconds(known.record.next_attempt));
  out.set_is_configured(known.is_configured);
  out.set_is_anchor(known.is_anchor);
  out.set_is_banned(known.is_banned);
  out.set_is_connected(known.is_connected);
}

void to_proto(const Ban& ban, v1::BanEntry& out) {
  if (const auto* node = std::get_if<NodeId>(&ban.subject)) {
    out.mutable_subject()->set_node_id(std::string(text_of(node->view())));
  } else {
    out.mutable_subject()->set_subnet(book::to_string(std::get<Subnet>(ban.subject)));
  }
  out.set_reason(printable(ban.reason));
  out.set_set_by(printable(ban.set_by));
  out.set_made_unix_seconds(unix_seconds(ban.made));
  if (ban.ends) out.set_ends_unix_seconds(unix_seconds(*ban.ends));
  out.set_hits(ban.hits);
  if (ban.last_hit) out.set_last_hit_unix_seconds(unix_seconds(*ban.last_hit));
}

void to_proto(const PeerExplanation& explanation, v1::ExplainPeerResponse& out) {
  for (const PeerSnapshot& peer : explanation.open) to_proto(peer, *out.add_open());
  for (const ClosedLink& closed : explanation.closed) to_proto(closed, *out.add_closed());
  for (const PeerTotals& totals : explanation.totals) to_proto(totals, *out.add_totals());
  for (const KnownPeerSnapshot& known : explanation.known) to_proto(known, *out.add_known());
  for (const Ban& ban : explanation.bans) to_proto(ban, *out.add_bans());
  out.set_cools_down_ms(whole_milliseconds(explanation.cools_down_for));
}

void to_proto(std::vector<KnownPeerSnapshot> peers, v1::ListKnownPeersResponse& out) {
  std::ranges::sort(peers, {}, [](const KnownPeerSnapshot& known) { return known.record.address; });
  for (const KnownPeerSnapshot& known : peers) to_proto(known, *out.add_peers());
}

void to_proto(std::vector<Ban> bans, v1::ListBansResponse& out) {
  std::ranges::sort(bans, {}, &Ban::subject);
  for (const Ban& ban : bans) to_proto(ban, *out.add_bans());
}

}  // namespace overlayd::ipc
