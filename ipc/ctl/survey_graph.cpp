#include <algorithm>
#include <limits>
#include <type_traits>

#include "core/crypto/strkey.h"
#include "ipc/ctl/survey_fields.h"
#include "ipc/ctl/survey_json.h"
#include "ipc/ctl/survey_page.h"
#include "ipc/ctl/survey_render.h"

namespace overlayd::ipc::ctl {
namespace {

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::uint32_t value) { return std::to_string(value); }
std::string text_of(std::uint64_t value) {
  return std::to_string(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}
std::string text_of(const std::string& value) { return value; }
template <typename Enum>
requires std::is_enum_v<Enum> std::string text_of(Enum value) { return std::string(word_of(value)); }

// What GraphML calls the type of a member. Its "long" has a sign: of a larger counter, which only a liar tells, the
// largest there is.
template <typename T>
const char* xml_type(const T&) {
  if constexpr (std::is_same_v<T, bool>) return "boolean";
  if constexpr (std::is_integral_v<T>) return "long";
  return "string";
}

std::string key_line(const std::string& domain, const std::string& name, const char* type) {
  return "  <key id=\"" + domain + "_" + name + "\" for=\"" + domain + "\" attr.name=\"" + name + "\" attr.type=\"" +
         type + "\"/>\n";
}

std::string data_line(const std::string& domain, const std::string& name, const std::string& text) {
  return "      <data key=\"" + domain + "_" + name + "\">" + xml_text(text) + "</data>\n";
}

std::string keys() {
  std::string out;
  const auto of_node = [&out](const char* name, const auto& value) { out += key_line("node", name, xml_type(value)); };
  visit_node(names_of_node, of_node);
  visit_stats(names_of_stats, of_node);
  for (const char* name : {"inboundPeers", "outboundPeers"}) out += key_line("node", name, "long");
  out += key_line("node", "namedBy", "string");
  out += key_line("edge", "agreement", "string");
  for (const std::string end : {"dialler_", "acceptor_"}) {
    out += key_line("edge", end + "version", "string");
    visit_counters(names_of_link,
                   [&](const char* name, const auto& value) { out += key_line("edge", end + name, xml_type(value)); });
  }
  return out;
}

void add_node(const SurveyNode& node, std::string& out) {
  out += "    <node id=\"" + crypto::encode_node_id(node.node) + "\">\n";
  const auto add = [&out](const char* name, const auto& value) { out += data_line("node", name, text_of(value)); };
  visit_node(node, add);
  if (node.stats) {
    visit_stats(*node.stats, add);
    add("inboundPeers", std::uint64_t{node.inbound.size()});
    add("outboundPeers", std::uint64_t{node.outbound.size()});
  }
  add("namedBy", namers_text(node));
  out += "    </node>\n";
}

void add_end(const std::string& end, const SurveyedLink* link, std::string& out) {
  if (link == nullptr) return;
  out += data_line("edge", end + "version", link->version);
  visit_counters(*link,
                 [&](const char* name, const auto& value) { out += data_line("edge", end + name, text_of(value)); });
}

const char* colour_of(const SurveyNode& node) {
  switch (node.state) {
    case SurveyNodeState::kComplete: return node.stats && node.stats->is_validator ? "palegreen" : "lightblue";
    case SurveyNodeState::kFailed: return node.stats ? "khaki" : "lightcoral";
    case SurveyNodeState::kFound:
    case SurveyNodeState::kWaiting:
    case SurveyNodeState::kAsked: break;
  }
  return "lightgrey";
}

std::string node_tip(const SurveyNode& node) {
  std::string tip = crypto::encode_node_id(node.node) + ", " + std::string(reason_of(node));
  if (!node.detail.empty()) tip += ", " + node.detail;
  if (!node.version.empty()) tip += ", " + node.version;
  return tip;
}

std::string quoted_id(const NodeId& id) { return dot_text(crypto::encode_node_id(id)); }

}  // namespace

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string dot_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string survey_graphml(const SurveyResult& result) {
  const auto links = survey_links(result);
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n" +
      keys() + "  <graph id=\"survey\" edgedefault=\"directed\">\n";
  for (const SurveyNodePtr& node : result.nodes) add_node(*node, out);
  for (const NodeId& id : unlisted_ends(result, links))
    out += "    <node id=\"" + crypto::encode_node_id(id) + "\"/>\n";
  for (const SurveyLink& link : links) {
    out += "    <edge source=\"" + crypto::encode_node_id(link.dialler) + "\" target=\"" +
           crypto::encode_node_id(link.acceptor) + "\">\n";
    out += data_line("edge", "agreement", agreement_text(link.agreement));
    add_end("dialler_", link.of_dialler, out);
    add_end("acceptor_", link.of_acceptor, out);
    out += "    </edge>\n";
  }
  return out + "  </graph>\n</graphml>\n";
}

std::string survey_dot(const SurveyResult& result) {
  std::string out =
      "digraph survey {\n"
      "  node [shape=box, style=filled, fillcolor=lightgrey, fontname=monospace];\n";
  for (const SurveyNodePtr& node : result.nodes) {
    out += "  " + quoted_id(node->node) + " [label=" + dot_text(crypto::short_node_id(node->node)) +
           ", fillcolor=" + colour_of(*node) + ", tooltip=" + dot_text(node_tip(*node)) + "];\n";
  }
  for (const SurveyLink& link : survey_links(result)) {
    const std::string tip = std::string(agreement_text(link.agreement)) + ", " +
                            std::to_string(link.bytes_to_acceptor()) + " bytes there, " +
                            std::to_string(link.bytes_to_dialler()) + " back, " + std::to_string(link.latency_ms()) +
                            " ms";
    out += "  " + quoted_id(link.dialler) + " -> " + quoted_id(link.acceptor) + " [" +
           (link.agreement == LinkAgreement::kConfirmed ? "" : "style=dashed, ") + "tooltip=" + dot_text(tip) + "];\n";
  }
  return out + "}\n";
}

std::string survey_html(const SurveyResult& result) {
  std::string page(survey_page());
  std::string data;
  for (const char c : survey_json(result)) {
    if (c == '<')
      data += "\\u003c";  // else "</script>" in a version would end the element
    else
      data += c;
  }
  return page.replace(page.find(kSurveyPageData), kSurveyPageData.size(), data);
}

}  // namespace overlayd::ipc::ctl
