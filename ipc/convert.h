// The only files (convert*.cpp) that know both worlds: core's values on one side, the messages of the public contract
// on the other.
// Refusals are sentences that begin with the name of the field.
// Text that came from a peer is made printable: protobuf strings must be UTF-8, and terminals are not for peers to
// drive.
#pragma once
#include <overlay/v1/admin.pb.h>
#include <overlay/v1/overlay.pb.h>
#include <overlay/v1/survey.pb.h>

#include <string>
#include <string_view>

#include "core/inputs.h"
#include "core/limits.h"
#include "core/outputs.h"
#include "core/result.h"
#include "core/snapshots.h"
#include "ipc/event_log.h"

namespace overlayd::ipc {

namespace v1 = ::overlay::v1;

// --- from clients -------------------------------------------------------------------------------------------------

// Validates the XDR and makes the StellarMessage around it.
[[nodiscard]] Result<MessagePtr> to_message(const v1::BroadcastRequest& request, const NetworkId& network);
// Why a well-formed message is not taken all the same: an SCP_MESSAGE over limits::kScpMessageBytesMax.
[[nodiscard]] Result<Done> check_broadcastable(const wire::Message& message);
[[nodiscard]] Result<VerdictGiven> to_verdict(const v1::VerdictsRequest::Item& item);
// `former` with the fields that are present replaced.
[[nodiscard]] Result<LedgerUpdated> to_ledger_update(const v1::UpdateLedgerRequest& request, const LedgerView& former);
[[nodiscard]] Result<NodeId> to_node_id(std::string_view bytes, std::string_view field);
// Fields `kind` and `hash` of every request that names an item.
[[nodiscard]] Result<ItemId> to_item_id(v1::ItemKind kind, std::string_view hash);
[[nodiscard]] Result<FetchItem> to_fetch(const v1::FetchRequest& request);
// Validates the XDR and makes the StellarMessage around it; `field` is what the item is called in a refusal.
[[nodiscard]] Result<MessagePtr> to_message(const v1::PutItemsRequest::Item& item, std::string_view field,
                                            const NetworkId& network);
[[nodiscard]] Result<RequestScpState> to_scp_state_request(const v1::RequestScpStateRequest& request);
[[nodiscard]] Result<SendScpState> to_scp_state(const v1::SendScpStateRequest& request, const NetworkId& network);
// "192.0.2.1:11625", "[2001:db8::1]:11625"; without a port `default_port`. No names.
[[nodiscard]] Result<PeerAddress> parse_address(std::string_view text, std::string_view field = "address",
                                                std::uint16_t default_port = limits::kPeerPort);

// --- from the operator --------------------------------------------------------------------------------------------

// An address without a port has port 0: any.
[[nodiscard]] Result<PeerSubject> to_peer_subject(const v1::PeerSelector& selector, std::string_view field);
[[nodiscard]] Result<ConnectTo> to_connect(const v1::ConnectRequest& request);
[[nodiscard]] Result<Disconnect> to_disconnect(const v1::DisconnectRequest& request);
[[nodiscard]] Result<BanPeers> to_ban(const v1::BanRequest& request);
[[nodiscard]] Result<Unban> to_unban(const v1::UnbanRequest& request);

// --- surveys ------------------------------------------------------------------------------------------------------

[[nodiscard]] Result<RequestSurvey> to_survey_request(const v1::RequestSurveyRequest& request);
// Of a request without `attach`.
[[nodiscard]] Result<RunSurvey> to_run_survey(const v1::RunSurveyRequest& request);
void to_proto(const SurveyStatus& status, v1::SurveyStatus& out);
void to_proto(const SurveyNode& node, v1::SurveyNode& out);
void to_proto(const SurveyedNode& stats, v1::SurveyedNode& out);
void to_proto(const SurveyedLink& link, v1::SurveyedLink& out);

// --- to clients ---------------------------------------------------------------------------------------------------

void to_proto(const LoggedEvent& event, v1::Event& out);
void to_proto(const LoggedGap& gap, v1::Gap& out);
// `message` is what was broadcast; null: it never became one, and the hashes stay absent.
void to_proto(const RequestAnswer& answer, const wire::Message* message, v1::BroadcastResponse& out);
// The fields of an event that are of its item.
void to_proto(const PublishItem& published, v1::Event& out);
void to_proto(const RequestAnswer& answer, v1::FetchResponse& out);
void to_proto(const RequestAnswer& answer, v1::PutItemsResponse::Result& out);
// `item` is a TX_SET, GENERALIZED_TX_SET or SCP_QUORUMSET.
void to_proto(const wire::Message& item, v1::GetItemResponse& out);
void to_proto(const StatusSnapshot& status, v1::GetStatusResponse& out);
void to_proto(const PeerSnapshot& peer, v1::Peer& out);
// In the order the contract names.
void to_proto(std::vector<PeerSnapshot> peers, v1::ListPeersResponse& out);
void to_proto(const ClosedLink& closed, v1::ClosedPeer& out);
void to_proto(const PeerTotals& totals, v1::PeerTotals& out);
void to_proto(const KnownPeerSnapshot& known, v1::KnownPeer& out);
void to_proto(const Ban& ban, v1::BanEntry& out);
void to_proto(const PeerExplanation& explanation, v1::ExplainPeerResponse& out);
// In the order the contract names, both.
void to_proto(std::vector<KnownPeerSnapshot> peers, v1::ListKnownPeersResponse& out);
void to_proto(std::vector<Ban> bans, v1::ListBansResponse& out);

// Bytes outside 0x20 to 0x7e become '?'.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace overlayd::ipc
