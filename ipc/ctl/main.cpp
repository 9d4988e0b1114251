// overlayctl: the operator's and the tester's hand on a running overlayd.
#include <algorithm>
#include <cstdio>
#include <span>
#include <string_view>

#include "core/crypto/keys.h"
#include "ipc/ctl/commands.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/output.h"

namespace overlayd::ipc::ctl {
namespace {

constexpr const char* kFooter =
    "Exit codes:\n"
    "  0  done\n"
    "  1  it ran, and something was refused, invalid or missing\n"
    "  2  the command line, an input file or the output cannot be used\n"
    "  3  the daemon cannot be reached, or refused the call\n";

void add_globals(CLI::App& app, Context& context) {
  app.add_option("--socket", context.socket, "The daemon's socket for consensus clients (ipc.socket)")
      ->capture_default_str();
  app.add_option("--admin-socket", context.admin_socket, "The daemon's socket for operators (ipc.admin_socket)")
      ->capture_default_str();
  app.add_flag("--json", context.is_json, "One JSON object, or one object a line for streams");
  app.fallthrough();
  app.require_subcommand(1);
  app.footer(kFooter);
}

void add_all(CLI::App& app, Context& context) {
  add_keygen(app, context);
#ifdef OVERLAYCTL_HAS_GENERATE
  add_generate(app, context);
#endif
  add_status(app, context);
  add_peers(app, context);
  add_broadcast(app, context);
  add_subscribe(app, context);
  add_update_ledger(app, context);
  add_fetch(app, context);
  add_cancel_fetch(app, context);
  add_put_items(app, context);
  add_get_item(app, context);
  add_request_scp_state(app, context);
#ifdef OVERLAYCTL_HAS_INSPECT
  add_inspect(app, context);
#endif
  add_known_peers(app, context);
  add_why(app, context);
  add_connect(app, context);
  add_disconnect(app, context);
  add_ban(app, context);
  add_unban(app, context);
  add_bans(app, context);
  add_survey(app, context);
  add_version(app, context);
}

// Help that was asked for, or what is wrong with the command line.
int report_parse(const CLI::App& app, const CLI::ParseError& error, Context& context, std::span<char*> arguments) {
  if (error.get_exit_code() == 0) return app.exit(error);
  // The parser may have stopped before it set the flags.
  context.is_json = std::any_of(arguments.begin(), arguments.end(),
                                [](const char* argument) { return std::string_view(argument) == "--json"; });
  report_error(context, kExitUsage, usage_error(app, error));
  std::fprintf(stderr, "Run with --help for more information.\n");
  std::fflush(stdout);
  return context.exit_code;
}

}  // namespace

void report_error(Context& context, int exit_code, const std::string& message) {
  context.exit_code = exit_code;
  std::fprintf(stderr, "overlayctl: error: %s\n", message.c_str());
  if (context.is_json) print_json({{"error", message}});
}

void report_call_error(Context& context, const std::string& message) {
  report_error(context, message.starts_with("NOT_FOUND: ") ? kExitRefused : kExitCall, message);
}

}  // namespace overlayd::ipc::ctl

int main(int argc, char** argv) {
  using namespace overlayd::ipc::ctl;
  overlayd::crypto::init();
  Context context;
  CLI::App app("Talks to a running overlayd, and makes and inspects what it works with.", "overlayctl");
  add_globals(app, context);
  add_all(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse(app, error, context, {argv, static_cast<std::size_t>(argc)});
  }
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (!is_written && context.exit_code == kExitOk) {
    std::fprintf(stderr, "overlayctl: error: standard output could not be written; what it holds is not complete\n");
    context.exit_code = kExitUsage;
  }
  return context.exit_code;
}
