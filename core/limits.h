// Every number of the protocol and of our own bounds, related where they depend on each other.
// Source unless marked "ours": stellar-core src/overlay and src/main/Config.cpp, commit a9b8613.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/clock.h"

namespace overlayd::limits {

// frames
inline constexpr std::size_t kRecordMarkBytes = 4;
inline constexpr std::size_t kFrameBodyUnauthenticatedMax = 0x1000;  // MAX_UNAUTH_MESSAGE_SIZE
inline constexpr std::size_t kFrameBodyMax = 0x1000000;              // MAX_MESSAGE_SIZE, 16 MiB
inline constexpr std::size_t kAuthHeadBytes = 12;                    // u32 version, u64 sequence
inline constexpr std::size_t kMacBytes = 32;
inline constexpr std::size_t kFrameOverheadBytes = kRecordMarkBytes + kAuthHeadBytes + kMacBytes;  // around a message
inline constexpr std::size_t kMessageBytesMax = kFrameBodyMax - kAuthHeadBytes - kMacBytes;
inline constexpr std::uint32_t kXdrDepthMax = 500;  // Rust's stellar-xdr
static_assert(kFrameBodyUnauthenticatedMax < kFrameBodyMax);

// versions: protocol.md section 3
inline constexpr std::uint32_t kOverlayVersion = 42;
inline constexpr std::uint32_t kOverlayMinVersion = 38;
inline constexpr std::uint32_t kLedgerVersion = 28;
inline constexpr std::uint32_t kAuthFlags = 200;  // AUTH_MSG_FLAG_FLOW_CONTROL_BYTES_REQUESTED
inline constexpr std::size_t kVersionStringMax = 100;

// certificates
inline constexpr std::uint64_t kCertLifetimeSeconds = 3600;
inline constexpr std::uint64_t kCertRenewBelowSeconds = 1800;
inline constexpr std::size_t kSharedKeyCacheMax = 1000;

// flow control
inline constexpr std::uint64_t kFloodCapacityMessages = 200;  // PEER_FLOOD_READING_CAPACITY
inline constexpr std::uint64_t kFloodCapacityBytes = 300'000;
inline constexpr std::uint64_t kSendMoreBatchMessages = 40;  // FLOW_CONTROL_SEND_MORE_BATCH_SIZE
inline constexpr std::uint64_t kSendMoreBatchBytes = 100'000;
inline constexpr std::uint64_t kReadingCapacityMessages = 201;   // PEER_READING_CAPACITY
inline constexpr std::uint64_t kReadingCapacityBytes = 1 << 20;  // beyond the floor
inline constexpr std::uint64_t kReadingFloorBytes = kFrameBodyMax + kRecordMarkBytes;
inline constexpr std::uint32_t kMaxClassicTxBytes = 100 * 1024;
inline constexpr std::uint32_t kMaxTxSizeBuffer = 2'000;    // FLOW_CONTROL_BYTES_EXTRA_BUFFER
inline constexpr std::uint64_t kTxQueueBytesMax = 3 << 20;  // OUTBOUND_TX_QUEUE_BYTE_LIMIT
inline constexpr Duration kNoCreditTimeout = seconds(60);
static_assert(kReadingCapacityMessages > kFloodCapacityMessages,
              "a full flood window must leave room for a control message");
static_assert(kFloodCapacityMessages >= kSendMoreBatchMessages, "the window must hold a batch or credit never returns");
static_assert(kFloodCapacityBytes >= kSendMoreBatchBytes + kMaxClassicTxBytes,
              "a full-size transaction must always fit");

// flooding
inline constexpr std::size_t kAdvertMax = 1000;                         // TX_ADVERT_VECTOR_MAX_SIZE
inline constexpr std::size_t kAdvertBurstMax = kFloodCapacityMessages;  // ours, with flood.immediate
inline constexpr std::size_t kDemandMax = 1000;                         // TX_DEMAND_VECTOR_MAX_SIZE
inline constexpr std::size_t kAdvertHistoryMax = 50'000;                // ADVERT_CACHE_SIZE, per peer
inline constexpr std::uint32_t kDemandPeersMax = 15;                    // MAX_RETRY_COUNT
inline constexpr Duration kAdvertPeriod = milliseconds(100);            // FLOOD_ADVERT_PERIOD_MS
inline constexpr Duration kDemandPeriod = milliseconds(200);            // FLOOD_DEMAND_PERIOD_MS
inline constexpr Duration kDemandBackoff = milliseconds(500);           // FLOOD_DEMAND_BACKOFF_DELAY_MS
inline constexpr Duration kDemandBackoffMax = seconds(2);
inline constexpr Duration kDemandRetention = kDemandBackoffMax * kDemandPeersMax * 2;
static_assert(kDemandRetention == seconds(60));
inline constexpr Duration kDemandGiveUp = kDemandBackoffMax;  // ours, where a node's share of the demands is used up
inline constexpr std::size_t kFloodRecordsMax = 200'000;      // ours
inline constexpr std::size_t kFloodScpRecordsMax = 100'000;   // ours
inline constexpr std::size_t kOfferedTxMax = 5'000;           // ours, pooled transactions offered to a new peer
inline constexpr std::size_t kDemandsMax = 100'000;           // ours, unfulfilled
// ours; at 10,000 hashes a second from one peer its answers may take 150 ms
inline constexpr std::size_t kDemandsPerNodeMax = kDemandsMax / 64;
inline constexpr std::size_t kDemandsFulfilledMax = 100'000;  // ours
inline constexpr std::size_t kFloodNodesMax = 1'024;          // ours, node ids that flood records tell apart
inline constexpr std::size_t kTxPoolEntryBytes = 256;         // ours, what an entry costs beside its message
inline constexpr std::size_t kTxPoolBytesMax = 64 << 20;      // ours
inline constexpr std::uint32_t kTxPoolLedgersMax = 10;  // ours; stellar-core keeps a pending tx 4 ledgers, bans 10
inline constexpr std::size_t kBannedTxMax = 100'000;    // ours

// fetching and queries
inline constexpr std::uint32_t kSlotsToRemember = 12;           // MAX_SLOTS_TO_REMEMBER
inline constexpr std::uint32_t kSlotsToRememberMax = 100;       // ours, how many may be configured
inline constexpr std::uint32_t kQueriesPerSecond = 5;           // QUERY_RESPONSE_MULTIPLIER
inline constexpr std::uint32_t kScpStateQueriesPerWindow = 10;  // GET_SCP_STATE_MAX_RATE
inline constexpr std::uint32_t kScpStateLedgersBack = 3;        // LEDGER_VALIDITY_BRACKET's lower side when asking
inline constexpr Duration kCloseTime = seconds(5);
inline constexpr std::uint32_t kLedgerValidityBracket = 100;          // LEDGER_VALIDITY_BRACKET, slots ahead of ours
inline constexpr Duration kFetchReplyTimeout = milliseconds(1'500);   // MS_TO_WAIT_FOR_FETCH_REPLY
inline constexpr std::uint32_t kFetchRoundsMax = 10;                  // MAX_REBUILD_FETCH_LIST
inline constexpr Duration kLatencyBand = kFetchReplyTimeout / 3;      // GROUPSIZE_MS
inline constexpr Duration kHeldQuestionMax = kFetchReplyTimeout / 3;  // ours
inline constexpr std::size_t kHeldQuestionsMax = 10'000;              // ours
inline constexpr std::size_t kTrackersMax = 8'192;                    // ours, items searched for
inline constexpr std::size_t kTrackersPerLinkMax = 1'024;     // ours, for envelopes that one peer was the first to send
inline constexpr std::size_t kTrackersPerNodeMax = 256;       // ours, which only envelopes of one SCP node name
inline constexpr std::size_t kWaitingPerNodeMax = 256;        // ours, envelopes of one SCP node that wait for items
inline constexpr std::size_t kWaitingMax = 20'000;            // ours, envelopes that wait for items
inline constexpr std::size_t kWaitingPerTrackerMax = 512;     // ours, envelopes that wait for one item
inline constexpr std::size_t kSendersPerEnvelopeMax = 16;     // ours
inline constexpr std::size_t kClientFetchesMax = 1'000;       // ours, items that clients wait for
inline constexpr std::uint32_t kScpStateSlotsSentMax = 100;   // LEDGER_VALIDITY_BRACKET, in sendSCPStateToPeer
inline constexpr Duration kOutOfSyncAskPeriod = seconds(10);  // OUT_OF_SYNC_RECOVERY_TIMER
inline constexpr std::uint32_t kOutOfSyncAskPeers = 2;        // getMoreSCPState
inline constexpr Duration kCheckpointDelay = seconds(2);      // SEND_LATEST_CHECKPOINT_DELAY
inline constexpr std::size_t kTxSetStoreBytesMax = 128 << 20;    // ours, eight largest sets
inline constexpr std::size_t kQuorumSetStoreBytesMax = 8 << 20;  // ours
inline constexpr std::size_t kScpStateBytesMax = 64 << 20;       // ours
inline constexpr Duration kPingPeriod = seconds(5);              // RECURRENT_TIMER_PERIOD
inline constexpr std::size_t kPingWindow = 64;                   // ours, answers a latency percentile looks back on

// peers
inline constexpr std::uint16_t kPeerPort = 11625;
inline constexpr std::uint32_t kOutboundTarget = 8;
inline constexpr std::uint32_t kOutboundWithoutInbound = 3;
inline constexpr std::uint32_t kInboundMax = 64;
inline constexpr std::uint32_t kPendingMax = 500;
inline constexpr std::uint32_t kPreferredInboundPendingExtra = 2;  // POSSIBLY_PREFERRED_EXTRA
inline constexpr std::size_t kPeersWireMax = 100;                  // PEERS<100>
inline constexpr std::size_t kPeersSendMax = 50;
inline constexpr std::uint32_t kPeersSendFailuresMax = 10;
inline constexpr std::uint32_t kPeerFailuresForget = 120;
inline constexpr std::size_t kKnownPeersMax = 20'000;      // ours
inline constexpr std::size_t kInboundRecordsPerIpMax = 8;  // ours, listening addresses that callers behind one IP named
inline constexpr std::size_t kConnectBatchMax = 50;        // candidates taken from the book at once
// ours: addresses we only heard of, in one group of addresses, and from peers of one group (book/address.h)
inline constexpr std::size_t kHearsayPerGroupMax = 256;
inline constexpr std::size_t kHearsayPerSourceMax = 1'024;
inline constexpr std::uint32_t kOutboundPerGroupMax = 1;   // ours; of 8 slots four groups hold no more than half
inline constexpr std::uint32_t kInboundPerIpMax = 8;       // ours, pending ones with them
inline constexpr std::uint32_t kInboundPerSubnetMax = 16;  // ours, in an IPv4 /24 or an IPv6 /64
inline constexpr std::uint32_t kSlowDropsPerTick = 1;      // ours
inline constexpr std::uint32_t kDialsPerSlot = 4;  // ours, addresses only heard of that are tried for one free slot
inline constexpr std::size_t kFeelersPerTick = 2;  // ours, addresses tried while no slot is free
inline constexpr std::size_t kAnchorsMax = 2;      // ours
inline constexpr std::uint32_t kAnchorFailuresMax = 3;  // ours, after which it is one no more
inline constexpr Duration kAnchorAgeMin = seconds(10);  // ours, before a link may become one
inline constexpr std::size_t kSelfAddressesMax = 16;    // ours, addresses that turned out to be our own
inline constexpr std::size_t kBansMax = 10'000;         // ours
inline constexpr std::size_t kBanReasonBytesMax = 200;  // ours
inline constexpr std::size_t kBanSetByBytesMax = 64;    // ours
inline constexpr std::chrono::seconds kBanLastsMax{100ULL * 366 * 24 * 3600};  // ours
inline constexpr std::size_t kCoolDownsMax = 1'000;                            // ours
inline constexpr Duration kCoolDownMax = std::chrono::hours(24);               // ours
inline constexpr std::size_t kClosedLinksMax = 1'000;         // ours, authenticated ones; as many that never were
inline constexpr std::size_t kPeerTotalsMax = 2'000;          // ours, nodes
inline constexpr std::size_t kExplainedLinksMax = 100;        // ours, closed links in one explanation
inline constexpr Duration kOutOfSyncReconnect = seconds(60);  // OUT_OF_SYNC_RECONNECT_DELAY
inline constexpr Duration kTick = seconds(3);
inline constexpr Duration kFirstTick = seconds(2);
inline constexpr Duration kRecurrentPeriod = seconds(5);
inline constexpr Duration kAuthTimeout = seconds(2);
inline constexpr Duration kIdleTimeout = seconds(30);
inline constexpr Duration kStragglerTimeout = seconds(120);
inline constexpr Duration kDropFlushTimeout = seconds(5);

// surveys: SurveyManager, SurveyMessageLimiter, SurveyDataManager
inline constexpr std::uint32_t kSurveyLedgerWindow = 6;                  // NUM_LEDGERS_BEFORE_IGNORE
inline constexpr std::size_t kSurveyorsPerLedger = 10;                   // MAX_REQUEST_LIMIT_PER_LEDGER
inline constexpr std::size_t kSurveyedPerSurveyor = 10;                  // MAX_REQUEST_LIMIT_PER_LEDGER, in one ledger
inline constexpr std::size_t kSurveyLinksPerPage = 25;                   // TimeSlicedPeerDataList
inline constexpr std::size_t kSurveySealedBytesMax = 64'000;             // EncryptedBody
inline constexpr Duration kSurveyCollectMax = std::chrono::minutes(30);  // COLLECTING_PHASE_MAX_DURATION
inline constexpr Duration kSurveyReportMax = std::chrono::hours(3);      // REPORTING_PHASE_MAX_DURATION
inline constexpr std::size_t kSurveyBatch = 10;               // requests at once; MAX_REQUEST_LIMIT_PER_LEDGER
inline constexpr Duration kSurveyBatchPeriod = seconds(15);   // SURVEY_THROTTLE_TIMEOUT
inline constexpr Duration kSurveyCollectMin = seconds(1);     // ours, of a run
inline constexpr Duration kSurveyAnswerMax = seconds(120);    // ours, for an answer while the ledger stands still
inline constexpr std::uint32_t kSurveyAttemptsMax = 3;        // ours, requests for one page
inline constexpr std::size_t kSurveyNodesMax = 10'000;        // ours, in one result
inline constexpr std::size_t kSurveyLinksMax = 1'000;         // ours, of one node in one direction
inline constexpr std::size_t kSurveyTotalLinksMax = 200'000;  // ours, of all nodes in one result
inline constexpr std::size_t kSurveyNamersMax = 8;            // ours, remembered of one node
inline constexpr std::size_t kSurveyQueueMax = 1'000;         // ours, requests of clients that wait
inline constexpr std::size_t kSurveySamplesMax = 4'096;       // ours, latencies that a percentile looks at
inline constexpr std::size_t kSurveySlotsMax = 32;            // ours, slots whose EXTERNALIZE are timed
inline constexpr std::size_t kSurveyRecordsMax = 10'000;      // ours, flood records of survey messages
inline constexpr std::size_t kSurveyorKeysMax = 1'000;        // ours, in the configuration

// our queues between threads
inline constexpr std::size_t kInputQueueMax = 65'536;         // ours, inputs waiting for the overlay thread
inline constexpr std::size_t kWriteQueueBytesMax = 64 << 20;  // ours, per connection; holds two largest sets and more
inline constexpr std::size_t kScpVerifyPendingMax = 10'000;   // ours
inline constexpr std::size_t kSignatureCacheMax = 65'535;     // ours, SCP envelopes

// the API                                                            (all ours)
inline constexpr std::size_t kApiMessageBytesMax = 17 << 20;  // gRPC's limit, both directions
static_assert(kApiMessageBytesMax > kMessageBytesMax, "the largest message must pass the API");
inline constexpr std::size_t kEventOverheadBytes = 128;  // what an event counts beside its message
inline constexpr std::size_t kEventLogScpBytesMax = 64 << 20;
inline constexpr std::size_t kEventLogTransactionsBytesMax = 256 << 20;
inline constexpr std::size_t kEventLogPeersBytesMax = 4 << 20;
inline constexpr std::size_t kEventLogItemsBytesMax = 64 << 20;
static_assert(kEventLogItemsBytesMax >= 2 * kApiMessageBytesMax, "one of the largest items must not push out another");
inline constexpr std::size_t kEventLogScpStateRequestsBytesMax = 1 << 20;
inline constexpr std::size_t kEventLogSurveyBytesMax = 1 << 20;
inline constexpr std::size_t kEventBatchMax = 1000;          // events in one message to a subscriber
inline constexpr std::size_t kEventBatchBytesMax = 1 << 20;  // their XDR, unless one event alone is larger
inline constexpr std::size_t kSubscribersMax = 64;
// A client that takes no event for so long counts as absent. Longer than a consensus process may sit in one ledger,
// shorter than what its operator would wait.
inline constexpr Duration kTakerStallMax = seconds(120);
inline constexpr std::size_t kBroadcastStreamsMax = 64;
inline constexpr std::size_t kBroadcastBatchMax = 1000;   // items in one message of a broadcast stream
inline constexpr std::size_t kBroadcastWindowMax = 8192;  // items of one stream not answered yet
static_assert(kBroadcastWindowMax >= 2 * kBroadcastBatchMax, "a batch must fit while another is being answered");
inline constexpr std::size_t kRequestsPendingMax = 65'536;          // of all clients not answered yet, each item one
inline constexpr std::size_t kRequestsPendingBytesMax = 256 << 20;  // their StellarMessages
static_assert(kRequestsPendingBytesMax > kMessageBytesMax, "the largest request must find room when it is alone");
// The largest SCP envelope of our own, as a StellarMessage. A peer opens with 300,000 bytes of credit and gives it back
// in batches of 100,000: an envelope over the difference could stand at the head of that peer's SCP queue for ever.
inline constexpr std::size_t kScpMessageBytesMax = 200'000;
static_assert(kScpMessageBytesMax <= kFloodCapacityBytes - kSendMoreBatchBytes);
inline constexpr std::size_t kVerdictBatchMax = 1000;
inline constexpr std::size_t kItemBatchMax = 1000;  // items in one PutItems
// Answers of GetItem on their way, until their clients have taken them. gRPC holds each twice: as a message, and its
// bytes.
inline constexpr std::size_t kItemAnswersBytesMax = 64 << 20;
static_assert(kItemAnswersBytesMax >= kMessageBytesMax, "the largest item must pass beside small ones");
inline constexpr std::size_t kFetchHoldersMax = 16;             // peers that one Fetch names
inline constexpr std::uint32_t kScpStatePeersMax = 64;          // random peers that one RequestScpState asks
inline constexpr std::size_t kScpStateSendEnvelopesMax = 1000;  // envelopes in one SendScpState
inline constexpr std::size_t kLedgerHashesMax = 100'000;        // applied, and banned, transactions of one UpdateLedger
inline constexpr std::size_t kQuorumNodesMax = 10'000;
inline constexpr Duration kRequestAnswerTimeout = seconds(10);
inline constexpr Duration kSubmitRetryMin = milliseconds(1);  // back-off of a stream while the overlay's queue is full
inline constexpr Duration kSubmitRetryMax = milliseconds(50);
inline constexpr Duration kApiShutdownTimeout = seconds(2);  // for calls to end by themselves
inline constexpr Duration kApiCancelTimeout = seconds(1);    // more, for those that were cancelled then

}  // namespace overlayd::limits
