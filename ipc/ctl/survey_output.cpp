#include "ipc/ctl/survey_output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "ipc/ctl/survey_json.h"
#include "ipc/ctl/survey_render.h"

namespace overlayd::ipc::ctl {
namespace {

namespace fs = std::filesystem;

// Where a chain of links leads, also if nothing is there yet; as far as it can be followed.
fs::path behind_links(fs::path path) {
  constexpr int kLinksMax = 40;  // as many as Linux follows
  std::error_code error;
  for (int i = 0; i < kLinksMax && fs::is_symlink(path, error); ++i)
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

// Where the text of a file goes.
struct Target {
  explicit Target(const std::string& given) : name(given), path(behind_links(given)) {
    std::error_code error;
    // A device or a pipe is written as it is: a file would take its place.
    is_file = !fs::exists(path, error) || fs::is_regular_file(path, error);
  }
  [[nodiscard]] fs::path directory() const { return path.has_parent_path() ? path.parent_path() : fs::path("."); }
  [[nodiscard]] fs::path written() const { return is_file ? fs::path(path.string() + ".part") : path; }
  [[nodiscard]] Failure failure(const std::string& why) const {
    return Failure{"--output: " + name + " cannot be written: " + why};
  }
  void give_up() const {
    std::error_code error;
    if (is_file && fs::is_regular_file(written(), error)) fs::remove(written(), error);
  }

  std::string name;  // as the user has it
  fs::path path;
  bool is_file = true;  // it is written beside its place, and takes its name when it is complete
};

Result<Done> check_writable(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return Failure{"--output: " + path + " is a directory"};
  const Target target(path);
  if (fs::is_symlink(target.path, error)) return target.failure("its links lead in a circle");
  if (fs::exists(target.path, error) && ::access(target.path.c_str(), W_OK) != 0)
    return target.failure(std::strerror(errno));
  if (!target.is_file) return Done{};
  const std::string directory = target.directory().string();
  if (!fs::is_directory(directory, error)) return Failure{"--output: there is no directory " + directory};
  if (::access(directory.c_str(), W_OK | X_OK) == 0) return Done{};
  return target.failure("no file can be made in " + directory + ": " + std::strerror(errno));
}

Result<Done> write(const Target& target, const std::string& text) {
  std::ofstream file(target.written(), std::ios::binary | std::ios::trunc);
  if (!file) return target.failure(std::strerror(errno));
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (file) return Done{};
  const std::string why = std::strerror(errno);
  target.give_up();
  return target.failure(why);
}

Result<Done> take_name(const Target& target) {
  if (!target.is_file) return Done{};
  std::error_code error;
  fs::rename(target.written(), target.path, error);
  if (!error) return Done{};
  target.give_up();
  return target.failure(error.message());
}

Result<Done> print(const std::string& text) {
  // A flush after a write that failed may find nothing left to do, and say that all is well.
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  const int why = errno;
  if (!is_written) return Failure{std::string("standard output: ") + std::strerror(why)};
  if (std::fflush(stdout) != 0) return Failure{std::string("standard output: ") + std::strerror(errno)};
  return Done{};
}

std::string csv_of(const SurveyResult& result, const std::string& table) {
  return table == "nodes" ? survey_nodes_csv(result) : survey_links_csv(result);
}

std::string render(const SurveyResult& result, const SurveyOutputOptions& options) {
  if (options.format == "json") return survey_json(result) + "\n";
  if (options.format == "csv") return csv_of(result, options.csv);
  if (options.format == "graphml") return survey_graphml(result);
  if (options.format == "dot") return survey_dot(result);
  if (options.format == "html") return survey_html(result);
  return survey_table(result, options.has_links);
}

bool has_two_files(const SurveyOutputOptions& options) { return options.format == "csv" && options.csv.empty(); }

}  // namespace

void add_output_options(CLI::App& command, SurveyOutputOptions& options) {
  command.add_option("--format", options.format, "table (default), json, csv, graphml, dot or html")
      ->check(CLI::IsMember({"table", "json", "csv", "graphml", "dot", "html"}));
  command.add_option("--output", options.output,
                     "Write to this file instead of standard output; with --format csv and without --csv to two files: "
                     "nodes.csv and links.csv in this directory, or OUTPUT-nodes.csv and OUTPUT-links.csv");
  command.add_option("--csv", options.csv, "With --format csv only this table: nodes or links")
      ->check(CLI::IsMember({"nodes", "links"}));
  command.add_flag("--links", options.has_links, "In the table show the links too");
}

Result<Done> check_output(const Context& context, SurveyOutputOptions& options) {
  if (context.is_json && !options.format.empty() && options.format != "json")
    return Failure{"--json and --format " + options.format + " exclude each other"};
  if (options.format.empty()) options.format = context.is_json ? "json" : options.csv.empty() ? "table" : "csv";
  if (!options.csv.empty() && options.format != "csv") return Failure{"--csv needs --format csv"};
  if (options.has_links && options.format != "table")
    return Failure{"--links needs --format table; other formats have the links anyway"};
  if (!has_two_files(options)) return options.output.empty() ? Result<Done>(Done{}) : check_writable(options.output);
  if (options.output.empty())
    return Failure{
        "--format csv is two tables: choose one with --csv nodes or --csv links, or name a directory or the "
        "begin of two file names with --output"};
  for (const char* table : {"nodes", "links"})
    if (auto checked = check_writable(csv_path(options.output, table)); !checked) return checked;
  return Done{};
}

Result<Done> write_survey(const SurveyResult& result, const SurveyOutputOptions& options) {
  if (!has_two_files(options)) return write_text(options.output, render(result, options));
  const Target nodes(csv_path(options.output, "nodes"));
  const Target links(csv_path(options.output, "links"));
  if (auto written = write(nodes, survey_nodes_csv(result)); !written) return written;
  auto written = write(links, survey_links_csv(result));
  if (written) written = take_name(nodes);
  if (!written) {
    nodes.give_up();
    links.give_up();
    return written;
  }
  return take_name(links);
}

std::string csv_path(const std::string& output, const std::string& table) {
  std::error_code error;
  if (fs::is_directory(output, error)) return (fs::path(output) / (table + ".csv")).string();
  const bool has_ending = output.size() > 4 && output.ends_with(".csv");
  return output.substr(0, output.size() - (has_ending ? 4 : 0)) + "-" + table + ".csv";
}

Result<Done> write_text(const std::string& path, const std::string& text) {
  if (path.empty()) return print(text);
  const Target target(path);
  if (auto written = write(target, text); !written) return written;
  return take_name(target);
}

}  // namespace overlayd::ipc::ctl
