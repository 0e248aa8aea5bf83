#include "agent/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "agent/cli/check.h"
#include "agent/cli/spelling.h"
#include "agent/cli/status.h"
#include "agent/cli/verbs.h"
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
    err << "tideover: this version keeps no secrets yet: there is no part to run for --only secrets\n";
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

std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; }))
    commands.push_back({inner->get_name(), commands_of(*inner)});
  return commands;
}

// Which agent is meant, in the words that all commands share.
void choose_agent(CLI::App& words, StatusOptions& options, CLI::Option* other = nullptr) {
  auto* data_dir = words.add_option("--data-dir", options.data_dir, "its data directory");
  auto* config = words.add_option("--config", options.config_path, "its configuration file");
  data_dir->excludes(config);
  if (other != nullptr) data_dir->excludes(other);
  if (other != nullptr) config->excludes(other);
  words.add_flag("--expand-env", options.expand_env, "replace ${NAME} in the file by the environment");
  words.add_flag("--json", options.json, "print JSON");
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
  auto* admin = status_words->add_option("--admin", status_options.admin_url,
                                         "its admin address, http://127.0.0.1:7301");
  choose_agent(*status_words, status_options, admin);

  VerbOptions verb_options;
  auto* reload_words = app.add_subcommand("reload", "have the agent take the configuration anew");
  choose_agent(*reload_words, verb_options.agent);
  reload_words->add_flag("--leave-backlog", verb_options.leave_backlog,
                         "even when what is not delivered yet would lie where nobody looks for it");
  auto* buffer_words = app.add_subcommand("buffer", "what the agent holds");
  buffer_words->require_subcommand(1);
  const auto verb = [&](const char* name, const char* help) {
    auto* words = buffer_words->add_subcommand(name, help);
    choose_agent(*words, verb_options.agent);
    words->add_option("--signal", verb_options.signal, "of this signal, where several are on");
    return words;
  };
  auto* replay_words = verb("replay-parked", "try at once what is parked or quarantined");
  auto* drop_words = verb("drop-cursor", "give up the backlog of a destination that was removed");
  drop_words->add_option("NAME", verb_options.destination, "the destination")->required();
  auto* rejects_words = verb("rejects", "print what receivers refused for good, and why");
  rejects_words->add_option("NAME", verb_options.destination, "of this destination alone");

  bool version_json = false;
  auto* version_words = app.add_subcommand("version", "say which build this is");
  version_words->add_flag("--json", version_json, "print JSON");
  std::string version_line = version_text(false);
  version_line.pop_back();
  app.set_version_flag("--version", version_line, "say which build this is");

  if (const std::string unknown = unknown_command(commands_of(app), {argv + std::min(argc, 1), argv + argc});
      !unknown.empty()) {
    err << unknown;
    return kBadUsage;
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kSuccess : kBadUsage;
  }
  if (*run_words) return run_command(run_options, run, err);
  if (*check_words) return check(check_options, out, err);
  if (*status_words) return status(status_options, out, err);
  if (*reload_words) return reload(verb_options, out, err);
  if (*replay_words) return replay_parked(verb_options, out, err);
  if (*drop_words) return drop_cursor(verb_options, out, err);
  if (*rejects_words) return rejects(verb_options, out, err);
  out << version_text(version_json);
  return kSuccess;
}

}  // namespace tideover::cli
