#include "agent/cli/status.h"

#include <array>
#include <fmt/format.h>
#include <ostream>
#include <utility>

#include "agent/cli/admin_client.h"
#include "agent/cli/command_line.h"
#include "agent/cli/status_view.h"
#include "agent/config/load.h"
#include "wal/base/clock.h"

namespace tideover::cli {
namespace {

constexpr std::chrono::seconds kPatience{10};

Result<StatusAnswers> ask_all(const AdminTarget& target) {
  StatusAnswers answers;
  const std::array<std::pair<const char*, std::string*>, 5> questions = {
      {{"buildinfo", &answers.buildinfo},
       {"buffer", &answers.buffer},
       {"destinations", &answers.destinations},
       {"ledger", &answers.ledger},
       {"senders", &answers.senders}}};
  for (const auto& [name, body] : questions) {
    auto answer = ask_admin(target, "GET", fmt::format("/api/v1/status/{}", name), kPatience);
    if (!answer) return answer.error();
    if (answer->status == 404 && body == &answers.senders) continue;
    if (answer->status != 200)
      return fail(Errc::bad_input, fmt::format("it answered {} to /api/v1/status/{}", answer->status, name));
    *body = std::move(answer->body);
  }
  return answers;
}

}  // namespace

Result<AdminTarget> find_target(const StatusOptions& options) {
  AdminTarget target;
  if (!options.admin_url.empty()) {
    const auto url = config::parse_url(options.admin_url);
    if (!url || url->https)
      return fail(Errc::bad_input, "tideover: --admin takes an address like http://127.0.0.1:7301\n");
    target.host = url->host;
    target.port = url->port;
    return target;
  }
  std::string data_dir = options.data_dir;
  if (!options.config_path.empty()) {
    auto loaded = config::load(options.config_path, {.expand_env = options.expand_env});
    if (!loaded.config) return fail(Errc::bad_input, std::move(loaded.report));
    data_dir = loaded.config->data_dir;
  }
  if (data_dir.empty()) data_dir = config::defaults().data_dir;
  target.socket_path = data_dir + "/admin.sock";
  return target;
}

std::string no_answer(const AdminTarget& target, const Error& error) {
  std::string out = fmt::format("tideover: no agent answers at {}: {}\n", target.name(), error.detail);
  if (error.code == Errc::connect_failed && !target.socket_path.empty())
    out +=
        "  Is it running, and with this data directory? Only its own user and root may open the socket; "
        "--admin http://127.0.0.1:7301 asks over TCP.\n";
  return out;
}

int status(const StatusOptions& options, std::ostream& out, std::ostream& err) {
  const auto target = find_target(options);
  if (!target) {
    err << target.error().detail;
    return kBadUsage;
  }
  const auto answers = ask_all(*target);
  if (!answers) {
    err << no_answer(*target, answers.error());
    return kFault;
  }
  const double now = static_cast<double>(to_unix_ms(std::chrono::system_clock::now())) / 1000.0;
  const auto text = options.json ? status_json(*answers) : status_table(*answers, now);
  if (!text) {
    err << "tideover: " << text.error().detail << "\n";
    return kFault;
  }
  out << *text;
  return kSuccess;
}

}  // namespace tideover::cli
