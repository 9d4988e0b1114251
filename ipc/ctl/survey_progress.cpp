#include "ipc/ctl/survey_progress.h"

#include <algorithm>

#include "ipc/ctl/output.h"
#include "ipc/ctl/survey_fields.h"
#include "ipc/ctl/survey_result.h"

namespace overlayd::ipc::ctl {
namespace {

std::string time_left_text(const SurveyStatus& status, UnixTime now, Duration age) {
  std::uint64_t left = 0;
  if (status.time_left) {
    left = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, std::chrono::duration_cast<milliseconds>(*status.time_left - age).count()));
  } else if (status.run == SurveyRun::kCollecting && status.phase_ends > now) {
    left = std::min<std::uint64_t>(status.phase_ends.seconds - now.seconds, 86'400) * 1000;
  } else {
    return {};
  }
  const bool is_collecting = status.run == SurveyRun::kCollecting;
  return "; " + duration_text(left) + (is_collecting ? " left, then the nodes are asked" : " left");
}

std::string counts_text(const SurveyStatus& status) {
  const auto part = [](std::uint64_t count, const char* what) { return std::to_string(count) + what; };
  std::string text = part(status.nodes_found, " found, ") + part(status.nodes_complete, " complete, ") +
                     part(status.nodes_failed, " failed, ") + part(status.nodes_waiting, " waiting, ") +
                     part(status.nodes_asked, " asked; ") + part(status.requests_sent, " requests");
  if (status.bad_responses != 0) text += ", " + part(status.bad_responses, " bad answers");
  return text;
}

}  // namespace

std::string progress_text(const SurveyStatus& status, UnixTime now, Duration age) {
  std::string text(word_of(status.run));
  const bool has_asked = status.run != SurveyRun::kCollecting && status.run != SurveyRun::kNone;
  if (has_asked) text += ": " + counts_text(status);
  text += time_left_text(status, now, age);
  if (!status.why.empty()) text += "; " + printable_text(status.why);
  return text;
}

std::string SurveyProgress::on_status(const SurveyStatus& status, const Now& now) {
  const bool is_new_phase = !has_status_ || status.run != status_.run || !away_.empty();
  status_ = status;
  heard_ = now.instant;
  has_status_ = true;
  away_.clear();
  is_shown_ = false;
  return options_.is_terminal || is_new_phase ? show(now) : tick(now);
}

std::string SurveyProgress::on_away(const std::string& why, const Now& now) {
  const bool is_new = away_.empty();
  away_ = "the daemon is away, waiting for it: " + printable_text(why);
  is_shown_ = is_shown_ && !is_new;
  return options_.is_terminal || is_new ? show(now) : tick(now);
}

std::string SurveyProgress::tick(const Now& now) {
  if (!has_status_ && away_.empty()) return {};
  if (options_.is_terminal) return show(now);
  return is_shown_ || now.instant - written_ < kLinePeriod ? std::string() : show(now);
}

std::string SurveyProgress::show(const Now& now) {
  std::string text = away_.empty() ? progress_text(status_, now.unix_time, now.instant - heard_) : away_;
  is_shown_ = true;
  written_ = now.instant;
  if (!options_.is_terminal) return text + "\n";
  is_line_open_ = true;
  // A line that reached the last column would break, and could not be written over.
  text.resize(std::min(text.size(), std::max<std::size_t>(options_.columns, 2) - 1));
  return "\r\033[K" + text;
}

std::string SurveyProgress::finish() {
  if (!is_line_open_) return {};
  is_line_open_ = false;
  return "\n";
}

}  // namespace overlayd::ipc::ctl
