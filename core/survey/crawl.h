// The result of a survey of ours, and whom to ask next for it: outward from ourselves, through every node that answers.
//
// Words.   A node is *known* when another names it as a peer, or a client asked for it. A *request* is for one page of a
//          node's links. An *attempt* is a request for a page that did not come yet.
// Rule 1.  Each node is asked for pages until it told of all the links it counts; every page is merged into what is
//          there, each link once.
// Rule 2.  A request is dead once our ledger is kSurveyLedgerWindow past its own, for then nobody relays its answer; or,
//          while the ledger stands still, after kSurveyAnswerMax. Then the node is asked again with the ledger of that
//          time, kSurveyAttemptsMax times in all for one page; then it has failed. Never twice in one ledger: others
//          follow one request of a surveyor to a node in a ledger (survey_limiter.h).
// Rule 3.  Order: what clients asked for; then by rank, which is a node's rank that first named it and its place in that
//          one's list. A further page is as far behind as its first link, an attempt after one in vain kRetryPlaces.
//          Rationale: a node that invents peers makes its own branch long, not that of the others; and an honest one
//          that lost a message comes before the last of what was invented.
// Rule 4.  What a node says is believed of itself only, and only if it is consistent: of one survey everything is fixed.
//          More links than it counts, a link told twice, another total than before, itself as its own peer: it has
//          failed as kBad, and what contradicts is left out. Fewer links than it counts with nothing more to come:
//          kTruncated.
// Limits.  kSurveyNodesMax nodes; further names are counted, as often as they come. kSurveyLinksMax links of a node in a
//          direction and kSurveyTotalLinksMax in all, beyond which a node is kTruncated. kSurveyQueueMax requests of clients
//          wait or are under way.
// Not here: keys, signatures, pace (surveyor.h).
#pragma once
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "core/inputs.h"
#include "core/survey/survey_record.h"
#include "core/survey_values.h"
#include "core/wire/survey_messages.h"

namespace overlayd::survey {

class Crawl {
 public:
  struct Ask {
    NodeId node;
    std::uint32_t inbound_index = 0;
    std::uint32_t outbound_index = 0;
  };
  enum class Queued : std::uint8_t { kQueued, kDuplicate, kFull };
  // What became of an answer. kIgnored: nobody waits for one to a request of that ledger.
  enum class Answered : std::uint8_t { kGood, kBad, kIgnored };
  static constexpr std::uint64_t kRetryPlaces = 250;

  explicit Crawl(const NodeId& self) : self_(self) {}

  // A new survey: nothing is known.
  void clear();
  // We have nothing to tell of ourselves, and `why`.
  void set_self_lost(const std::string& why);
  // What we tell of ourselves, in full.
  void set_self(const SurveyedNode& stats, const std::vector<SurveyedLink>& inbound,
                const std::vector<SurveyedLink>& outbound);
  // Nodes we are connected to, whether or not we tell of them.
  void add_seeds(const std::vector<NodeId>& peers);
  // The nodes of a former process's result, before anything is asked: they count as stored. Those that waited or were
  // asked wait again, but not for `ledger`, the last one that anybody was asked in; of a node that a client asked for, all
  // pages.
  void load(const std::vector<SurveyNodeRecord>& stored, std::uint32_t ledger);

  // Whether nodes that are named are asked by themselves. Turned on, all that were named before wait too.
  void set_following(bool is_following);
  // Nodes that have failed are as if nobody had asked them, but for the bad ones.
  void forgive_failed();
  // A request of a client's. kDuplicate: one to that node waits, or is under way.
  Queued request(const Ask& ask);
  // Whom to ask at this ledger; it then counts as asked.
  [[nodiscard]] std::optional<Ask> next(std::uint32_t ledger, Instant now);
  // Its answer to the request of that ledger: `topology`, or nothing if it could not be opened or read.
  Answered on_answer(const NodeId& node, std::uint32_t ledger, const std::optional<wire::SurveyTopology>& topology);
  // Rule 2.
  void advance(std::uint32_t ledger, Instant now);
  // When the first request dies while the ledger stands still.
  [[nodiscard]] Instant next_deadline() const { return oldest_asked_ + limits::kSurveyAnswerMax; }
  // Nobody is asked any more: what waits or is under way has failed, as what it came to so far.
  void end(const std::string& why);
  // Silent nodes among these are kUnpermitted, if nobody answered at all.
  void judge_silent(const std::vector<NodeId>& peers);

  // Nobody waits, and no request is under way.
  [[nodiscard]] bool is_idle() const { return waiting_.empty() && by_clients_.empty() && asked_.empty(); }
  // Requests that this will take, for all pages, if nobody new is found and the silent stay silent.
  [[nodiscard]] std::size_t requests_left() const;
  // Fills in what is counted here.
  void count(SurveyStatus& status) const;
  [[nodiscard]] std::vector<SurveyNodePtr> nodes() const;
  [[nodiscard]] SurveyNodePtr find(const NodeId& node) const;       // null: not known
  [[nodiscard]] SurveyNodeRecord record(const NodeId& node) const;  // of a known one
  // Nodes that have changed since the last call, to be stored; each once.
  [[nodiscard]] std::vector<NodeId> take_changed();
  void check_invariants() const;

 private:
  struct Entry {
    SurveyNodePtr node;
    std::uint32_t rank = 0;
    std::uint32_t attempts = 0;      // for the page under way
    Ask ask;                         // the page that is asked for, or to be asked for
    bool is_of_client = false;       // that page
    std::uint32_t next_inbound = 0;  // the first link that no page of the crawl told of
    std::uint32_t next_outbound = 0;
    bool has_client_page = false;  // links may be there that a later page tells of too
    std::uint32_t ledger = 0;      // of the last request
    Instant asked;                 // when that was sent
  };
  using Order = std::pair<std::uint64_t, NodeId>;  // rule 3

  [[nodiscard]] Order order_of(const Entry& entry) const;
  // The entry of a node, made if there is room; null: there is none.
  Entry* learn(const NodeId& node, std::uint32_t rank);
  void learn_peers(const NodeId& namer, const std::vector<SurveyedLink>& links, std::size_t first_place);
  void set_rank(Entry& entry, std::uint32_t rank);
  void load_node(const SurveyNodeRecord& record, std::uint32_t ledger);
  // Takes in links that are not there; how many had no room.
  std::size_t add_links(const NodeId& node, const std::vector<SurveyedLink>& links, Direction direction);
  [[nodiscard]] bool is_named(const NodeId& namer, const NodeId& node) const;
  // Replaces the immutable node by a changed copy, and keeps the counts.
  template <typename Change>
  void change(Entry& entry, Change change);
  void wait(Entry& entry);
  // Takes it out of what waits; false: it was not there.
  bool stop_waiting(const Entry& entry);
  // What it has failed of, if it is asked no more; the detail is `why`, or what it told of and `why`.
  void fail_unanswered(Entry& entry, const std::string& why);
  void note_oldest();
  void fail(Entry& entry, SurveyProblem problem, std::string detail);
  void retry(Entry& entry, SurveyProblem problem, const std::string& detail);
  // Why the page contradicts what is known; empty: it does not.
  [[nodiscard]] std::string contradiction(const Entry& entry, const wire::SurveyTopology& page) const;
  // How many links had no room.
  std::size_t merge(Entry& entry, const wire::SurveyTopology& page);
  // After a page was merged: the next one, or the end.
  void go_on(Entry& entry, const wire::SurveyTopology& page, std::size_t left_out);

  const NodeId self_;
  bool is_following_ = false;
  std::map<NodeId, Entry> entries_;
  std::set<Order> waiting_;
  std::deque<NodeId> by_clients_;
  std::set<NodeId> asked_;
  Instant oldest_asked_ = Instant::never();  // of them
  std::set<NodeId> changed_;
  std::uint32_t complete_ = 0;
  std::uint32_t failed_ = 0;
  std::uint32_t refused_ = 0;
  std::uint64_t links_ = 0;     // pairs
  std::size_t links_held_ = 0;  // of all nodes, both directions
};

}  // namespace overlayd::survey
