#include "ipc/ctl/admin.h"

#include <pwd.h>
#include <unistd.h>

#include "core/crypto/strkey.h"
#include "core/limits.h"
#include "ipc/ctl/options.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

bool is_address(const std::string& text) { return text.find_first_of(".:") != std::string::npos; }

Result<std::string> to_node_bytes(const std::string& text) {
  const auto id = crypto::decode_node_id(text);
  if (!id) return Failure{"\"" + text + "\" is neither an address nor a node id (G...): " + id.error()};
  return std::string(reinterpret_cast<const char*>(id.value().bytes.data()), id.value().bytes.size());
}

// A name that the daemon takes; the number of a user whose name it would not.
std::string local_user() {
  const passwd* user = ::getpwuid(::getuid());
  std::string name = user == nullptr ? "" : user->pw_name;
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!name.empty() && name.size() <= limits::kBanSetByBytesMax && std::ranges::all_of(name, is_printable)) return name;
  return "user " + std::to_string(::getuid());
}

}  // namespace

std::unique_ptr<AdminClient> connect_admin(Context& context) {
  auto client = AdminClient::connect({.socket = context.admin_socket});
  if (client) return std::move(client).value();
  report_error(context, kExitCall, client.error());
  return nullptr;
}

Result<v1::PeerSelector> to_selector(const std::string& text) {
  v1::PeerSelector peer;
  if (is_address(text)) {
    peer.set_address(text);
    return peer;
  }
  auto node = to_node_bytes(text);
  if (!node) return Failure{node.error()};
  peer.set_node_id(std::move(node).value());
  return peer;
}

Result<v1::BanSubject> to_ban_subject(const std::string& text) {
  v1::BanSubject subject;
  if (is_address(text)) {
    subject.set_subnet(text);
    return subject;
  }
  auto node = to_node_bytes(text);
  if (!node) return Failure{node.error()};
  subject.set_node_id(std::move(node).value());
  return subject;
}

void add_terms_options(CLI::App& command, TermsOptions& options) {
  command.add_option("--reason", options.reason, "Why, at most 200 bytes of ASCII; shown by `bans`");
  command.add_option("--for", options.for_s, "How long; without it until `unban`")
      ->transform(duration(static_cast<std::uint64_t>(limits::kBanLastsMax.count())));
}

v1::BanTerms to_terms(const TermsOptions& options) {
  v1::BanTerms terms;
  terms.set_reason(options.reason);
  terms.set_set_by(local_user());
  terms.set_duration_s(options.for_s);
  return terms;
}

}  // namespace overlayd::ipc::ctl
