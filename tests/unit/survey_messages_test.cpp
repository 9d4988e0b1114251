#include "core/wire/survey_messages.h"

#include <catch2/catch.hpp>
#include <ranges>

#include "core/wire/message.h"
#include "core/wire/values.h"
#include "core/xdr/validate.h"
#include "core/xdr/writer.h"
#include "tests/unit/survey_samples.h"
#include "tests/unit/xdr_vectors.h"

using namespace overlayd;
using namespace overlayd::wire;

namespace {

const Bytes kSignature(64, 0x5a);

Bytes bytes_of(ByteView view) { return {view.begin(), view.end()}; }

void put(xdr::Writer& writer, const SurveyedLink& link) {
  writer.public_key(link.node.bytes).text(link.version);
  writer.u64(link.messages_read).u64(link.messages_written).u64(link.bytes_read).u64(link.bytes_written);
  writer.u64(link.seconds_connected);
  writer.u64(link.unique_flood_bytes).u64(link.duplicate_flood_bytes);
  writer.u64(link.unique_fetch_bytes).u64(link.duplicate_fetch_bytes);
  writer.u64(link.unique_flood_messages).u64(link.duplicate_flood_messages);
  writer.u64(link.unique_fetch_messages).u64(link.duplicate_fetch_messages);
  writer.u32(link.average_latency_ms);
}

// SurveyResponseBody, field after field as Stellar-overlay.x has them.
Bytes by_hand(const SurveyTopology& topology) {
  xdr::Writer writer;
  writer.u32(2);
  for (const auto* links : {&topology.inbound, &topology.outbound}) {
    writer.u32(static_cast<std::uint32_t>(links->size()));
    for (const SurveyedLink& link : *links) put(writer, link);
  }
  const SurveyedNode& node = topology.node;
  writer.u32(node.added_peers).u32(node.dropped_peers).u32(node.total_inbound).u32(node.total_outbound);
  writer.u32(node.p75_scp_first_to_self_ms).u32(node.p75_scp_self_to_other_ms).u32(node.lost_sync_count);
  writer.u32(node.is_validator ? 1 : 0).u32(node.max_inbound).u32(node.max_outbound);
  return writer.take();
}

}  // namespace

TEST_CASE("start and stop are their type, the signature and the inner struct", "[survey_messages]") {
  const SurveyCollecting collecting{test::nth_node(7), 11, 12};
  xdr::Writer inner;
  inner.public_key(collecting.surveyor.bytes).u32(11).u32(12);
  CHECK(write_signed_part(collecting) == inner.bytes());
  for (const auto& [type, number] : {std::pair{MessageType::kTimeSlicedSurveyStartCollecting, 23U},
                                     std::pair{MessageType::kTimeSlicedSurveyStopCollecting, 24U}}) {
    xdr::Writer whole;
    whole.u32(number).variable(kSignature).fixed(inner.bytes());
    CHECK(write_survey_message(type, kSignature, inner.bytes()) == whole.bytes());
  }
}

TEST_CASE("a request is the inner request with the command, the nonce and the indices", "[survey_messages]") {
  Random random(1);
  const SurveyRequest request = test::any_request(random);
  xdr::Writer inner;
  inner.public_key(request.surveyor.bytes).public_key(request.surveyed.bytes).u32(request.ledger);
  inner.fixed(request.encryption_key).u32(1).u32(request.nonce);
  inner.u32(request.inbound_index).u32(request.outbound_index);
  CHECK(write_signed_part(request) == inner.bytes());
  xdr::Writer whole;
  whole.u32(21).variable(kSignature).fixed(inner.bytes());
  CHECK(write_survey_message(MessageType::kTimeSlicedSurveyRequest, kSignature, inner.bytes()) == whole.bytes());
}

TEST_CASE("a response is the command before the sealed body, and the nonce last", "[survey_messages]") {
  Random random(2);
  for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 1000U, 64'000U}) {
    const SurveyResponse response = test::any_response(random, size);
    xdr::Writer inner;
    inner.public_key(response.surveyor.bytes).public_key(response.surveyed.bytes).u32(response.ledger).u32(1);
    inner.variable(response.sealed).u32(response.nonce);
    CHECK(write_signed_part(response) == inner.bytes());
    const Bytes whole = write_survey_message(MessageType::kTimeSlicedSurveyResponse, kSignature, inner.bytes());
    CHECK(xdr::validate(xdr::Type::kStellarMessage, whole).ok());
    const auto read = read_survey_response(whole);
    REQUIRE(read);
    CHECK(read->sealed == response.sealed);
  }
}

TEST_CASE("what was written is read", "[survey_messages]") {
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const auto type = random.below(2) == 0 ? MessageType::kTimeSlicedSurveyStartCollecting
                                           : MessageType::kTimeSlicedSurveyStopCollecting;
    const SurveyCollecting collecting = test::any_collecting(random);
    const Bytes first = write_survey_message(type, kSignature, write_signed_part(collecting));
    REQUIRE(xdr::validate(xdr::Type::kStellarMessage, first).ok());
    const auto read = read_survey_collecting(first);
    REQUIRE(read);
    CHECK(std::tie(read->surveyor, read->nonce, read->ledger) ==
          std::tie(collecting.surveyor, collecting.nonce, collecting.ledger));
    CHECK_FALSE(read_survey_request(first));
    CHECK_FALSE(read_survey_response(first));

    const SurveyRequest asked = test::any_request(random);
    const Bytes second =
        write_survey_message(MessageType::kTimeSlicedSurveyRequest, kSignature, write_signed_part(asked));
    REQUIRE(xdr::validate(xdr::Type::kStellarMessage, second).ok());
    const auto request = read_survey_request(second);
    REQUIRE(request);
    CHECK(write_signed_part(*request) == write_signed_part(asked));
    CHECK(std::tie(request->inbound_index, request->outbound_index, request->nonce, request->encryption_key) ==
          std::tie(asked.inbound_index, asked.outbound_index, asked.nonce, asked.encryption_key));
    CHECK(std::tie(request->surveyor, request->surveyed, request->ledger) ==
          std::tie(asked.surveyor, asked.surveyed, asked.ledger));
    CHECK_FALSE(read_survey_collecting(second));
    CHECK_FALSE(read_survey_response(second));

    const SurveyResponse told = test::any_response(random, random.below(300));
    const Bytes third =
        write_survey_message(MessageType::kTimeSlicedSurveyResponse, kSignature, write_signed_part(told));
    REQUIRE(xdr::validate(xdr::Type::kStellarMessage, third).ok());
    const auto response = read_survey_response(third);
    REQUIRE(response);
    CHECK(std::tie(response->surveyor, response->surveyed, response->ledger, response->sealed, response->nonce) ==
          std::tie(told.surveyor, told.surveyed, told.ledger, told.sealed, told.nonce));
    CHECK_FALSE(read_survey_collecting(third));
    CHECK_FALSE(read_survey_request(third));
  }
}

TEST_CASE("what is signed is all behind the signature, in place", "[survey_messages]") {
  Random random(4);
  for (const std::size_t size : {0U, 1U, 3U, 63U, 64U}) {
    const Bytes part = write_signed_part(test::any_request(random));
    const Bytes signature(size, 0x77);
    xdr::Writer writer;
    writer.u32(21).variable(signature).fixed(part);
    const Bytes whole = writer.take();
    const auto found = read_signed(whole);
    REQUIRE(found);
    CHECK(bytes_of(found->signature) == signature);
    CHECK(bytes_of(found->signed_part) == part);
    CHECK(found->signed_part.data() + found->signed_part.size() == whole.data() + whole.size());
    CHECK(read_survey_request(whole));
  }
}

TEST_CASE("of no other message is anything read", "[survey_messages]") {
  const Bytes other = write_get_scp_state(5);
  CHECK_FALSE(read_signed(other));
  CHECK_FALSE(read_survey_collecting(other));
  CHECK_FALSE(read_survey_request(other));
  CHECK_FALSE(read_survey_response(other));
}

TEST_CASE("every survey message of the vectors is read as it was made", "[survey_messages]") {
  std::map<std::string, int> seen;
  for (const auto& line : test::load_messages()) {
    const auto name = line.at("type").get<std::string>();
    const Bytes xdr = test::base64_of(line, "xdr");
    const auto parts = read_signed(xdr);
    CHECK(parts.has_value() == name.starts_with("time_sliced_survey"));
    if (!parts) continue;
    ++seen[name];
    Bytes written;
    if (const auto collecting = read_survey_collecting(xdr)) written = write_signed_part(*collecting);
    if (const auto request = read_survey_request(xdr)) written = write_signed_part(*request);
    if (const auto response = read_survey_response(xdr)) written = write_signed_part(*response);
    CHECK(written == bytes_of(parts->signed_part));
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("a topology is written field after field", "[survey_messages]") {
  Random random(5);
  for (int i = 0; i < 100; ++i) {
    const SurveyTopology topology = test::any_topology(random);
    const Bytes written = write_survey_topology(topology);
    REQUIRE(written == by_hand(topology));
    REQUIRE(xdr::validate(xdr::Type::kSurveyResponseBody, written).ok());
    const auto read = read_survey_topology(written);
    REQUIRE(read);
    CHECK(read->inbound == topology.inbound);
    CHECK(read->outbound == topology.outbound);
    CHECK(read->node == topology.node);
  }
}

TEST_CASE("the largest topology can be sealed", "[survey_messages]") {
  Random random(6);
  SurveyTopology topology{test::any_links(random, 25), test::any_links(random, 25), {}};
  for (auto* links : {&topology.inbound, &topology.outbound})
    for (SurveyedLink& link : *links) link.version.assign(limits::kVersionStringMax, 'x');
  CHECK(write_survey_topology(topology).size() + 48 <= limits::kSurveySealedBytesMax);
}

TEST_CASE("of a topology that is not exactly one, nothing is read", "[survey_messages]") {
  Random random(7);
  SurveyTopology topology{test::any_links(random, 2), test::any_links(random, 1), test::any_surveyed_node(random)};
  topology.inbound[0].version = "abc";
  const Bytes good = write_survey_topology(topology);
  REQUIRE(read_survey_topology(good));
  SECTION("cut anywhere, or with more behind it") {
    for (std::size_t size = 0; size < good.size(); ++size) REQUIRE_FALSE(read_survey_topology({good.data(), size}));
    Bytes longer = good;
    longer.resize(good.size() + 4);
    CHECK_FALSE(read_survey_topology(longer));
  }
  SECTION("another type of response") {
    for (const std::uint8_t type : {0, 1, 3}) {
      Bytes other = good;
      other[3] = type;
      CHECK_FALSE(read_survey_topology(other));
    }
  }
  SECTION("padding that is not zero, another key type, a bool that is none") {
    Bytes padded = good;
    padded[8 + 36 + 4 + 3] = 1;
    CHECK_FALSE(read_survey_topology(padded));
    Bytes keyed = good;
    keyed[8 + 3] = 1;
    CHECK_FALSE(read_survey_topology(keyed));
    Bytes bools = good;
    bools[good.size() - 9] = 2;
    CHECK_FALSE(read_survey_topology(bools));
  }
  SECTION("more links than a page has, in either direction") {
    for (auto* links : {&topology.inbound, &topology.outbound}) {
      const auto before = *links;
      *links = test::any_links(random, 26);
      CHECK_FALSE(read_survey_topology(by_hand(topology)));
      links->resize(25);
      CHECK(read_survey_topology(by_hand(topology)));
      *links = before;
    }
  }
  SECTION("a version that is too long") {
    topology.outbound[0].version.assign(limits::kVersionStringMax + 1, 'x');
    CHECK_FALSE(read_survey_topology(by_hand(topology)));
  }
  SECTION("counts of links that are not there") {
    xdr::Writer writer;
    writer.u32(2).u32(0xffffffff);
    CHECK_FALSE(read_survey_topology(writer.bytes()));
  }
}

TEST_CASE("noise is read as nothing, or as what it would be written as", "[survey_messages]") {
  Random random(8);
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes = write_survey_topology({test::any_links(random, 1), {}, test::any_surveyed_node(random)});
    for (std::uint64_t flips = random.below(4); flips > 0; --flips)
      bytes[random.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
    const auto read = read_survey_topology(bytes);
    if (read) REQUIRE(write_survey_topology(*read) == bytes);
    const Bytes noise = test::any_bytes(random, random.below(400));
    REQUIRE_FALSE(read_survey_topology(noise));
  }
}
