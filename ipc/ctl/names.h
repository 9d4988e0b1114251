// What things of the API are called on overlayctl's command line and in its output.
#pragma once
#include <overlay/v1/overlay.pb.h>

#include <array>
#include <string_view>

#include "ipc/ctl/item_input.h"

namespace overlayd::ipc::ctl {

struct TopicName {
  ::overlay::v1::Topic topic;
  const char* name;
};
inline constexpr std::array<TopicName, 6> kTopicNames{{{::overlay::v1::TOPIC_SCP, "scp"},
                                                       {::overlay::v1::TOPIC_TRANSACTIONS, "transactions"},
                                                       {::overlay::v1::TOPIC_PEERS, "peers"},
                                                       {::overlay::v1::TOPIC_ITEMS, "items"},
                                                       {::overlay::v1::TOPIC_SCP_STATE_REQUESTS, "scp_state_requests"},
                                                       {::overlay::v1::TOPIC_SURVEY, "survey"}}};

inline const char* topic_text(::overlay::v1::Topic topic) {
  for (const TopicName& known : kTopicNames)
    if (known.topic == topic) return known.name;
  return "unknown";
}

inline std::string_view kind_text(::overlay::v1::ItemKind kind) {
  switch (kind) {
    case ::overlay::v1::ITEM_KIND_TX_SET: return kItemFormNames[static_cast<std::size_t>(ItemForm::kTxSet)];
    case ::overlay::v1::ITEM_KIND_GENERALIZED_TX_SET:
      return kItemFormNames[static_cast<std::size_t>(ItemForm::kGeneralizedTxSet)];
    case ::overlay::v1::ITEM_KIND_QUORUM_SET: return kItemFormNames[static_cast<std::size_t>(ItemForm::kQuorumSet)];
    default: return "unknown";
  }
}

}  // namespace overlayd::ipc::ctl
