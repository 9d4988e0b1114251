// Surveys as values, for tests: nodes in the order of their numbers, and anything that fits into a message.
#pragma once
#include <string>

#include "core/random.h"
#include "core/wire/survey_messages.h"

namespace overlayd::test {

// Ascending as `number` is.
inline NodeId nth_node(std::uint64_t number) {
  NodeId node;
  node.bytes[0] = 0x40;
  for (std::size_t i = 0; i < 8; ++i) node.bytes[24 + i] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
  return node;
}
inline SurveyedLink link_to(std::uint64_t number) {
  SurveyedLink link;
  link.node = nth_node(number);
  link.version = std::to_string(number) + "v";
  link.messages_read = number;
  return link;
}
inline std::vector<SurveyedLink> links_to(std::uint64_t first, std::uint64_t count) {
  std::vector<SurveyedLink> links;
  for (std::uint64_t i = 0; i < count; ++i) links.push_back(link_to(first + i));
  return links;
}

// Small numbers, large ones and the ends, each often.
inline std::uint64_t any_u64(Random& random) {
  switch (random.below(4)) {
    case 0: return random.below(3);
    case 1: return UINT64_MAX - random.below(3);
    default: return random.next();
  }
}
inline std::uint32_t any_u32(Random& random) { return static_cast<std::uint32_t>(any_u64(random)); }
inline NodeId any_node(Random& random) {
  NodeId node;
  for (std::uint8_t& byte : node.bytes) byte = static_cast<std::uint8_t>(random.next());
  return node;
}
inline Bytes any_bytes(Random& random, std::size_t size) {
  Bytes bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return bytes;
}
// Printable and other bytes, 0 to 100 of them.
inline std::string any_version(Random& random) {
  std::string version;
  const std::uint64_t size = random.below(limits::kVersionStringMax + 1);
  const bool is_printable = random.below(2) == 0;
  for (std::uint64_t i = 0; i < size; ++i)
    version += static_cast<char>(is_printable ? 32 + random.below(95) : random.below(256));
  return version;
}
inline SurveyedLink any_link(Random& random) {
  SurveyedLink link;
  link.node = any_node(random);
  link.version = any_version(random);
  for (std::uint64_t* count :
       {&link.messages_read, &link.messages_written, &link.bytes_read, &link.bytes_written, &link.seconds_connected,
        &link.unique_flood_bytes, &link.duplicate_flood_bytes, &link.unique_fetch_bytes, &link.duplicate_fetch_bytes,
        &link.unique_flood_messages, &link.duplicate_flood_messages, &link.unique_fetch_messages,
        &link.duplicate_fetch_messages})
    *count = any_u64(random);
  link.average_latency_ms = any_u32(random);
  return link;
}
inline std::vector<SurveyedLink> any_links(Random& random, std::uint64_t count) {
  std::vector<SurveyedLink> links;
  for (std::uint64_t i = 0; i < count; ++i) links.push_back(any_link(random));
  return links;
}
inline SurveyedNode any_surveyed_node(Random& random) {
  SurveyedNode node;
  for (std::uint32_t* count : {&node.added_peers, &node.dropped_peers, &node.total_inbound, &node.total_outbound,
                               &node.p75_scp_first_to_self_ms, &node.p75_scp_self_to_other_ms, &node.lost_sync_count,
                               &node.max_inbound, &node.max_outbound})
    *count = any_u32(random);
  node.is_validator = random.below(2) == 0;
  return node;
}
inline wire::SurveyTopology any_topology(Random& random) {
  wire::SurveyTopology topology;
  topology.inbound = any_links(random, random.below(limits::kSurveyLinksPerPage + 1));
  topology.outbound = any_links(random, random.below(limits::kSurveyLinksPerPage + 1));
  topology.node = any_surveyed_node(random);
  return topology;
}
inline wire::SurveyCollecting any_collecting(Random& random) {
  return {any_node(random), any_u32(random), any_u32(random)};
}
inline wire::SurveyRequest any_request(Random& random) {
  wire::SurveyRequest request;
  request.surveyor = any_node(random);
  request.surveyed = any_node(random);
  request.ledger = any_u32(random);
  request.encryption_key = any_node(random).bytes;
  request.nonce = any_u32(random);
  request.inbound_index = any_u32(random);
  request.outbound_index = any_u32(random);
  return request;
}
inline wire::SurveyResponse any_response(Random& random, std::size_t sealed_size) {
  return {any_node(random), any_node(random), any_u32(random), any_bytes(random, sealed_size), any_u32(random)};
}

}  // namespace overlayd::test
