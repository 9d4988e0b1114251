// What surveys are configured with.
#pragma once
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "core/crypto/keys.h"
#include "core/outputs.h"

namespace overlayd::survey {

struct SurveyOptions {
  // With what we sign. Null: this node answers no request and conducts no survey, but relays.
  std::shared_ptr<const crypto::NodeKey> key{};
  std::shared_ptr<Entropy> entropy{};  // nonces, sealing keys; null as `key`
  std::set<NodeId> surveyor_keys{};    // who may survey; empty: the nodes of our quorum
  // Whether `signature` is the signer's of the message. Simulations of a thousand nodes remember what one of them found.
  std::function<bool(const NodeId& signer, ByteView message, ByteView signature)> verify = crypto::verify;
  // What a former process stored (StoreSurvey, StoreSurveyNode). What cannot be read is left out.
  Bytes stored{};
  std::vector<StoreSurveyNode> stored_nodes{};
};

}  // namespace overlayd::survey
