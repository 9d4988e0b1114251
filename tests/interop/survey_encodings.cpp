// Survey messages and response bodies as our writers make them, and the JSON that an independent decoder has to read in
// them:  survey_encodings COUNT  prints, one JSON object a line, {"type", "xdr" (base64), "json"}, COUNT of each kind.
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/crypto/strkey.h"
#include "tests/unit/survey_samples.h"

using namespace overlayd;
using nlohmann::json;
using wire::MessageType;

namespace {

std::string key(const NodeId& node) { return crypto::encode_node_id(node); }

// Strings of XDR are bytes: what is not printable ASCII is escaped.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\0') {
      out += "\\0";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += "\\x" + to_hex({&byte, 1});
    }
  }
  return out;
}

void print(const char* type, const Bytes& xdr, const json& expected) {
  std::cout << json{{"type", type}, {"xdr", to_base64(xdr)}, {"json", expected}}.dump() << "\n";
}

json links_json(const std::vector<SurveyedLink>& links) {
  json list = json::array();
  for (const SurveyedLink& link : links) {
    const json stats{{"id", key(link.node)},
                     {"version_str", escaped(link.version)},
                     {"messages_read", std::to_string(link.messages_read)},
                     {"messages_written", std::to_string(link.messages_written)},
                     {"bytes_read", std::to_string(link.bytes_read)},
                     {"bytes_written", std::to_string(link.bytes_written)},
                     {"seconds_connected", std::to_string(link.seconds_connected)},
                     {"unique_flood_bytes_recv", std::to_string(link.unique_flood_bytes)},
                     {"duplicate_flood_bytes_recv", std::to_string(link.duplicate_flood_bytes)},
                     {"unique_fetch_bytes_recv", std::to_string(link.unique_fetch_bytes)},
                     {"duplicate_fetch_bytes_recv", std::to_string(link.duplicate_fetch_bytes)},
                     {"unique_flood_message_recv", std::to_string(link.unique_flood_messages)},
                     {"duplicate_flood_message_recv", std::to_string(link.duplicate_flood_messages)},
                     {"unique_fetch_message_recv", std::to_string(link.unique_fetch_messages)},
                     {"duplicate_fetch_message_recv", std::to_string(link.duplicate_fetch_messages)}};
    list.push_back({{"peer_stats", stats}, {"average_latency_ms", link.average_latency_ms}});
  }
  return list;
}

void print_topology(Random& random) {
  const wire::SurveyTopology topology = test::any_topology(random);
  const SurveyedNode& node = topology.node;
  const json node_data{{"added_authenticated_peers", node.added_peers},
                       {"dropped_authenticated_peers", node.dropped_peers},
                       {"total_inbound_peer_count", node.total_inbound},
                       {"total_outbound_peer_count", node.total_outbound},
                       {"p75_scp_first_to_self_latency_ms", node.p75_scp_first_to_self_ms},
                       {"p75_scp_self_to_other_latency_ms", node.p75_scp_self_to_other_ms},
                       {"lost_sync_count", node.lost_sync_count},
                       {"is_validator", node.is_validator},
                       {"max_inbound_peer_count", node.max_inbound},
                       {"max_outbound_peer_count", node.max_outbound}};
  print("SurveyResponseBody", wire::write_survey_topology(topology),
        {{"survey_topology_response_v2",
          {{"inbound_peers", links_json(topology.inbound)},
           {"outbound_peers", links_json(topology.outbound)},
           {"node_data", node_data}}}});
}

void print_collecting(Random& random, bool is_start) {
  const wire::SurveyCollecting collecting = test::any_collecting(random);
  const Bytes signature = test::any_bytes(random, 64);
  const MessageType type =
      is_start ? MessageType::kTimeSlicedSurveyStartCollecting : MessageType::kTimeSlicedSurveyStopCollecting;
  const json inner{
      {"surveyor_id", key(collecting.surveyor)}, {"nonce", collecting.nonce}, {"ledger_num", collecting.ledger}};
  print("StellarMessage", wire::write_survey_message(type, signature, wire::write_signed_part(collecting)),
        {{is_start ? "time_sliced_survey_start_collecting" : "time_sliced_survey_stop_collecting",
          {{"signature", to_hex(signature)}, {is_start ? "start_collecting" : "stop_collecting", inner}}}});
}

void print_request(Random& random) {
  const wire::SurveyRequest request = test::any_request(random);
  const Bytes signature = test::any_bytes(random, 64);
  const json inner{{"surveyor_peer_id", key(request.surveyor)},
                   {"surveyed_peer_id", key(request.surveyed)},
                   {"ledger_num", request.ledger},
                   {"encryption_key", {{"key", request.encryption_key}}},
                   {"command_type", "time_sliced_survey_topology"}};
  print("StellarMessage",
        wire::write_survey_message(MessageType::kTimeSlicedSurveyRequest, signature, wire::write_signed_part(request)),
        {{"time_sliced_survey_request",
          {{"request_signature", to_hex(signature)},
           {"request",
            {{"request", inner},
             {"nonce", request.nonce},
             {"inbound_peers_index", request.inbound_index},
             {"outbound_peers_index", request.outbound_index}}}}}});
}

void print_response(Random& random) {
  const std::size_t size = random.below(20) == 0 ? limits::kSurveySealedBytesMax : random.below(400);
  const wire::SurveyResponse response = test::any_response(random, size);
  const Bytes signature = test::any_bytes(random, 64);
  const json inner{{"surveyor_peer_id", key(response.surveyor)},
                   {"surveyed_peer_id", key(response.surveyed)},
                   {"ledger_num", response.ledger},
                   {"command_type", "time_sliced_survey_topology"},
                   {"encrypted_body", to_hex(response.sealed)}};
  print(
      "StellarMessage",
      wire::write_survey_message(MessageType::kTimeSlicedSurveyResponse, signature, wire::write_signed_part(response)),
      {{"time_sliced_survey_response",
        {{"response_signature", to_hex(signature)}, {"response", {{"response", inner}, {"nonce", response.nonce}}}}}});
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1;
  Random random(1);
  for (int i = 0; i < count; ++i) {
    print_collecting(random, true);
    print_collecting(random, false);
    print_request(random);
    print_response(random);
    print_topology(random);
  }
  return EXIT_SUCCESS;
}
