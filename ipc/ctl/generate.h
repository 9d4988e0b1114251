// overlayctl generate: valid, signed, repeatable transactions and SCP envelopes. What they are: tx_builder.h and
// scp_builder.h.
//
// Output. json    {"kind","hash","envelope"} a line; of SCP {"slot","node","statement","hash","envelope"}. `hash` is
//                 the transaction hash, or the flood hash of the SCP_MESSAGE: what the daemon's events carry.
//         base64  one envelope a line
//         xdr     record-marked stream of envelopes
#pragma once
#include <ostream>
#include <string>

#include "core/result.h"
#include "ipc/ctl/scp_builder.h"
#include "ipc/ctl/tx_builder.h"

namespace overlayd::ipc::ctl {

enum class OutputForm : std::uint8_t { kJson, kBase64, kXdr };
// "json", "base64", "xdr".
[[nodiscard]] std::optional<OutputForm> to_output_form(std::string_view name);

inline constexpr std::uint64_t kGenerateCountMax = 10'000'000;

struct GenerateOptions {
  bool is_scp = false;
  std::uint64_t count = 0;  // at most kGenerateCountMax
  std::uint64_t seed = 0;
  std::string network{};  // passphrase
  OutputForm form = OutputForm::kJson;
  std::uint64_t first_slot = 1;  // of SCP
  std::uint32_t nodes = 16;      // of SCP
};

// Stops early, with a failure, if `out` fails or an option is out of its range.
[[nodiscard]] Result<Done> generate(const GenerateOptions& options, std::ostream& out);

}  // namespace overlayd::ipc::ctl
