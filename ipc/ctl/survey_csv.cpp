#include "core/crypto/strkey.h"
#include "ipc/ctl/survey_fields.h"
#include "ipc/ctl/survey_render.h"

namespace overlayd::ipc::ctl {
namespace {

std::string cell_of(bool value) { return value ? "true" : "false"; }
std::string cell_of(std::uint32_t value) { return std::to_string(value); }
std::string cell_of(std::uint64_t value) { return std::to_string(value); }
std::string cell_of(const std::string& value) { return value; }
template <typename Enum>
requires std::is_enum_v<Enum> std::string cell_of(Enum value) { return std::string(word_of(value)); }

class Row {
 public:
  Row& add(std::string_view text) {
    if (has_cells_) line_ += ',';
    has_cells_ = true;
    line_ += csv_cell(text);
    return *this;
  }
  [[nodiscard]] std::string line() const { return line_ + "\n"; }

 private:
  std::string line_;
  bool has_cells_ = false;
};

std::string nodes_head() {
  Row row;
  row.add("nodeId");
  const auto name = [&row](const char* text, const auto&) { row.add(text); };
  visit_node(names_of_node, name);
  visit_stats(names_of_stats, name);
  row.add("inboundPeers").add("outboundPeers").add("namedBy");
  return row.line();
}

void add_counters(Row& row, const SurveyedLink* link) {
  row.add(link == nullptr ? "" : link->version);
  const SurveyedLink& shown = link == nullptr ? SurveyedLink{} : *link;
  visit_counters(shown, [&](const char*, const auto& value) { row.add(link == nullptr ? "" : cell_of(value)); });
}

std::string links_head() {
  Row row;
  row.add("dialler").add("acceptor").add("agreement");
  for (const std::string end : {"dialler_", "acceptor_"}) {
    row.add(end + "version");
    visit_counters(names_of_link, [&](const char* name, const auto&) { row.add(end + name); });
  }
  return row.line();
}

}  // namespace

std::string namers_text(const SurveyNode& node) {
  std::string namers;
  for (const NodeId& id : node.named_by) namers.append(namers.empty() ? "" : " ").append(crypto::encode_node_id(id));
  return namers;
}

std::string csv_cell(std::string_view text) {
  // Where ';' or a tab is taken for the end of a cell, another one begins behind it.
  constexpr std::string_view kEnds = ";\t";
  std::string cell;
  char before = kEnds.front();
  for (const char c : text) {
    const bool is_begin = kEnds.find(before) != std::string_view::npos;
    if (is_begin && std::string_view("=+-@").find(c) != std::string_view::npos) cell += '\'';
    cell += c;
    if (c != ' ' || !is_begin) before = c;  // spaces in front do not save a formula
  }
  if (cell.find_first_of(",;\"\t\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string survey_nodes_csv(const SurveyResult& result) {
  std::string out = nodes_head();
  for (const SurveyNodePtr& node : result.nodes) {
    Row row;
    row.add(crypto::encode_node_id(node->node));
    visit_node(*node, [&](const char*, const auto& value) { row.add(cell_of(value)); });
    const bool is_known = node->stats.has_value();
    const SurveyedNode stats = node->stats.value_or(SurveyedNode{});
    visit_stats(stats, [&](const char*, const auto& value) { row.add(is_known ? cell_of(value) : ""); });
    row.add(is_known ? std::to_string(node->inbound.size()) : "");
    row.add(is_known ? std::to_string(node->outbound.size()) : "");
    out += row.add(namers_text(*node)).line();
  }
  return out;
}

std::string survey_links_csv(const SurveyResult& result) {
  std::string out = links_head();
  for (const SurveyLink& link : survey_links(result)) {
    Row row;
    row.add(crypto::encode_node_id(link.dialler)).add(crypto::encode_node_id(link.acceptor));
    row.add(agreement_text(link.agreement));
    add_counters(row, link.of_dialler);
    add_counters(row, link.of_acceptor);
    out += row.line();
  }
  return out;
}

}  // namespace overlayd::ipc::ctl
