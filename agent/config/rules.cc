#include "agent/config/rules.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/config/relabel_rules.h"

namespace tideover::config {
namespace {

struct Listener {
  const char* key;
  const Address* address;
};

// Each against those before it. The fault stands at the one that is written, the later one when both are.
void check_listeners(const Config& config, Reader& reader) {
  std::vector<Listener> listeners = {{"admin.listen", &config.admin.listen}};
  if (config.metrics) listeners.push_back({"metrics.listen", &config.metrics->listen});
  if (config.logs) listeners.push_back({"logs.listen", &config.logs->listen});
  for (std::size_t i = 1; i < listeners.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      Listener at = listeners[i];
      Listener other = listeners[j];
      if (!overlap(*at.address, *other.address)) continue;
      if (!reader.has(at.key)) std::swap(at, other);
      reader.fault(reader.place(at.key),
                   fmt::format("{} {} collides with {} {}: give one of them another port", at.key,
                               print(*at.address), other.key, print(*other.address)));
    }
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

void check_destinations(const std::vector<Destination>& destinations, std::string_view signal,
                        Reader& reader) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const Destination& destination = destinations[i];
    const std::string path = fmt::format("{}.destinations[{}]", signal, i);
    if (!destination.name.empty() && !names.insert(destination.name).second)
      reader.fault(reader.place(child(path, "name")),
                   fmt::format("the name {} is taken by a destination above: each has a cursor of its own",
                               in_quotes(destination.name)));
    check_tls(destination, path, reader);
    check_auth(path, reader);
  }
}

void check_relabelling(const Logs& logs, Reader& reader) {
  for (std::size_t i = 0; i < logs.relabel.size(); ++i) {
    const std::string path = fmt::format("logs.relabel[{}]", i);
    if (const Result<relabel::Rule> rule = compile(logs.relabel[i]); !rule)
      reader.fault(reader.place(path), fmt::format("{}: {}", path, rule.error().detail));
  }
  if (!logs.relabel.empty() && logs.files.empty())
    reader.fault(reader.place("logs.relabel"),
                 "logs.relabel is for lines that are read from files: name them in logs.files, or delete it");
}

}  // namespace

void check_rules(const Config& config, Reader& reader) {
  check_listeners(config, reader);
  if (config.metrics) check_destinations(config.metrics->destinations, "metrics", reader);
  if (!config.logs) return;
  check_destinations(config.logs->destinations, "logs", reader);
  check_relabelling(*config.logs, reader);
}

}  // namespace tideover::config
