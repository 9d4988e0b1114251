// survey run: a whole survey, with a line that says how far it is.
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

#include "core/limits.h"
#include "ipc/ctl/cmd_survey.h"
#include "ipc/ctl/options.h"
#include "ipc/ctl/survey_output.h"
#include "ipc/ctl/survey_progress.h"
#include "ipc/ctl/survey_render.h"

namespace overlayd::ipc::ctl {
namespace {

constexpr int kExitSignal = 128;  // and the signal's number, as shells have it

struct RunOptions {
  SurveyOutputOptions out;
  std::uint64_t collect_s = 300;
  bool is_attaching = false;
};

Now now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return {.instant = Instant(std::chrono::steady_clock::now().time_since_epoch()),
          .unix_time = {static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(since_1970).count())}};
}

SurveyProgress::Options terminal() {
  SurveyProgress::Options options{.is_terminal = ::isatty(STDERR_FILENO) == 1};
  winsize size{};
  if (options.is_terminal && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    options.columns = size.ws_col;
  return options;
}

// Writes to standard error what SurveyProgress says, from any thread.
class Reporter {
 public:
  void on_status(const SurveyStatus& status) {
    write([&](SurveyProgress& progress) { return progress.on_status(status, now()); });
    has_status_ = true;
  }
  void on_away(const std::string& why) {
    write([&](SurveyProgress& progress) { return progress.on_away(why, now()); });
  }
  void tick() {
    write([](SurveyProgress& progress) { return progress.tick(now()); });
  }
  void finish() {
    write([](SurveyProgress& progress) { return progress.finish(); });
  }
  [[nodiscard]] bool has_status() const { return has_status_; }

 private:
  template <typename Make>
  void write(Make make) {
    const std::lock_guard lock(mutex_);
    const std::string text = make(progress_);
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }

  std::mutex mutex_;
  SurveyProgress progress_{terminal()};
  std::atomic<bool> has_status_ = false;
};

// Takes SIGINT and SIGTERM while it lives: the first cancels the call, the second ends the program. Once a second it
// lets the reporter write. Must be made before any thread that gRPC makes: these inherit which signals are blocked.
class Watch {
 public:
  explicit Watch(Reporter& reporter) : reporter_(reporter) {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~Watch() {
    end();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // From now on, for this client.
  void begin(SurveyClient& client) {
    thread_ = std::thread([this, &client] { run(client); });
  }
  // Before the client goes.
  void end() {
    is_over_ = true;
    if (!thread_.joinable()) return;
    ::pthread_kill(thread_.native_handle(), SIGINT);
    thread_.join();
  }
  // 0: none came.
  [[nodiscard]] int signal() const { return signal_; }

 private:
  void run(SurveyClient& client) {
    const timespec second{.tv_sec = 1, .tv_nsec = 0};
    while (!is_over_) {
      const int signal = ::sigtimedwait(&signals_, nullptr, &second);
      if (is_over_) return;
      if (signal > 0) {
        if (signal_ != 0) ::_exit(kExitSignal + signal);
        signal_ = signal;
        client.cancel();
      } else if (signal_ == 0) {
        reporter_.tick();
      }
    }
  }

  Reporter& reporter_;
  sigset_t signals_{};
  sigset_t before_{};
  std::atomic<bool> is_over_ = false;
  std::atomic<int> signal_ = 0;
  std::thread thread_;
};

void say_how_to_come_back(Context& context, const Reporter& reporter, int signal) {
  context.exit_code = kExitSignal + signal;
  if (reporter.has_status()) {
    std::fprintf(
        stderr,
        "overlayctl: the survey goes on in the daemon; come back with `overlayctl survey run --attach`, or end "
        "it with `overlayctl survey end`\n");
  } else {
    std::fprintf(stderr,
                 "overlayctl: interrupted before the daemon answered; `overlayctl survey status` says whether the "
                 "survey has begun\n");
  }
}

// The table says itself who did not answer; beside any other format people are told.
void show(Context& context, const SurveyResult& result, const SurveyOutputOptions& options) {
  if (options.format != "table" || !options.output.empty()) {
    const std::string summary = survey_summary(result);
    std::fwrite(summary.data(), 1, summary.size(), stderr);
  }
  if (!is_whole(result)) context.exit_code = kExitRefused;
  if (const auto written = write_survey(result, options); !written) {
    report_error(context, kExitUsage,
                 written.error() + "; the daemon keeps the result: `overlayctl survey result` shows it again");
  }
}

Result<CollectedSurvey> follow(Context& context, const RunOptions& options, Reporter& reporter, int& signal) {
  Watch watch(reporter);
  auto client = SurveyClient::connect({.socket = context.socket});
  if (!client) return Failure{client.error()};
  watch.begin(*client.value());
  auto collected = client.value()->run(
      {.collect = seconds(options.collect_s),
       .is_attaching = options.is_attaching,
       .on_status = [&](const ::overlay::v1::SurveyStatus& status) { reporter.on_status(to_status(status)); },
       .on_away = [&](const std::string& why) { reporter.on_away(why); }});
  watch.end();
  signal = watch.signal();
  return collected;
}

void run(Context& context, RunOptions options) {
  if (const auto checked = check_output(context, options.out); !checked)
    return report_error(context, kExitUsage, checked.error());
  Reporter reporter;
  int signal = 0;
  const auto collected = follow(context, options, reporter, signal);
  reporter.finish();
  if (!collected && signal != 0) return say_how_to_come_back(context, reporter, signal);
  if (!collected) return report_call_error(context, collected.error());
  const auto result = to_result(collected.value());
  if (!result) return report_error(context, kExitCall, result.error());
  show(context, result.value(), options.out);
}

}  // namespace

void add_survey_run(CLI::App& survey, Context& context) {
  constexpr auto kCollectMax = std::chrono::duration_cast<seconds>(limits::kSurveyCollectMax).count();
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = survey.add_subcommand(
      "run",
      "Conducts a whole survey: collects, asks every node it finds, shows the result; exit code 1 if not all told");
  auto* collect = command
                      ->add_option("--collect", options->collect_s,
                                   "So long every node counts what goes over its links, 1s to 30m; default: 5m")
                      ->transform(duration(kCollectMax));
  command
      ->add_flag("--attach", options->is_attaching,
                 "Follow the run there is, under way or over, instead of beginning one")
      ->excludes(collect);
  add_output_options(*command, options->out);
  command->footer(
      "How far it is stands on standard error, at the end with who did not answer and why. The daemon conducts the "
      "run:\n"
      "Ctrl-C leaves it going, and `overlayctl survey run --attach` comes back to it, also after a restart of the "
      "daemon.\n"
      "\n"
      "Exit codes:\n"
      "  0    every node that was found told of all its links\n"
      "  1    some did not, or the run ended before all were asked; the result says which and why. Also: nothing to\n"
      "       attach to\n"
      "  2    the command line cannot be used, or the output not be written\n"
      "  3    the daemon cannot be reached, or refused the call\n"
      "  130  interrupted (143: SIGTERM); the run goes on\n");
  command->callback([&context, options] { run(context, *options); });
}

}  // namespace overlayd::ipc::ctl
