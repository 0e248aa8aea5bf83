#include "agent/config/rules.h"

#include <set>

namespace tideover::config {
namespace {

void check_listeners(const Config& config, Reader& reader) {
  if (!overlap(config.admin.listen, config.metrics->listen)) return;
  const bool metrics_written = reader.has("metrics.listen");
  const auto* key = metrics_written ? "metrics.listen" : "admin.listen";
  const auto* other = metrics_written ? "admin.listen" : "metrics.listen";
  reader.fault(reader.place(key),
               fmt::format("{} {} collides with {} {}: give one of them another port", key,
                           print(metrics_written ? config.metrics->listen : config.admin.listen), other,
                           print(metrics_written ? config.admin.listen : config.metrics->listen)));
}

void check_tls(const Destination& destination, const std::string& path, Reader& reader) {
  const std::string tls = child(path, "tls");
  if (!reader.has(tls)) return;
  if (!destination.url.text.empty() && !destination.url.https)
    reader.fault(reader.place(tls),
                 fmt::format("{} has no use with an http URL: write https, or delete it", tls));
  const bool cert = reader.has(child(tls, "cert_file"));
  const bool key = reader.has(child(tls, "key_file"));
  if (cert && !key)
    reader.fault(reader.place(child(tls, "cert_file")),
                 fmt::format("{}.cert_file needs {}.key_file beside it", tls, tls));
  if (key && !cert)
    reader.fault(reader.place(child(tls, "key_file")),
                 fmt::format("{}.key_file needs {}.cert_file beside it", tls, tls));
}

void check_auth(const std::string& path, Reader& reader) {
  const std::string auth = child(path, "auth");
  if (reader.has(child(auth, "bearer_file")) && reader.has(child(auth, "basic")))
    reader.fault(reader.place(child(auth, "basic")),
                 fmt::format("{} has both bearer_file and basic: a request carries one of them", auth));
}

}  // namespace

void check_rules(const Config& config, Reader& reader) {
  if (!config.metrics) return;
  check_listeners(config, reader);
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.metrics->destinations.size(); ++i) {
    const Destination& destination = config.metrics->destinations[i];
    const std::string path = fmt::format("metrics.destinations[{}]", i);
    if (!destination.name.empty() && !names.insert(destination.name).second)
      reader.fault(reader.place(child(path, "name")),
                   fmt::format("the name {} is taken by a destination above: each has a cursor of its own",
                               in_quotes(destination.name)));
    check_tls(destination, path, reader);
    check_auth(path, reader);
  }
}

}  // namespace tideover::config
