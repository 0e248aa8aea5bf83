#include "agent/log_files.h"

#include <utility>

#include "agent/config/relabel_rules.h"
#include "agent/log/log.h"
#include "agent/tail/posix_files.h"
#include "wal/base/thread_worker.h"

namespace tideover {
namespace {

LogFiles::Ports or_real(LogFiles::Ports ports, const SignalParts& parts) {
  if (!ports.files) ports.files = std::make_shared<tail::PosixFiles>();
  if (!ports.worker) ports.worker = std::make_shared<ThreadWorker>("logs-read", parts.io.get_executor());
  return ports;
}

tail::SpoolOptions options_of(const config::Logs& config, const Settings& settings, LaneId lane) {
  tail::SpoolOptions options;
  options.lane = lane;
  options.sweep.discovery.pods_directory = config::directory_of_logs(config.files.front());
  options.sweep.open_files_max = settings.log_files_open;
  options.on_note = [](const std::string& sentence) {
    log::event(log::Level::warn, sentence, {{"signal", "logs"}});
  };
  return options;
}

}  // namespace

LogFiles::LogFiles(const SignalParts& parts, const config::Logs& config, LaneId lane, Ports ports)
    : ports_(or_real(std::move(ports), parts)),
      spool_(parts.queue, *ports_.files, *ports_.worker, parts.clock,
             tail::StreamLabels(parts.config.node, parts.config.cluster, config::compile_all(config.relabel)),
             options_of(config, parts.settings, lane)) {}

}  // namespace tideover
