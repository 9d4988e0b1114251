// The subcommands of overlayctl. Each file cmd_*.cpp (and generate, inspect) registers one or more: add_* makes the
// subcommand with its options and sets its callback, which does the work and leaves the exit code in Context.
#pragma once
#include <CLI/CLI.hpp>

#include <string>

namespace overlayd::ipc::ctl {

// Documented in --help.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;  // it ran, and something of what was asked was refused, invalid or missing
inline constexpr int kExitUsage = 2;    // the command line, an input file or the output cannot be used
inline constexpr int kExitCall = 3;     // the daemon cannot be reached, or refused the call

// What the global options say; they may stand before or after the subcommand.
struct Context {
  std::string socket = "/run/overlayd/overlayd.sock";
  std::string admin_socket = "/run/overlayd/admin.sock";
  bool is_json = false;
  int exit_code = kExitOk;
};

void add_keygen(CLI::App& app, Context& context);
void add_status(CLI::App& app, Context& context);
void add_peers(CLI::App& app, Context& context);
void add_broadcast(CLI::App& app, Context& context);
void add_subscribe(CLI::App& app, Context& context);
void add_update_ledger(CLI::App& app, Context& context);
void add_fetch(CLI::App& app, Context& context);
void add_cancel_fetch(CLI::App& app, Context& context);
void add_put_items(CLI::App& app, Context& context);
void add_get_item(CLI::App& app, Context& context);
void add_request_scp_state(CLI::App& app, Context& context);
void add_known_peers(CLI::App& app, Context& context);
void add_why(CLI::App& app, Context& context);
void add_connect(CLI::App& app, Context& context);
void add_disconnect(CLI::App& app, Context& context);
void add_ban(CLI::App& app, Context& context);
void add_unban(CLI::App& app, Context& context);
void add_bans(CLI::App& app, Context& context);
void add_survey(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_generate(CLI::App& app, Context& context);  // generate.cpp
void add_inspect(CLI::App& app, Context& context);   // inspect.cpp

// "overlayctl: error: …" on stderr; with --json also {"error": …} on stdout. Sets the exit code.
void report_error(Context& context, int exit_code, const std::string& message);
// The same of a call to the daemon: kExitRefused if it answered NOT_FOUND, else kExitCall.
void report_call_error(Context& context, const std::string& message);

}  // namespace overlayd::ipc::ctl
