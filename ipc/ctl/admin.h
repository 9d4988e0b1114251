// What the operator's commands share: the connection, and what their arguments become.
#pragma once
#include <CLI/CLI.hpp>

#include <cstdint>
#include <memory>
#include <string>

#include "ipc/client/client.h"
#include "ipc/ctl/commands.h"

namespace overlayd::ipc::ctl {

// Nothing: it cannot be reached, and that is reported.
[[nodiscard]] std::unique_ptr<AdminClient> connect_admin(Context& context);

// "NODE|HOST:PORT" and "NODE|CIDR": what has a '.' or a ':' is an address, which the daemon checks; anything else must be
// a node id.
[[nodiscard]] Result<::overlay::v1::PeerSelector> to_selector(const std::string& text);
[[nodiscard]] Result<::overlay::v1::BanSubject> to_ban_subject(const std::string& text);

struct TermsOptions {
  std::string reason;
  std::uint64_t for_s = 0;  // 0: for good
};
// --reason and --for.
void add_terms_options(CLI::App& command, TermsOptions& options);
// Set by the user who runs this.
[[nodiscard]] ::overlay::v1::BanTerms to_terms(const TermsOptions& options);

}  // namespace overlayd::ipc::ctl
