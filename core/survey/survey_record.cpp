#include "core/survey/survey_record.h"

#include <algorithm>

#include "core/limits.h"
#include "core/wire/survey_messages.h"
#include "core/xdr/reader.h"
#include "core/xdr/writer.h"

namespace overlayd::survey {
namespace {

constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kTextMax = 1'000;

template <typename Enum>
Enum read_enum(xdr::Reader& reader, Enum last) {
  const std::uint32_t value = reader.u32();
  if (value > static_cast<std::uint32_t>(last)) reader.fail();
  return static_cast<Enum>(reader.ok() ? value : 0);
}

std::string read_text(xdr::Reader& reader, std::size_t bytes_max) {
  const ByteView text = reader.variable(bytes_max);
  return {text.begin(), text.end()};
}

// Links go as pages of the protocol do: there is one way to write one.
void write_pages(xdr::Writer& writer, const SurveyNode& node) {
  const std::size_t most = std::max(node.inbound.size(), node.outbound.size());
  const auto slice = [](const std::vector<SurveyedLink>& links, std::size_t first) {
    const std::size_t begin = std::min(first, links.size());
    const std::size_t end = std::min(begin + limits::kSurveyLinksPerPage, links.size());
    return std::vector<SurveyedLink>(links.begin() + static_cast<std::ptrdiff_t>(begin),
                                     links.begin() + static_cast<std::ptrdiff_t>(end));
  };
  const std::size_t pages =
      std::max<std::size_t>(1, (most + limits::kSurveyLinksPerPage - 1) / limits::kSurveyLinksPerPage);
  writer.u32(static_cast<std::uint32_t>(pages));
  for (std::size_t page = 0; page < pages; ++page) {
    const std::size_t first = page * limits::kSurveyLinksPerPage;
    writer.variable(wire::write_survey_topology(
        {slice(node.inbound, first), slice(node.outbound, first), node.stats.value_or(SurveyedNode{})}));
  }
}

void read_pages(xdr::Reader& reader, SurveyNode& node, bool has_stats) {
  constexpr std::size_t kPagesMax =
      (limits::kSurveyLinksMax + limits::kSurveyLinksPerPage - 1) / limits::kSurveyLinksPerPage;
  const std::uint32_t pages = reader.count(kPagesMax, 4);
  if (pages == 0) reader.fail();
  for (std::uint32_t i = 0; i < pages && reader.ok(); ++i) {
    const auto page = wire::read_survey_topology(reader.variable(limits::kSurveySealedBytesMax));
    if (!page) return reader.fail();
    // Every page says the same of the node itself.
    if (page->node != (i == 0 && has_stats ? page->node : node.stats.value_or(SurveyedNode{}))) return reader.fail();
    node.inbound.insert(node.inbound.end(), page->inbound.begin(), page->inbound.end());
    node.outbound.insert(node.outbound.end(), page->outbound.begin(), page->outbound.end());
    if (has_stats) node.stats = page->node;
  }
}

}  // namespace

Bytes write_survey_record(const SurveyRecord& record) {
  xdr::Writer writer;
  writer.u32(kVersion).u32(record.nonce).u32(static_cast<std::uint32_t>(record.phase)).u64(record.phase_began.seconds);
  writer.u32(static_cast<std::uint32_t>(record.run)).u64(record.run_began.seconds).u64(record.stop_at.seconds);
  writer.u32(record.was_asking ? 1 : 0).fixed(record.rival.bytes);
  writer.text(std::string_view(record.why).substr(0, kTextMax));
  writer.u64(record.requests_sent).u64(record.responses).u64(record.bad_responses).u32(record.last_ledger);
  return writer.take();
}

std::optional<SurveyRecord> read_survey_record(ByteView bytes) {
  xdr::Reader reader(bytes);
  if (reader.u32() != kVersion) reader.fail();
  SurveyRecord record;
  record.nonce = reader.u32();
  record.phase = read_enum(reader, SurveyPhase::kReporting);
  record.phase_began.seconds = reader.u64();
  record.run = read_enum(reader, SurveyRun::kEnded);
  record.run_began.seconds = reader.u64();
  record.stop_at.seconds = reader.u64();
  record.was_asking = reader.optional();
  record.rival = reader.id<NodeId>();
  record.why = read_text(reader, kTextMax);
  record.requests_sent = reader.u64();
  record.responses = reader.u64();
  record.bad_responses = reader.u64();
  record.last_ledger = reader.u32();
  return reader.at_end() ? std::optional(std::move(record)) : std::nullopt;
}

Bytes write_survey_node(const SurveyNodeRecord& record) {
  const SurveyNode& node = record.node;
  xdr::Writer writer;
  writer.u32(kVersion).fixed(node.node.bytes).u32(static_cast<std::uint32_t>(node.state));
  writer.u32(static_cast<std::uint32_t>(node.problem)).text(std::string_view(node.detail).substr(0, kTextMax));
  writer.text(node.version).u32(node.requests).u32(node.bad_responses);
  writer.u32(record.rank).u32(record.next_inbound).u32(record.next_outbound);
  writer.u32(static_cast<std::uint32_t>(node.named_by.size()));
  for (const NodeId& namer : node.named_by) writer.fixed(namer.bytes);
  writer.u32(node.stats ? 1 : 0);
  write_pages(writer, node);
  return writer.take();
}

std::optional<SurveyNodeRecord> read_survey_node(ByteView bytes) {
  xdr::Reader reader(bytes);
  if (reader.u32() != kVersion) reader.fail();
  SurveyNodeRecord record;
  SurveyNode& node = record.node;
  node.node = reader.id<NodeId>();
  node.state = read_enum(reader, SurveyNodeState::kFailed);
  node.problem = read_enum(reader, SurveyProblem::kNotAsked);
  node.detail = read_text(reader, kTextMax);
  node.version = read_text(reader, limits::kVersionStringMax);
  node.requests = reader.u32();
  node.bad_responses = reader.u32();
  record.rank = reader.u32();
  record.next_inbound = reader.u32();
  record.next_outbound = reader.u32();
  const std::uint32_t namers = reader.count(limits::kSurveyNamersMax, 32);
  for (std::uint32_t i = 0; i < namers; ++i) node.named_by.push_back(reader.id<NodeId>());
  const bool has_stats = reader.optional();
  read_pages(reader, node, has_stats);
  return reader.at_end() ? std::optional(std::move(record)) : std::nullopt;
}

}  // namespace overlayd::survey
