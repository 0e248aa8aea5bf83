#include "tests/support/loki_model.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "tests/support/loki_validation.h"

namespace tideover::test {
namespace {

http::Response answer(int status, const std::string& text) {
  http::Response response;
  response.status = status;
  if (status != 204) response.headers.add("Content-Type", "text/plain; charset=utf-8");
  if (!text.empty()) response.body = text + "\n";
  return response;
}

void add(std::map<std::string, std::uint64_t>& to, const std::map<std::string, std::uint64_t>& from) {
  for (const auto& [reason, entries] : from) to[reason] += entries;
}

// pkg/loghttp/push, with the default of discover_service_name: the first of these that the stream has.
std::string service_of(const LokiPairs& labels) {
  constexpr std::array<std::string_view, 14> kSources{"service",
                                                      "app",
                                                      "application",
                                                      "app_name",
                                                      "name",
                                                      "app_kubernetes_io_name",
                                                      "container",
                                                      "container_name",
                                                      "k8s_container_name",
                                                      "component",
                                                      "workload",
                                                      "job",
                                                      "k8s_job_name",
                                                      "service_name"};
  for (const std::string_view source : kSources)
    for (const auto& [name, value] : labels)
      if (name == source) return value;
  return "unknown_service";
}

// Sorted, without empty ones, with the service: as the streams are called from here on.
LokiPairs normal(LokiPairs labels, const LokiLimits& limits) {
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  const auto has = [&labels](std::string_view name) {
    return std::any_of(labels.begin(), labels.end(), [&](const auto& label) { return label.first == name; });
  };
  if (limits.discover_service_name && !has("service_name"))
    labels.emplace_back("service_name", service_of(labels));
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return labels;
}

}  // namespace

std::size_t LokiModel::ingester_of(const std::string& tenant, const std::string& labels) const {
  std::uint32_t hash = 2'166'136'261;  // any will do, as long as it is the same everywhere
  for (const char c : tenant + labels) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return hash % limits_.ingesters;
}

void LokiModel::restart() { ingesters_.clear(); }

std::size_t LokiModel::streams(const std::string& tenant, std::int64_t now_ns) {
  std::size_t n = 0;
  for (LokiIngester& ingester : ingesters_) n += ingester.streams(tenant, limits_, now_ns);
  return n;
}

void LokiModel::validate(const LokiPairs& labels, const LokiStream& stream, std::int64_t now_ns,
                         Validated& so_far) const {
  if (stream.entries.empty()) return;
  if (auto complaint = loki_refuses_labels(labels, limits_)) {
    so_far.discarded[std::string(complaint->reason)] += stream.entries.size();
    so_far.complaints.push_back(std::move(complaint->text));
    return;
  }
  if (limits_.block_ingestion_status_code != 0) {
    so_far.blocked += stream.entries.size();
    return;
  }
  Valid valid{loki_text_of(labels), {}};
  for (LokiEntry entry : stream.entries) {
    if (limits_.max_line_size_truncate && entry.line.size() > limits_.max_line_size)
      entry.line.resize(limits_.max_line_size);
    if (auto complaint = loki_refuses_entry(entry, valid.labels, limits_, now_ns)) {
      ++so_far.discarded[std::string(complaint->reason)];
      so_far.complaints.push_back(std::move(complaint->text));
    } else {
      valid.entries.push_back(std::move(entry));
    }
  }
  if (!valid.entries.empty()) so_far.streams.push_back(std::move(valid));
}

http::Response LokiModel::push(const std::string& tenant, const LokiPush& push, std::int64_t now_ns) {
  if (tenant.empty()) return answer(401, "no org id");
  if (tenant.find('|') != tenant.npos) return answer(400, "multiple org IDs present");
  std::vector<LokiPairs> labels;
  for (const LokiStream& stream : push) {
    auto parsed = loki_labels_of(stream.labels);
    // The whole push, before anything else is looked at.
    if (!parsed) return answer(400, "couldn't parse labels: 1:1: parse error: unexpected " + stream.labels);
    labels.push_back(normal(*std::move(parsed), limits_));
  }
  if (push.empty()) return answer(422, "error at least one valid stream is required for ingestion");
  Validated validated;
  for (std::size_t i = 0; i < push.size(); ++i) validate(labels[i], push[i], now_ns, validated);
  if (validated.blocked > 0) {
    const int status = limits_.block_ingestion_status_code;
    // distributor.go: with 200 the blocking is no error at all, and what is no error is answered 204; and any
    // validation error takes its place.
    const bool said = status != 200 && validated.complaints.empty();
    (said ? discards_.answered : discards_.silent)["blocked_ingestion"] += validated.blocked;
    add(discards_.answered, validated.discarded);
    if (said)
      return answer(status, fmt::format("ingestion blocked for user {} until '{}' with status code '{}'",
                                        tenant, loki_time(now_ns), status));
  }
  if (validated.streams.empty()) {
    if (validated.blocked == 0) add(discards_.answered, validated.discarded);
    return validated.complaints.empty() ? answer(204, "") : answer(400, loki_grouped(validated.complaints));
  }
  double bytes = 0;
  std::uint64_t lines = 0;
  for (const Valid& stream : validated.streams) {
    lines += stream.entries.size();
    for (const LokiEntry& entry : stream.entries) bytes += static_cast<double>(loki_bytes(entry));
  }
  if (!rates_[tenant].allow(now_ns, bytes, limits_.ingestion_rate, limits_.ingestion_burst)) {
    discards_.answered["rate_limited"] += lines;
    // These have another turn when the push is sent again.
    add(discards_.answered, validated.discarded);
    return answer(
        429,
        fmt::format("ingestion rate limit exceeded for user {} (limit: {} bytes/sec) while attempting to "
                    "ingest '{}' lines totaling '{}' bytes, reduce log volume or contact your Loki "
                    "administrator to see if the limit can be increased",
                    tenant, static_cast<std::uint64_t>(limits_.ingestion_rate), lines,
                    static_cast<std::uint64_t>(bytes)));
  }
  return ingest(tenant, std::move(validated), now_ns);
}

http::Response LokiModel::ingest(const std::string& tenant, Validated validated, std::int64_t now_ns) {
  ingesters_.resize(std::max<std::size_t>(ingesters_.size(), limits_.ingesters));
  struct Said {
    int status = 0;
    std::string text;
    std::map<std::string, std::uint64_t> discarded;
  };
  std::vector<Said> last(limits_.ingesters);
  for (const Valid& stream : validated.streams) {
    const std::size_t at = ingester_of(tenant, stream.labels);
    LokiStreamFate fate = ingesters_[at].push(tenant, stream.labels, stream.entries, limits_, now_ns);
    for (LokiEntry& entry : fate.stored) lines_.push_back({tenant, stream.labels, std::move(entry)});
    discards_.duplicates += fate.duplicates;
    add(discards_.silent, last[at].discarded);  // whatever was said of the stream before is forgotten
    last[at] = {fate.status, std::move(fate.text), std::move(fate.discarded)};
  }
  const Said* heard = nullptr;
  for (const Said& said : last) {
    const bool speaks = said.status != 0 && heard == nullptr;
    add(speaks ? discards_.answered : discards_.silent, said.discarded);
    if (speaks) heard = &said;
  }
  add(heard != nullptr ? discards_.silent : discards_.answered, validated.discarded);
  if (heard != nullptr) return answer(heard->status, heard->text);
  return validated.complaints.empty() ? answer(204, "") : answer(400, loki_grouped(validated.complaints));
}

}  // namespace tideover::test
