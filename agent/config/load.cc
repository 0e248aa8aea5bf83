#include "agent/config/load.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "agent/config/expand.h"
#include "agent/config/rules.h"
#include "agent/config/schema.h"

namespace tideover::config {
namespace {

std::optional<std::string> from_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::string machine_name() {
  char name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(name, HOST_NAME_MAX) != 0 || name[0] == '\0') return "unknown";
  return name;
}

// At most one byte more than a configuration may have, so that an endless file is refused like a long one.
Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(Errc::io_error, fmt::format("cannot be opened: {}", std::strerror(errno)));
  std::string text(kFileBytesMax + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 1;
  while (got != 0 && size < text.size()) {
    got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    size += static_cast<std::size_t>(got);
  }
  const int error = errno;
  ::close(fd);
  if (got < 0) return fail(Errc::io_error, fmt::format("cannot be read: {}", std::strerror(error)));
  text.resize(size);
  return text;
}

// The host name of a pod is the pod's, and another one after each replacement: nobody would find the node by
// it.
void name_node(Config& config, const LoadOptions& options, const Environment& environment, Reader& reader) {
  if (reader.has("node")) return;
  if (environment("KUBERNETES_SERVICE_HOST")) {
    reader.fault(
        {1, 1},
        "the key \"node\" is missing, and under Kubernetes the host name is the pod's, another one after "
        "each "
        "replacement: write node: ${NODE_NAME}, start with --expand-env, and set NODE_NAME in the pod by "
        "valueFrom: {fieldRef: {fieldPath: spec.nodeName}}");
    return;
  }
  config.node = options.host_name.empty() ? machine_name() : options.host_name;
}

// The labels that carry cluster and node are external labels like any other from here on.
void add_own_labels(Config& config, Reader& reader) {
  if (!config.metrics) return;
  Metrics& metrics = *config.metrics;
  const auto add = [&](const char* key, const std::string& label, const std::string& value) {
    if (label.empty() || metrics.external_labels.emplace(label, value).second) return;
    const std::string path = child("metrics", key);
    reader.fault(reader.place(path),
                 fmt::format("{}: the label {} has another value already, from "
                             "metrics.external_labels or its neighbour: name another label",
                             path, in_quotes(label)));
  };
  add("cluster_label", metrics.cluster_label, config.cluster);
  add("node_label", metrics.node_label, config.node);
}

// What could be read of the tree; the faults are the reader's.
Config read_tree(Node& root, const LoadOptions& options, Reader& reader) {
  const Environment environment = options.environment ? options.environment : from_process;
  if (options.expand_env)
    expand(root, environment, reader.faults());
  else
    refuse_expansion(root, reader.faults());
  Config config;
  read_map(reader, &root, "", schema(), config);
  name_node(config, options, environment, reader);
  add_own_labels(config, reader);
  while (config.data_dir.size() > 1 && config.data_dir.ends_with('/')) config.data_dir.pop_back();
  check_rules(config, reader);
  return config;
}

}  // namespace

Loaded parse(std::string_view text, std::string_view name, const LoadOptions& options) {
  Loaded loaded;
  Document document = parse_yaml(text);
  Reader reader;
  if (document.root) {
    const std::size_t in_yaml = document.faults.size();
    Config config = read_tree(*document.root, options, reader);
    if (in_yaml == 0 && reader.faults().empty()) loaded.config = std::move(config);
  }
  loaded.faults = std::move(document.faults);
  std::ranges::move(reader.faults(), std::back_inserter(loaded.faults));
  loaded.report = render(loaded.faults, name, text);
  return loaded;
}

Loaded load(const std::string& path, const LoadOptions& options) {
  auto text = read_file(path);
  Loaded loaded;
  if (text) {
    loaded = parse(*text, path, options);
    loaded.text = std::move(*text);
    return loaded;
  }
  loaded.faults.push_back({{}, text.error().detail});
  loaded.report = render(loaded.faults, path, {});
  return loaded;
}

Config defaults() {
  Config config;
  Reader reader;
  read_map<Config>(reader, nullptr, "", schema(), config);
  return config;
}

std::vector<Named> destinations_of(const Config& config) {
  std::vector<Named> all;
  if (config.metrics)
    for (const Destination& destination : config.metrics->destinations)
      all.push_back({"metrics", &destination});
  if (config.logs)
    for (const Destination& destination : config.logs->destinations) all.push_back({"logs", &destination});
  return all;
}

Size default_max_bytes(Size file_system, Size most) {
  if (file_system.bytes == 0) return most;
  return {std::min(file_system.bytes / 10, most.bytes)};
}

std::uint64_t KeepFree::of(Size file_system) const {
  const double part = static_cast<double>(file_system.bytes) * share.ratio;
  return std::min(static_cast<std::uint64_t>(part), most.bytes);
}

KeepFree keep_free(const Disk& disk, bool kubernetes) {
  constexpr Size kAny{UINT64_MAX};
  if (disk.keep_free) return {*disk.keep_free, kAny};
  return {Percentage{0.2}, kubernetes ? kAny : Size{4ULL << 30}};
}

}  // namespace tideover::config
