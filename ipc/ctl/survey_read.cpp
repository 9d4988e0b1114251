// The other way round of survey_json.cpp: what a file says, believed only as far as it is well-formed.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>

#include "core/crypto/strkey.h"
#include "core/limits.h"
#include "ipc/ctl/survey_fields.h"
#include "ipc/ctl/survey_json.h"

namespace overlayd::ipc::ctl {
namespace {

using Sorted = nlohmann::json;

constexpr int kDepthMax = 32;  // of arrays and objects; a result has 5

// Thrown and caught within this file: where, and what is wrong there.
struct Broken {
  std::string message;
};

// A value and the way to it. The way is put together only when something is wrong.
struct At {
  const Sorted& value;
  const At* above = nullptr;
  std::string_view key{};
  std::size_t index = 0;  // without a key

  [[nodiscard]] std::string path() const {
    if (above == nullptr) return {};
    const std::string before = above->path();
    if (key.empty()) return before + "[" + std::to_string(index) + "]";
    return before + (before.empty() ? "" : ".") + printable_text(key);
  }
  [[noreturn]] void fail(const std::string& what) const {
    const std::string where = path();
    throw Broken{where.empty() ? what : where + ": " + what};
  }
  [[nodiscard]] bool has(const char* name) const { return value.contains(name); }
  // Of an object.
  [[nodiscard]] At operator[](const char* name) const {
    const auto found = value.find(name);
    if (found == value.end()) fail("has no \"" + std::string(name) + "\"");
    return {*found, this, name};
  }
  const At& must_be_object() const {
    if (!value.is_object()) fail("must be an object");
    return *this;
  }
  const At& must_be_array() const {
    if (!value.is_array()) fail("must be an array");
    return *this;
  }
};

NodeId to_id(const At& at, std::string_view text) {
  const auto id = crypto::decode_node_id(text);
  if (!id) at.fail("must be a node id, G...");
  return id.value();
}

// Any id, also that of the key of zeros, which a node may name as any other.
NodeId read_id(const At& at) {
  if (!at.value.is_string()) at.fail("must be a node id, G...");
  return to_id(at, at.value.get_ref<const std::string&>());
}

void read(const At& at, std::string& out) {
  if (!at.value.is_string()) at.fail("must be a string");
  out = at.value.get_ref<const std::string&>();
}

void read(const At& at, bool& out) {
  if (!at.value.is_boolean()) at.fail("must be true or false");
  out = at.value.get<bool>();
}

template <typename Number>
requires std::is_same_v<Number, std::uint32_t> || std::is_same_v<Number, std::uint64_t>
void read(const At& at, Number& out) {
  constexpr std::uint64_t kMax = std::numeric_limits<Number>::max();
  if (!at.value.is_number_unsigned() || at.value.get<std::uint64_t>() > kMax)
    at.fail("must be a whole number from 0 to " + std::to_string(kMax));
  out = at.value.get<Number>();
}

void read(const At& at, UnixTime& out) { read(at, out.seconds); }

// Null: none.
void read(const At& at, NodeId& out) { out = at.value.is_null() ? NodeId{} : read_id(at); }

void read(const At& at, std::optional<Duration>& out) {
  constexpr std::uint32_t kDayMs = 86'400'000;
  out.reset();
  if (at.value.is_null()) return;
  std::uint32_t number = 0;
  read(at, number);
  out = milliseconds(std::min(number, kDayMs));
}

template <typename Enum>
requires std::is_enum_v<Enum>
void read(const At& at, Enum& out) {
  std::string text;
  read(at, text);
  const auto known = to_enum<Enum>(text);
  if (!known) {
    std::string words;
    for (const std::string_view word : words_of(Enum{})) words.append(words.empty() ? "" : ", ").append(word);
    at.fail("must be one of " + words);
  }
  out = *known;
}

auto reading_from(const At& at) {
  return [&at](const char* name, auto& member) { read(at[name], member); };
}

std::vector<NodeId> read_ids(const At& at) {
  std::vector<NodeId> ids;
  std::size_t index = 0;
  for (const Sorted& value : at.must_be_array().value) {
    const At entry{value, &at, {}, index++};
    if (ids.size() >= limits::kSurveyNodesMax) at.fail("has too many entries");
    ids.push_back(read_id(entry));
  }
  return ids;
}

// stellar-core writes null for no links.
std::vector<SurveyedLink> read_links(const At& at) {
  std::vector<SurveyedLink> links;
  if (at.value.is_null()) return links;
  if (at.must_be_array().value.size() > limits::kSurveyLinksMax)
    at.fail("has more than " + std::to_string(limits::kSurveyLinksMax) + " entries");
  std::size_t index = 0;
  for (const Sorted& value : at.value) {
    const At entry{value, &at, {}, index++};
    entry.must_be_object();
    SurveyedLink link;
    link.node = read_id(entry["nodeId"]);
    read(entry["version"], link.version);
    visit_counters(link, reading_from(entry));
    links.push_back(std::move(link));
  }
  return links;
}

class Reading {
 public:
  explicit Reading(const Sorted& whole) : root_{whole} { root_.must_be_object(); }

  Result<SurveyResult> result() {
    read_topology(root_["topology"]);
    const bool is_ours = root_.has("overlayd");
    SurveyStatus status;
    if (is_ours)
      read_own(root_["overlayd"], status);
    else
      infer(status);
    std::vector<SurveyNode> nodes;
    nodes.reserve(nodes_.size());
    for (auto& [id, node] : nodes_) nodes.push_back(std::move(node));
    return make_result(std::move(status), std::move(nodes));
  }

 private:
  SurveyNode& node_of(const At& at, const NodeId& id) {
    if (!nodes_.contains(id) && nodes_.size() >= limits::kSurveyNodesMax)
      at.fail("there are more than " + std::to_string(limits::kSurveyNodesMax) + " nodes");
    SurveyNode& node = nodes_[id];
    node.node = id;
    return node;
  }

  // In both the keys are node ids.
  template <typename Take>
  void for_each_node(const At& at, Take take) {
    for (const auto& [key, value] : at.must_be_object().value.items()) {
      const At entry{value, &at, key};
      take(entry, node_of(at, to_id(entry, key)));
    }
  }

  void read_topology(const At& at) {
    for_each_node(at, [this](const At& entry, SurveyNode& node) {
      node.state = SurveyNodeState::kAsked;
      // stellar-core empties what it has of a node while it asks for another page.
      if (entry.value.is_null() || (entry.value.is_object() && entry.value.empty())) return;
      node.stats.emplace();
      visit_stats(*node.stats, reading_from(entry.must_be_object()));
      node.inbound = read_links(entry["inboundPeers"]);
      node.outbound = read_links(entry["outboundPeers"]);
      links_ += node.inbound.size() + node.outbound.size();
      if (links_ > limits::kSurveyTotalLinksMax)
        entry.fail("there are more than " + std::to_string(limits::kSurveyTotalLinksMax) + " links");
    });
  }

  void read_own(const At& at, SurveyStatus& status) {
    std::uint32_t format = 0;
    read(at.must_be_object()["format"], format);
    if (format != kSurveyFormat)
      at["format"].fail("is " + std::to_string(format) + "; this program reads " + std::to_string(kSurveyFormat));
    visit_status(status, reading_from(at));
    const At nodes = at["nodes"];
    for_each_node(nodes, [](const At& entry, SurveyNode& node) {
      visit_node(node, reading_from(entry.must_be_object()));
      node.named_by = read_ids(entry["namedBy"]);
    });
    for (const auto& [id, node] : nodes_) {
      const std::string text = crypto::encode_node_id(id);
      if (!nodes.has(text.c_str())) nodes.fail("has no \"" + text + "\", which \"topology\" has");
    }
  }

  // Of a stellar-core's result: what it does not say.
  void infer(SurveyStatus& status) {
    status.has_result = true;
    if (root_.has("surveyInProgress")) read(root_["surveyInProgress"], status.is_asking);
    for (auto& [id, node] : nodes_) {
      if (!node.stats) {
        node.requests = 1;
        continue;
      }
      const bool tells_all =
          node.inbound.size() >= node.stats->total_inbound && node.outbound.size() >= node.stats->total_outbound;
      node.state = tells_all ? SurveyNodeState::kComplete : SurveyNodeState::kFailed;
      node.problem = tells_all ? SurveyProblem::kNone : SurveyProblem::kTruncated;
      node.requests = 1;
      ++status.responses;
    }
    infer_of_lists();
    infer_named();
    count(status);
  }

  void infer_of_lists() {
    if (root_.has("backlog") && !root_["backlog"].value.is_null()) {
      const At at = root_["backlog"];
      for (const NodeId& id : read_ids(at)) {
        SurveyNode& node = node_of(at, id);
        node.state = SurveyNodeState::kWaiting;
        node.requests = 0;
      }
    }
    if (!root_.has("badResponseNodes") || root_["badResponseNodes"].value.is_null()) return;
    const At at = root_["badResponseNodes"];
    for (const NodeId& id : read_ids(at)) {
      SurveyNode& node = node_of(at, id);
      node.bad_responses = 1;
      if (node.stats) continue;
      node.state = SurveyNodeState::kFailed;
      node.problem = SurveyProblem::kBad;
    }
  }

  // Whom the nodes name, with the version they tell of it.
  void infer_named() {
    std::vector<NodeId> namers;
    for (const auto& [id, node] : nodes_) namers.push_back(id);
    for (const NodeId& namer : namers) {
      for (const auto links : {&SurveyNode::inbound, &SurveyNode::outbound}) {
        for (const SurveyedLink& link : nodes_[namer].*links) {
          if (!nodes_.contains(link.node) && nodes_.size() >= limits::kSurveyNodesMax) continue;
          SurveyNode& node = nodes_[link.node];
          node.node = link.node;
          if (node.version.empty()) node.version = link.version;
          const bool is_new = std::ranges::find(node.named_by, namer) == node.named_by.end();
          if (is_new && node.named_by.size() < limits::kSurveyNamersMax) node.named_by.push_back(namer);
        }
      }
    }
  }

  void count(SurveyStatus& status) const {
    const auto count = [this](SurveyNodeState state) {
      return static_cast<std::uint32_t>(
          std::ranges::count_if(nodes_, [state](const auto& entry) { return entry.second.state == state; }));
    };
    status.nodes_found = static_cast<std::uint32_t>(nodes_.size());
    status.nodes_complete = count(SurveyNodeState::kComplete);
    status.nodes_failed = count(SurveyNodeState::kFailed);
    status.nodes_waiting = count(SurveyNodeState::kWaiting);
    status.nodes_asked = count(SurveyNodeState::kAsked);
  }

  const At root_;
  std::map<NodeId, SurveyNode> nodes_;
  std::size_t links_ = 0;
};

Sorted parse(std::string_view text) {
  const auto watch_depth = [](int depth, Sorted::parse_event_t, Sorted&) {
    if (depth > kDepthMax) throw Broken{"has arrays or objects too deep in one another"};
    return true;
  };
  try {
    return Sorted::parse(text, watch_depth);
  } catch (const Sorted::exception& error) {
    throw Broken{"is not JSON: " + printable_text(error.what())};
  }
}

}  // namespace

Result<SurveyResult> survey_from_json(std::string_view text, const std::string& name) {
  if (text.size() > kSurveyFileMax) return Failure{name + ": is larger than 256 MiB"};
  try {
    const Sorted whole = parse(text);
    auto result = Reading(whole).result();
    if (!result) return Failure{name + ": " + result.error()};
    return result;
  } catch (const Broken& broken) {
    return Failure{name + ": " + broken.message};
  }
}

Result<SurveyResult> survey_from_file(const std::string& path) {
  std::ifstream file;
  const bool is_stdin = path == "-";
  if (!is_stdin) file.open(path, std::ios::binary);
  std::istream& input = is_stdin ? std::cin : file;
  const std::string name = is_stdin ? "standard input" : path;
  if (!input) return Failure{name + ": cannot be read"};
  std::string text;
  std::vector<char> piece(1U << 16U);
  while (text.size() <= kSurveyFileMax &&
         (input.read(piece.data(), static_cast<std::streamsize>(piece.size())) || input.gcount() > 0))
    text.append(piece.data(), static_cast<std::size_t>(input.gcount()));
  if (input.bad()) return Failure{name + ": cannot be read"};
  return survey_from_json(text, name);
}

}  // namespace overlayd::ipc::ctl
