// Which seed the daemon runs with: node.seed_file if set, else the systemd credential "node-seed" (LoadCredential of
// systemd/overlayd.service), else a refusal that says how to make one.
// Errors: as config/load.h shows them, with file, line and key. The seed itself lives no longer than this call.
#pragma once
#include <string>

#include "config/load.h"
#include "core/crypto/keys.h"
#include "core/result.h"

namespace overlayd::daemon {

// $CREDENTIALS_DIRECTORY, or empty. Call it while the process has one thread.
[[nodiscard]] std::string credentials_directory();

[[nodiscard]] Result<crypto::NodeKey> load_node_key(const config::LoadOutcome& loaded,
                                                    const std::string& credentials_directory);

}  // namespace overlayd::daemon
