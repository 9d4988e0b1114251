// How far a run is, while somebody waits for it: text only, without clock or stream, so that a test can read it.
//
// On a terminal: one line that is written over, at every change and every second, cut to the terminal's width. Elsewhere,
// such as in a log: a line when a phase begins, and else one at most every kLinePeriod while something changes.
#pragma once
#include <string>

#include "core/survey_values.h"

namespace overlayd::ipc::ctl {

// "crawling: 812 found, 640 complete, 3 failed, 160 waiting, 9 asked; 700 requests, 2 bad answers; 3m 5s left".
// `age` is how long ago the status came: the time left is less by that.
[[nodiscard]] std::string progress_text(const SurveyStatus& status, UnixTime now, Duration age);

class SurveyProgress {
 public:
  static constexpr Duration kLinePeriod = seconds(5);

  struct Options {
    bool is_terminal = false;
    std::size_t columns = 80;  // of the terminal
  };
  explicit SurveyProgress(const Options& options) : options_(options) {}

  // Each gives what is to be written now; empty: nothing.
  [[nodiscard]] std::string on_status(const SurveyStatus& status, const Now& now);
  [[nodiscard]] std::string on_away(const std::string& why, const Now& now);  // the daemon cannot be reached
  [[nodiscard]] std::string tick(const Now& now);
  // Leaves the line as it is: what is written next begins a new one.
  [[nodiscard]] std::string finish();

 private:
  [[nodiscard]] std::string show(const Now& now);

  const Options options_;
  SurveyStatus status_;
  Instant heard_;       // when it came
  std::string away_{};  // why the daemon is not there; empty: it is
  bool has_status_ = false;
  bool is_shown_ = true;       // all that is known was written
  bool is_line_open_ = false;  // on a terminal
  Instant written_;
};

}  // namespace overlayd::ipc::ctl
