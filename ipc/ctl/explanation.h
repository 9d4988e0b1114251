// The answer of ExplainPeer in sentences.
#pragma once
#include <overlay/v1/admin.pb.h>

#include <cstdint>
#include <string>

namespace overlayd::ipc::ctl {

[[nodiscard]] bool is_anything_known(const ::overlay::v1::ExplainPeerResponse& known);
// `peer` as it was asked for; `now` in Unix seconds.
[[nodiscard]] std::string explanation_text(const std::string& peer, const ::overlay::v1::ExplainPeerResponse& known,
                                           std::int64_t now);

}  // namespace overlayd::ipc::ctl
