#include "agent/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <ostream>
#include <string>

#include "agent/cli/check.h"
#include "agent/cli/status.h"
#include "agent/cli/version_text.h"
#include "agent/config/load.h"

namespace tideover::cli {
namespace {

// A restart in place runs with what the image before it found valid, whatever lies on disk by now.
config::Loaded load_to_run(const RunOptions& options) {
  const config::LoadOptions how{.expand_env = options.expand_env};
  return options.inheritance ? config::parse(options.inheritance->config, options.config_path, how)
                             : config::load(options.config_path, how);
}

int run_command(RunOptions options, const Run& run, std::ostream& err) {
  if (options.only == "secrets") {
    err << "tideover: this version forwards metrics only: there is no part to run for --only secrets\n";
    return kBadUsage;
  }
  options.inheritance = inherit();
  const auto loaded = load_to_run(options);
  if (!loaded.config) {
    err << loaded.report;
    return kBadUsage;
  }
  return run(*loaded.config, options);
}

}  // namespace

int command_line(int argc, const char* const* argv, const Run& run, std::ostream& out, std::ostream& err) {
  CLI::App app{"Tideover keeps what Prometheus writes while the management cluster is away, and replays it.",
               "tideover"};
  app.require_subcommand(1);

  RunOptions run_options;
  auto* run_words = app.add_subcommand(
      "run", "run the agent: exit 0 on a clean stop, 1 on a fault, 2 on bad usage or config");
  run_words->add_option("--config", run_options.config_path, "the configuration file")->required();
  run_words->add_option("--only", run_options.only, "run one part")
      ->check(CLI::IsMember({"telemetry", "secrets"}));
  run_words->add_flag("--expand-env", run_options.expand_env, "replace ${NAME} in values by the environment");

  CheckOptions check_options;
  auto* check_words = app.add_subcommand("check", "judge a configuration, and the node it would run on");
  check_words->add_option("--config", check_options.config_path, "the configuration file")->required();
  check_words->add_flag("--expand-env", check_options.expand_env,
                        "replace ${NAME} in values by the environment");
  check_words->add_flag("--json", check_options.json, "print JSON");
  check_words->add_flag("--offline", check_options.offline, "do not look up or connect to destinations");

  StatusOptions status_options;
  auto* status_words = app.add_subcommand("status", "ask the running agent");
  auto* data_dir = status_words->add_option("--data-dir", status_options.data_dir, "its data directory");
  auto* config = status_words->add_option("--config", status_options.config_path, "its configuration file");
  auto* admin = status_words->add_option("--admin", status_options.admin_url,
                                         "its admin address, http://127.0.0.1:7301");
  data_dir->excludes(config)->excludes(admin);
  config->excludes(admin);
  status_words->add_flag("--expand-env", status_options.expand_env,
                         "replace ${NAME} in the file by the environment");
  status_words->add_flag("--json", status_options.json, "print JSON");

  bool version_json = false;
  auto* version_words = app.add_subcommand("version", "say which build this is");
  version_words->add_flag("--json", version_json, "print JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kSuccess : kBadUsage;
  }
  if (*run_words) return run_command(run_options, run, err);
  if (*check_words) return check(check_options, out, err);
  if (*status_words) return status(status_options, out, err);
  out << version_text(version_json);
  return kSuccess;
}

}  // namespace tideover::cli
