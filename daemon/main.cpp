// overlayd: the Stellar overlay as one daemon. Exit code 0: stopped as asked, or the configuration is good; 1: not.
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "daemon/daemon.h"
#include "daemon/seed.h"
#include "daemon/thread_body.h"

namespace {

using namespace overlayd;  // NOLINT: the program's own namespace

constexpr std::size_t kLogQueueMax = 8192;  // lines; older ones are dropped rather than waited for

void start_logging(config::LogLevel level) {
  constexpr std::array kLevels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                               spdlog::level::err};
  spdlog::init_thread_pool(kLogQueueMax, 1);
  spdlog::set_default_logger(spdlog::create_async_nb<spdlog::sinks::stderr_color_sink_mt>("overlayd"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(kLevels[static_cast<std::size_t>(level)]);
  spdlog::flush_on(spdlog::level::info);
}

int run(const config::LoadOutcome& loaded, bool is_check) {
  if (!loaded.ok()) {
    std::cerr << loaded.report();
    return 1;
  }
  auto node_key = daemon::load_node_key(loaded, daemon::credentials_directory());
  if (!node_key) {
    std::cerr << node_key.error() << '\n';
    return 1;
  }
  if (is_check) {
    std::cout << daemon::describe(loaded, node_key.value().id()) << "the configuration is good\n";
    return 0;
  }
  start_logging(loaded.config.log.level);
  daemon::raise_file_limit();
  daemon::Daemon program(loaded, std::move(node_key).value(), OVERLAYD_VERSION);
  const auto done = program.run();
  if (!done) spdlog::critical("{}", done.error());
  return done ? 0 : 1;
}

}  // namespace

// Before run_thread_body only the command line is read: an exception there is no memory, and ends the process.
int main(int argc, char** argv) {  // NOLINT(bugprone-exception-escape)
  CLI::App app("The Stellar overlay as one daemon.", "overlayd");
  std::string config_file;
  std::vector<std::string> overrides;
  bool is_check = false;
  app.add_option("--config", config_file, "Configuration file (TOML)");
  app.add_option("--set", overrides, "Override one key: section.key=value (repeatable)")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--check-config", is_check, "Check the configuration, print what is in effect, and exit");
  app.set_version_flag("--version", "overlayd " OVERLAYD_VERSION);
  CLI11_PARSE(app, argc, argv);

  overlayd::daemon::harden_process();
  int exit_code = 1;
  overlayd::daemon::run_thread_body("overlayd",
                                    [&] { exit_code = run(overlayd::config::load(config_file, overrides), is_check); });
  spdlog::shutdown();  // writes what is still queued
  return exit_code;
}
