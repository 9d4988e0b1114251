// ban, unban and bans: who is kept out.
#include <cstdio>

#include "ipc/ctl/admin.h"
#include "ipc/ctl/output.h"
#include "ipc/ctl/peer_text.h"

namespace overlayd::ipc::ctl {
namespace {

namespace v1 = ::overlay::v1;

constexpr const char* kSubjectHelp =
    "A node id, G..., or a range of addresses: 192.0.2.0/24, 2001:db8::/32, 192.0.2.1; \"::/0\" holds IPv4 too";

struct BanOptions {
  std::string subject;
  TermsOptions terms;
};

void ban(Context& context, const BanOptions& options) {
  const auto subject = to_ban_subject(options.subject);
  if (!subject) return report_error(context, kExitUsage, subject.error());
  v1::BanRequest request;
  *request.mutable_subject() = subject.value();
  *request.mutable_terms() = to_terms(options.terms);
  const auto client = connect_admin(context);
  if (!client) return;
  const auto done = client->ban(request);
  if (!done) return report_call_error(context, done.error());
  const std::uint32_t links = done.value().links_dropped();
  if (context.is_json) return print_json({{"banned", options.subject}, {"links_dropped", links}});
  const std::string span =
      options.terms.for_s == 0 ? "until it is lifted" : "for " + duration_text(options.terms.for_s * 1000);
  std::printf("banned %s %s; %u link%s dropped\n", options.subject.c_str(), span.c_str(), links, links == 1 ? "" : "s");
}

void unban(Context& context, const std::string& text) {
  const auto subject = to_ban_subject(text);
  if (!subject) return report_error(context, kExitUsage, subject.error());
  v1::UnbanRequest request;
  *request.mutable_subject() = subject.value();
  const auto client = connect_admin(context);
  if (!client) return;
  if (const auto done = client->unban(request); !done) return report_call_error(context, done.error());
  if (context.is_json) return print_json({{"unbanned", text}});
  std::printf("unbanned %s\n", text.c_str());
}

void show_bans(Context& context) {
  const auto client = connect_admin(context);
  if (!client) return;
  const auto answer = client->list_bans();
  if (!answer) return report_error(context, kExitCall, answer.error());
  if (context.is_json) {
    Json bans = Json::array();
    for (const auto& entry : answer.value().bans()) bans.push_back(ban_json(entry));
    return print_json({{"bans", bans}});
  }
  std::vector<std::vector<std::string>> rows{{"banned", "made", "ends", "hits", "last hit", "set by", "reason"}};
  for (const auto& entry : answer.value().bans()) {
    rows.push_back(
        {subject_text(entry.subject()), entry.made_unix_seconds() == 0 ? "-" : time_text(entry.made_unix_seconds()),
         entry.has_ends_unix_seconds() ? time_text(entry.ends_unix_seconds()) : "never", std::to_string(entry.hits()),
         entry.has_last_hit_unix_seconds() ? time_text(entry.last_hit_unix_seconds()) : "-",
         entry.set_by().empty() ? "-" : entry.set_by(), entry.reason().empty() ? "-" : entry.reason()});
  }
  print_table(rows);
}

}  // namespace

void add_ban(CLI::App& app, Context& context) {
  auto options = std::make_shared<BanOptions>();
  CLI::App* command = app.add_subcommand(
      "ban", "Keeps a node or a range of addresses out, connected or not; returns when that is on disk");
  command->add_option("SUBJECT", options->subject, kSubjectHelp)->required();
  add_terms_options(*command, options->terms);
  command->callback([&context, options] { ban(context, *options); });
}

void add_unban(CLI::App& app, Context& context) {
  auto subject = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("unban", "Lifts the ban of exactly this node or range; exit code 1 if there is none");
  command->add_option("SUBJECT", *subject, kSubjectHelp)->required();
  command->callback([&context, subject] { unban(context, *subject); });
}

void add_bans(CLI::App& app, Context& context) {
  app.add_subcommand("bans", "Lists who is kept out")->callback([&context] { show_bans(context); });
}

}  // namespace overlayd::ipc::ctl
