#include "bench/subject.h"

#include <fmt/format.h>
#include <fstream>

#include "bench/process.h"

namespace tideover::bench {
namespace {

namespace fs = std::filesystem;

// The rest stands at its defaults. A bench machine's disk may be fuller than a node's should be.
std::string tideover_config(const fs::path& directory, const Subject& subject,
                            const SubjectOptions& options) {
  return fmt::format(R"(cluster: bench
node: bench
data_dir: {}
disk: {{keep_free: 1%}}
admin: {{listen: "127.0.0.1:{}"}}
metrics:
  listen: 127.0.0.1:{}
  max_bytes: {}
  destinations:
    - {{name: sink, url: "http://127.0.0.1:{}/api/v1/write"}}
)",
                     (directory / "data").string(), subject.ready_port, subject.write_port, options.max_bytes,
                     options.sink_port);
}

// Untuned, the queue starts with one shard of 2,000 samples per request and grows as it falls behind. The
// tuned one is what Prometheus' own guide to remote write suggests for throughput: larger requests, more
// room, few shards for few CPUs.
std::string prometheus_config(SubjectKind kind, const SubjectOptions& options) {
  const char* queue =
      kind == SubjectKind::prometheus_tuned
          ? "    queue_config: {capacity: 50000, max_samples_per_send: 10000, max_shards: 4}\n"
          : "";
  const char* message = options.version == remote_write::Version::v2
                            ? "    protobuf_message: io.prometheus.write.v2.Request\n"
                            : "";
  return fmt::format("remote_write:\n  - url: http://127.0.0.1:{}/api/v1/write\n{}{}", options.sink_port,
                     message, queue);
}

}  // namespace

std::string_view name_of(SubjectKind kind) {
  switch (kind) {
    case SubjectKind::tideover: return "tideover";
    case SubjectKind::prometheus: return "prometheus";
    case SubjectKind::prometheus_tuned: return "prometheus-tuned";
  }
  return "";
}

Result<Subject> set_up(SubjectKind kind, const fs::path& directory, const SubjectOptions& options) {
  Subject subject;
  subject.write_target = "/api/v1/write";
  subject.ready_target = "/-/ready";
  subject.write_port = free_port();
  const fs::path config = directory / "config.yaml";
  std::string text;
  if (kind == SubjectKind::tideover) {
    subject.ready_port = free_port();
    subject.command = {options.tideover.string(), "run", "--config", config.string()};
    text = tideover_config(directory, subject, options);
  } else {
    subject.ready_port = subject.write_port;
    subject.command = {options.prometheus.string(),
                       "--agent",
                       "--config.file=" + config.string(),
                       "--storage.agent.path=" + (directory / "data").string(),
                       fmt::format("--web.listen-address=127.0.0.1:{}", subject.write_port),
                       "--web.enable-remote-write-receiver",
                       "--log.level=warn"};
    text = prometheus_config(kind, options);
  }
  std::ofstream file(config);
  file << text;
  file.close();
  if (!file) return fail(Errc::io_error, "cannot write " + config.string());
  return subject;
}

}  // namespace tideover::bench
