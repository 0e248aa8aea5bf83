#include "agent/config/schema.h"

#include <string>
#include <utility>

#include "agent/config/texts.h"

namespace tideover::config {
namespace {

using namespace std::chrono_literals;

constexpr Size operator""_KiB(unsigned long long n) { return {n << 10}; }
constexpr Size operator""_MiB(unsigned long long n) { return {n << 20}; }
constexpr Size operator""_TiB(unsigned long long n) { return {n << 40}; }

constexpr std::string_view kPathWords = "an absolute path";

Complaint complain_external_label(std::string_view name, std::string_view) {
  return complain_label_name(name);
}

Table<Tls> tls_keys() {
  return {
      value("ca_file", &Tls::ca_file,
            {.fallback_words = "the system's authorities",
             .check = complain_file,
             .bounds_words = kPathWords,
             .help = "PEM file with the authorities to trust"}),
      value("cert_file", &Tls::cert_file,
            {.check = complain_file,
             .bounds_words = kPathWords,
             .help = "PEM file with our certificate, for mutual TLS; needs key_file"}),
      value("key_file", &Tls::key_file,
            {.check = complain_secret_file,
             .bounds_words = kPathWords,
             .help = "PEM file with the key of cert_file"}),
      value("server_name", &Tls::server_name,
            {.fallback_words = "the URL's host", .help = "name that the server's certificate must carry"}),
  };
}

Table<BasicAuth> basic_keys() {
  return {
      value("username", &BasicAuth::username, {.required = true, .help = "the user name"}),
      value("password_file", &BasicAuth::password_file,
            {.required = true,
             .check = complain_secret_file,
             .bounds_words = kPathWords,
             .help = "file that holds the password; read again when it changes"}),
  };
}

Table<Auth> auth_keys() {
  return {
      value("bearer_file", &Auth::bearer_file,
            {.check = complain_secret_file,
             .bounds_words = kPathWords,
             .help = "file that holds the bearer token; read again when it changes"}),
      section("basic", &Auth::basic, basic_keys(),
              "HTTP basic authentication; not together with bearer_file"),
  };
}

// What a signal says of the keys that the destinations of all signals have.
struct DestinationWords {
  bool has_window = false;
  std::string_view url;
  std::string_view tenant;
  std::string_view required;
  std::string_view request_max_items_key;
  std::string_view request_max_items;
  std::string_view request_max_bytes_default;
  std::string_view max_bytes_per_second;
};

constexpr DestinationWords kSamples{
    .has_window = true,
    .url = "where samples are sent, the path included",
    .tenant = "sent as the header THANOS-TENANT",
    .required =
        "true: its backlog may fill the buffer, and new samples are then refused; false: it loses its "
        "oldest instead, counted",
    .request_max_items_key = "request_max_samples",
    .request_max_items =
        "the largest request, in samples; below the default also for what came in a larger one",
    .request_max_bytes_default = "3MiB",
    .max_bytes_per_second =
        "the most that is sent in a second, compressed; keep it above the rate at which samples come in, or "
        "the buffer fills",
};
constexpr DestinationWords kLines{
    .url = "where lines are sent, the path included",
    .tenant = "sent as the header X-Scope-OrgID",
    .required =
        "true: its backlog may fill the buffer, and new lines are then refused; false: it loses its "
        "oldest instead, counted",
    .request_max_items_key = "request_max_lines",
    .request_max_items =
        "the largest request, in lines; below the default also for what came in a larger one",
    .request_max_bytes_default = "1MiB",
    .max_bytes_per_second =
        "the most that is sent in a second, compressed; keep it above the rate at which lines come in, or "
        "the "
        "buffer fills",
};

Key<Destination> window_key() {
  return value(
      "out_of_order_window", &Destination::out_of_order_window,
      {.min = 0ms,
       .max = 720h,
       .help = "what the receiver accepts (Thanos: --tsdb.out-of-order.time-window); check compares it with "
               "the guarantee"});
}

Table<Destination> destination_keys(const DestinationWords& of) {
  Table<Destination> keys = {
      value("name", &Destination::name,
            {.required = true,
             .check = complain_destination_name,
             .bounds_words = "1 to 40 of a-z, 0-9, -",
             .help = "names the durable cursor: the url may change and the backlog stays"}),
      value("url", &Destination::url,
            {.required = true, .bounds_words = "http or https, no user name or password", .help = of.url}),
      value("tenant", &Destination::tenant, {.help = of.tenant}),
      value("required", &Destination::required, {.fallback = "true", .help = of.required}),
      choice("from", &Destination::from, {{"now", From::now}, {"oldest", From::oldest}},
             {.fallback = "now", .help = "where a destination begins that the buffer does not know yet"}),
      value("request_timeout", &Destination::request_timeout,
            {.fallback = "30s",
             .min = 1s,
             .max = 10min,
             .help =
                 "how long a request may take, from its first byte to the whole answer; what is not answered "
                 "in time is sent again, in smaller requests"}),
      value(std::string(of.request_max_items_key), &Destination::request_max_items,
            {.fallback = "10000", .min = Count{1}, .max = Count{100'000}, .help = of.request_max_items}),
      value("request_max_bytes", &Destination::request_max_bytes,
            {.fallback = of.request_max_bytes_default,
             .min = 16_KiB,
             .max = 32_MiB,
             .help = "the largest request, in bytes before compression"}),
      value("max_bytes_per_second", &Destination::max_bytes_per_second,
            {.fallback_words = "no limit", .min = 4_KiB, .max = 64_TiB, .help = of.max_bytes_per_second}),
      pairs("headers", &Destination::headers,
            {.max = 16,
             .check = complain_header,
             .bounds_words = "not those of the protocol, nor credentials",
             .help = "further headers of every request"}),
      section("tls", &Destination::tls, tls_keys(), "only for https"),
      section("auth", &Destination::auth, auth_keys(), "credentials come from files only"),
  };
  if (of.has_window) keys.insert(keys.begin() + 5, window_key());
  return keys;
}

Table<Metrics> metrics_keys() {
  return {
      value("listen", &Metrics::listen,
            {.fallback = "127.0.0.1:7302",
             .help = "where Prometheus writes: POST /api/v1/write, also /api/v1/receive"}),
      value("max_bytes", &Metrics::max_bytes,
            {.fallback_words = "10% of data_dir's file system, at most 4GiB",
             .min = 1_MiB,
             .max = 64_TiB,
             .help =
                 "disk that samples may use; beyond it Prometheus is asked to wait (503) and loses nothing"}),
      value("cluster_label", &Metrics::cluster_label,
            {.check = complain_label_name,
             .bounds_words = "letters, digits, _",
             .help = "name of an external label with the value of cluster; none without it"}),
      value("node_label", &Metrics::node_label,
            {.check = complain_label_name,
             .bounds_words = "letters, digits, _",
             .help = "the same with the value of node"}),
      pairs("external_labels", &Metrics::external_labels,
            {.max = 32,
             .check = complain_external_label,
             .bounds_words = "letters, digits, _",
             .help = "added to every series that does not have them, when it is sent"}),
      list_of("destinations", &Metrics::destinations, destination_keys(kSamples),
              {.max = 8, .help = "receivers of remote write; each has its own place in the buffer"}),
  };
}

// As Prometheus has them (relabel_config); rules.cc tries whether they make sense.
Table<Relabel> relabel_keys() {
  return {
      texts("source_labels", &Relabel::source_labels, {.max = 32, .help = "whose values are joined"}),
      value("separator", &Relabel::separator,
            {.fallback = ";", .help = "what stands between them", .may_be_empty = true}),
      value("regex", &Relabel::regex,
            {.fallback = "(.*)", .help = "RE2, matched against the whole of them", .may_be_empty = true}),
      value("modulus", &Relabel::modulus,
            {.min = Count{1}, .max = Count{1ULL << 32}, .help = "of hashmod, which needs it"}),
      value("target_label", &Relabel::target_label, {.help = "the label that is set"}),
      value("replacement", &Relabel::replacement,
            {.fallback = "$1",
             .help = "what it is set to; $1, ${name}: groups of regex",
             .may_be_empty = true}),
      value("action", &Relabel::action,
            {.fallback = "replace",
             .bounds_words =
                 "replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, "
                 "lowercase, uppercase",
             .help = "what the rule does; keep and drop are about whole streams"}),
  };
}

Table<Logs> logs_keys() {
  return {
      texts("files", &Logs::files,
            {.max = 1,
             .check = complain_log_files,
             .bounds_words = "DIRECTORY/*/*/*.log",
             .help = "the logs of pods, as kubelet lays them out: /var/log/pods/*/*/*.log; nothing is read "
                     "without"}),
      list_of(
          "relabel", &Logs::relabel, relabel_keys(),
          {.max = 100,
           .help =
               "of lines that are read from files: labels namespace, pod, container, stream, node, cluster, "
               "job, and __meta_kubernetes_* as Promtail has them",
           .required = false}),
      value("listen", &Logs::listen,
            {.fallback = "127.0.0.1:7303", .help = "where clients push lines: POST /loki/api/v1/push"}),
      value("max_bytes", &Logs::max_bytes,
            {.fallback_words = "10% of data_dir's file system, at most 2GiB",
             .min = 1_MiB,
             .max = 64_TiB,
             .help = "disk that lines may use; beyond it clients are asked to wait (503)"}),
      list_of("destinations", &Logs::destinations, destination_keys(kLines),
              {.max = 8, .help = "receivers of Loki's push API; each has its own place in the buffer"}),
  };
}

Table<Config> config_keys() {
  return {
      value("cluster", &Config::cluster,
            {.required = true,
             .help =
                 "name of the cluster: in the first line of the log, in status and in tideover_build_info"}),
      value("node", &Config::node,
            {.fallback_words = "the host name; none under Kubernetes",
             .help = "name of the node, shown where the cluster is"}),
      value("data_dir", &Config::data_dir,
            {.fallback = "/var/lib/tideover",
             .check = complain_data_dir,
             .bounds_words = "an absolute path of at most 96 bytes",
             .help = "directory of the buffer and of admin.sock; nobody else's"}),
      value("guarantee", &Config::guarantee,
            {.fallback = "2h42m",
             .min = 1min,
             .max = 168h,
             .help = "outage that the buffer promises to survive"}),
      section(
          "disk", &Config::disk,
          {value(
              "keep_free", &Disk::keep_free,
              {.fallback_words = "20%; beside Kubernetes at most 4GiB",
               .min = Percentage{0},
               .max = Percentage{0.9},
               .help = "part of the file system that no backlog uses; below it samples flow on while their "
                       "receiver takes them, and 32MiB may wait for it. Kubelet evicts images at 15% "
                       "free"})},
          "the file system of data_dir"),
      section("memory", &Config::memory,
              {value("limit", &Memory::limit,
                     {.fallback_words = "the cgroup's limit",
                      .min = 64_MiB,
                      .max = 1_TiB,
                      .help = "memory that the agent plans with"})},
              "the memory of the process"),
      section("admin", &Config::admin,
              {value("listen", &Admin::listen,
                     {.fallback = "127.0.0.1:7301",
                      .help = "read-only: /metrics, /-/healthy, /-/ready, /api/v1/status/*"})},
              "what operators and Prometheus read"),
      section("metrics", &Config::metrics, metrics_keys(), "Prometheus remote write"),
      section("logs", &Config::logs, logs_keys(), "lines of logs: from files, and by Loki's push API"),
      section("log", &Config::log,
              {choice("format", &Log::format, {log::kFormats.begin(), log::kFormats.end()},
                      {.fallback = "logfmt", .help = "one line per event, on standard error"}),
               choice("level", &Log::level, {log::kLevels.begin(), log::kLevels.end()},
                      {.fallback = "info", .help = "the least important events to write"})},
              "the agent's own log"),
      not_yet<Config>("secrets", "this version keeps no secrets yet: delete the section secrets"),
  };
}

}  // namespace

const Table<Config>& schema() {
  static const Table<Config> table = config_keys();
  return table;
}

}  // namespace tideover::config
