#include "core/wire/survey_messages.h"

#include "core/wire/message_rules.h"
#include "core/xdr/reader.h"
#include "core/xdr/writer.h"

namespace overlayd::wire {
namespace {

constexpr std::int32_t kTopologyCommand = 1;   // TIME_SLICED_SURVEY_TOPOLOGY
constexpr std::int32_t kTopologyResponse = 2;  // SURVEY_TOPOLOGY_RESPONSE_V2
constexpr std::size_t kSignatureMax = 64;
constexpr std::size_t kLinkBytesMin = 36 + 4 + 13 * 8 + 4;

MessageType type_of(ByteView xdr) { return static_cast<MessageType>(xdr::Reader(xdr).i32()); }

bool is_survey(ByteView xdr) {
  const MessageRule* rule = find_message_rule(xdr::Reader(xdr).i32());
  return rule != nullptr && rule->is_survey;
}

void write_links(xdr::Writer& writer, const std::vector<SurveyedLink>& links) {
  writer.u32(static_cast<std::uint32_t>(links.size()));
  for (const SurveyedLink& link : links) {
    writer.public_key(link.node.bytes).text(link.version);
    writer.u64(link.messages_read).u64(link.messages_written).u64(link.bytes_read).u64(link.bytes_written);
    writer.u64(link.seconds_connected);
    writer.u64(link.unique_flood_bytes).u64(link.duplicate_flood_bytes);
    writer.u64(link.unique_fetch_bytes).u64(link.duplicate_fetch_bytes);
    writer.u64(link.unique_flood_messages).u64(link.duplicate_flood_messages);
    writer.u64(link.unique_fetch_messages).u64(link.duplicate_fetch_messages);
    writer.u32(link.average_latency_ms);
  }
}

std::vector<SurveyedLink> read_links(xdr::Reader& reader) {
  std::vector<SurveyedLink> links(reader.count(limits::kSurveyLinksPerPage, kLinkBytesMin));
  for (SurveyedLink& link : links) {
    link.node = reader.public_key<NodeId>();
    const ByteView version = reader.variable(limits::kVersionStringMax);
    link.version.assign(version.begin(), version.end());
    link.messages_read = reader.u64();
    link.messages_written = reader.u64();
    link.bytes_read = reader.u64();
    link.bytes_written = reader.u64();
    link.seconds_connected = reader.u64();
    link.unique_flood_bytes = reader.u64();
    link.duplicate_flood_bytes = reader.u64();
    link.unique_fetch_bytes = reader.u64();
    link.duplicate_fetch_bytes = reader.u64();
    link.unique_flood_messages = reader.u64();
    link.duplicate_flood_messages = reader.u64();
    link.unique_fetch_messages = reader.u64();
    link.duplicate_fetch_messages = reader.u64();
    link.average_latency_ms = reader.u32();
  }
  return links;
}

}  // namespace

// --- messages -----------------------------------------------------------------------------------------------------

Bytes write_signed_part(const SurveyCollecting& collecting) {
  xdr::Writer writer(44);
  writer.public_key(collecting.surveyor.bytes).u32(collecting.nonce).u32(collecting.ledger);
  return writer.take();
}

Bytes write_signed_part(const SurveyRequest& request) {
  xdr::Writer writer(124);
  writer.public_key(request.surveyor.bytes).public_key(request.surveyed.bytes).u32(request.ledger);
  writer.fixed(request.encryption_key).i32(kTopologyCommand);
  writer.u32(request.nonce).u32(request.inbound_index).u32(request.outbound_index);
  return writer.take();
}

Bytes write_signed_part(const SurveyResponse& response) {
  xdr::Writer writer(92 + response.sealed.size());
  writer.public_key(response.surveyor.bytes).public_key(response.surveyed.bytes).u32(response.ledger);
  writer.i32(kTopologyCommand).variable(response.sealed).u32(response.nonce);
  return writer.take();
}

Bytes write_survey_message(MessageType type, ByteView signature, ByteView signed_part) {
  xdr::Writer writer(8 + signature.size() + signed_part.size());
  writer.i32(static_cast<std::int32_t>(type)).variable(signature).fixed(signed_part);
  return writer.take();
}

std::optional<SignedSurvey> read_signed(ByteView xdr) {
  if (!is_survey(xdr)) return std::nullopt;
  xdr::Reader reader(xdr.subspan(4));
  const ByteView signature = reader.variable(kSignatureMax);
  if (!reader.ok()) return std::nullopt;
  return SignedSurvey{signature, xdr.subspan(4 + reader.offset())};
}

std::optional<SurveyCollecting> read_survey_collecting(ByteView xdr) {
  const auto parts = read_signed(xdr);
  if (!parts || (type_of(xdr) != MessageType::kTimeSlicedSurveyStartCollecting &&
                 type_of(xdr) != MessageType::kTimeSlicedSurveyStopCollecting))
    return std::nullopt;
  xdr::Reader reader(parts->signed_part);
  SurveyCollecting collecting;
  collecting.surveyor = reader.public_key<NodeId>();
  collecting.nonce = reader.u32();
  collecting.ledger = reader.u32();
  return reader.at_end() ? std::optional(collecting) : std::nullopt;
}

std::optional<SurveyRequest> read_survey_request(ByteView xdr) {
  const auto parts = read_signed(xdr);
  if (!parts || type_of(xdr) != MessageType::kTimeSlicedSurveyRequest) return std::nullopt;
  xdr::Reader reader(parts->signed_part);
  SurveyRequest request;
  request.surveyor = reader.public_key<NodeId>();
  request.surveyed = reader.public_key<NodeId>();
  request.ledger = reader.u32();
  request.encryption_key = reader.array<32>();
  if (reader.i32() != kTopologyCommand) reader.fail();
  request.nonce = reader.u32();
  request.inbound_index = reader.u32();
  request.outbound_index = reader.u32();
  return reader.at_end() ? std::optional(request) : std::nullopt;
}

std::optional<SurveyResponse> read_survey_response(ByteView xdr) {
  const auto parts = read_signed(xdr);
  if (!parts || type_of(xdr) != MessageType::kTimeSlicedSurveyResponse) return std::nullopt;
  xdr::Reader reader(parts->signed_part);
  SurveyResponse response;
  response.surveyor = reader.public_key<NodeId>();
  response.surveyed = reader.public_key<NodeId>();
  response.ledger = reader.u32();
  if (reader.i32() != kTopologyCommand) reader.fail();
  const ByteView sealed = reader.variable(limits::kSurveySealedBytesMax);
  response.sealed.assign(sealed.begin(), sealed.end());
  response.nonce = reader.u32();
  return reader.at_end() ? std::optional(std::move(response)) : std::nullopt;
}

// --- the body of a response ---------------------------------------------------------------------------------------

Bytes write_survey_topology(const SurveyTopology& topology) {
  xdr::Writer writer(8 + 48 + (topology.inbound.size() + topology.outbound.size()) * (kLinkBytesMin + 32));
  writer.i32(kTopologyResponse);
  write_links(writer, topology.inbound);
  write_links(writer, topology.outbound);
  const SurveyedNode& node = topology.node;
  writer.u32(node.added_peers).u32(node.dropped_peers).u32(node.total_inbound).u32(node.total_outbound);
  writer.u32(node.p75_scp_first_to_self_ms).u32(node.p75_scp_self_to_other_ms).u32(node.lost_sync_count);
  writer.u32(node.is_validator ? 1 : 0).u32(node.max_inbound).u32(node.max_outbound);
  return writer.take();
}

std::optional<SurveyTopology> read_survey_topology(ByteView xdr) {
  xdr::Reader reader(xdr);
  if (reader.i32() != kTopologyResponse) reader.fail();
  SurveyTopology topology;
  topology.inbound = read_links(reader);
  topology.outbound = read_links(reader);
  SurveyedNode& node = topology.node;
  node.added_peers = reader.u32();
  node.dropped_peers = reader.u32();
  node.total_inbound = reader.u32();
  node.total_outbound = reader.u32();
  node.p75_scp_first_to_self_ms = reader.u32();
  node.p75_scp_self_to_other_ms = reader.u32();
  node.lost_sync_count = reader.u32();
  node.is_validator = reader.optional();
  node.max_inbound = reader.u32();
  node.max_outbound = reader.u32();
  return reader.at_end() ? std::optional(std::move(topology)) : std::nullopt;
}

}  // namespace overlayd::wire
