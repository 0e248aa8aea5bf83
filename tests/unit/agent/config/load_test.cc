// What an operator gets from a file: a Config, or every fault at its place.
#include "agent/config/load.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <unistd.h>

namespace tideover::config {
namespace {

using namespace std::chrono_literals;

const std::string kSmall = R"(cluster: app1
metrics:
  destinations:
    - name: thanos
      url: http://thanos-receive.mgmt:19291/api/v1/receive
)";

std::string report_of(const std::string& text, const LoadOptions& options = {}) {
  const auto loaded = parse(text, "t.yaml", options);
  CHECK_FALSE(loaded.config);
  return loaded.report;
}

Config good(const std::string& text, const LoadOptions& options = {}) {
  auto loaded = parse(text, "t.yaml", options);
  INFO(loaded.report);
  REQUIRE(loaded.config);
  CHECK(loaded.faults.empty());
  return *loaded.config;
}

std::string with_destination(const std::string& lines) { return kSmall + lines; }

TEST_CASE("the smallest file gets every default") {
  const Config config = good(kSmall, {.host_name = "node-7"});
  CHECK(config.cluster == "app1");
  CHECK(config.node == "node-7");
  CHECK(config.data_dir == "/var/lib/tideover");
  CHECK(config.guarantee == 2h + 42min);
  CHECK_FALSE(config.disk.keep_free);
  CHECK(keep_free(config.disk, true).share.ratio == Approx(0.2));
  CHECK_FALSE(config.memory.limit);
  CHECK(config.admin.listen == Address{"127.0.0.1", 7301});
  CHECK(config.log.format == log::Format::logfmt);
  CHECK(config.log.level == log::Level::info);
  REQUIRE(config.metrics);
  CHECK(config.metrics->listen == Address{"127.0.0.1", 7302});
  CHECK_FALSE(config.metrics->max_bytes);
  REQUIRE(config.metrics->destinations.size() == 1);
  const Destination& destination = config.metrics->destinations[0];
  CHECK(destination.required);
  CHECK(destination.from == From::now);
  CHECK_FALSE(destination.out_of_order_window);
  CHECK_FALSE(destination.auth.basic);
  CHECK(destination.tenant.empty());
}

TEST_CASE("a file that uses every key is read as written") {
  const Config config = good(R"(
cluster: app1
node: n1
data_dir: /data
guarantee: 4h
disk: {keep_free: 12.5%}
memory: {limit: 128MiB}
admin: {listen: "[::1]:1"}
metrics:
  listen: 0.0.0.0:2
  max_bytes: 4GiB
  external_labels: {cluster: app1, replica: "0"}
  destinations:
    - name: thanos
      url: https://thanos/api/v1/receive
      tenant: app1
      required: false
      from: oldest
      out_of_order_window: 4h
      headers: {X-Team: obs}
      tls: {ca_file: /ca, cert_file: /cert, key_file: /key, server_name: thanos.mgmt}
      auth: {basic: {username: u, password_file: /p}}
    - {name: b, url: "http://b", auth: {bearer_file: /t}}
log: {format: json, level: warn}
)");
  CHECK(config.node == "n1");
  CHECK(config.data_dir == "/data");
  CHECK(config.guarantee == 4h);
  CHECK(config.disk.keep_free->ratio == Approx(0.125));
  CHECK(config.memory.limit->bytes == 128ULL << 20);
  CHECK(config.admin.listen == Address{"::1", 1});
  CHECK(config.log.format == log::Format::json);
  CHECK(config.log.level == log::Level::warn);
  REQUIRE(config.metrics);
  CHECK(config.metrics->listen == Address{"0.0.0.0", 2});
  CHECK(config.metrics->max_bytes->bytes == 4ULL << 30);
  CHECK(config.metrics->external_labels ==
        std::map<std::string, std::string>{{"cluster", "app1"}, {"replica", "0"}});
  REQUIRE(config.metrics->destinations.size() == 2);
  const Destination& d = config.metrics->destinations[0];
  CHECK(d.name == "thanos");
  CHECK(d.url.text == "https://thanos/api/v1/receive");
  CHECK(d.tenant == "app1");
  CHECK_FALSE(d.required);
  CHECK(d.from == From::oldest);
  CHECK(d.out_of_order_window == Milliseconds(4h));
  CHECK(d.headers == std::map<std::string, std::string>{{"X-Team", "obs"}});
  CHECK(d.tls.ca_file == "/ca");
  CHECK(d.tls.cert_file == "/cert");
  CHECK(d.tls.key_file == "/key");
  CHECK(d.tls.server_name == "thanos.mgmt");
  REQUIRE(d.auth.basic);
  CHECK(d.auth.basic->username == "u");
  CHECK(d.auth.basic->password_file == "/p");
  CHECK(config.metrics->destinations[1].auth.bearer_file == "/t");
}

TEST_CASE("a signal without its section is off") { CHECK_FALSE(good("cluster: app1").metrics); }

TEST_CASE("every fault of a file is reported at once, in its order, as the golden file has it") {
  const std::filesystem::path folder = std::filesystem::path(TIDEOVER_SOURCE_DIR) / "tests/golden/config";
  const auto read = [](const std::filesystem::path& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto report = report_of(read(folder / "faults.yaml"));
  if (std::getenv("TIDEOVER_UPDATE_GOLDEN") != nullptr) std::ofstream(folder / "faults.txt") << report;
  CHECK(report == read(folder / "faults.txt"));
}

TEST_CASE("a fault reads like a compiler's: place, sentence, line and caret") {
  CHECK(report_of("cluster: app1\nguarantee:  90\n") ==
        "t.yaml:2:13: guarantee: \"90\" is not a duration: write 2h42m, 30s or 500ms\n"
        "    2 | guarantee:  90\n"
        "      |             ^\n");
}

TEST_CASE("the caret stands below its character behind tabs and letters of several bytes") {
  CHECK(report_of("cluster: a\nlog:\t{level: \xc3\xbc\xc3\xbc, format: x}\n")
            .ends_with("      |     \t                    ^\n"));
}

TEST_CASE("a key mistyped is not reported as missing too") {
  const auto report = report_of("clutser: app1\n");
  CHECK(report.find("did you mean \"cluster\"?") != std::string::npos);
  CHECK(report.find("missing") == std::string::npos);
}

TEST_CASE("an unknown key that resembles nothing lists what there is") {
  CHECK(
      report_of("cluster: a\nadmin: {xyzzy: 1}\n").find("unknown key \"xyzzy\" in admin: it takes listen") !=
      std::string::npos);
}

TEST_CASE("a value that is missing is a fault where its key stands") {
  CHECK(report_of("cluster: a\ndata_dir:\nnode: b\n") ==
        "t.yaml:2:1: data_dir has no value: write one value, or delete the key\n"
        "    2 | data_dir:\n"
        "      | ^\n");
}

TEST_CASE("a merge key is named as what it is") {
  CHECK(report_of("cluster: a\n<<: {node: b}\n").find("t.yaml:2:1: merge keys (<<) are not supported") !=
        std::string::npos);
}

TEST_CASE("a key that is missing is named with what it is for") {
  CHECK(report_of("cluster: a\nmetrics: {destinations: [{name: x}]}\n")
            .find("the key \"url\" is missing in metrics.destinations[0]: where samples") !=
        std::string::npos);
  CHECK(report_of("cluster: a\nmetrics:\n").find("\"destinations\" is missing in metrics") !=
        std::string::npos);
  CHECK(report_of("cluster: a\nmetrics: {destinations: []}\n").find("takes at least one") !=
        std::string::npos);
  CHECK(report_of("").find("\"cluster\" is missing") != std::string::npos);
  CHECK(report_of("# only a comment\n").find("\"cluster\" is missing") != std::string::npos);
}

TEST_CASE("a value where keys belong, and keys where a value belongs, are named") {
  CHECK(report_of("cluster: {a: b}\n").find("cluster is keys with values here: it takes one value") !=
        std::string::npos);
  CHECK(report_of("cluster: a\nadmin: 7301\n").find("admin is one value here: it takes keys with values") !=
        std::string::npos);
  CHECK(report_of("- a\n").find("the file is a list here") != std::string::npos);
  CHECK(report_of("cluster: a\ndata_dir:\n").find("data_dir has no value") != std::string::npos);
  CHECK(report_of("cluster: \"\"\n").find("cluster is empty") != std::string::npos);
  CHECK(report_of("cluster: \"a\\nb\"\n").find("line break") != std::string::npos);
}

TEST_CASE("sections of parts that this version lacks say so") {
  CHECK(report_of("cluster: a\nsecrets: {listen: x}\n").find("this version keeps no secrets yet") !=
        std::string::npos);
}

TEST_CASE("which files are read, and how their lines are relabelled, is held to what there is") {
  const std::string least =
      "cluster: a\nnode: n\nlogs:\n  destinations: [{name: loki, url: 'http://l:1/x'}]\n";
  const auto report = [&](const std::string& logs) { return report_of(least + logs); };
  const auto says = [&](const std::string& logs, const std::string& words) {
    CAPTURE(logs, report(logs));
    CHECK(report(logs).find(words) != std::string::npos);
  };
  const std::string files = "  files: [/var/log/pods/*/*/*.log]\n";
  CHECK(good(least + files).logs->files == std::vector<std::string>{"/var/log/pods/*/*/*.log"});
  const Config rules = good(least + files +
                            "  relabel:\n    - {source_labels: [namespace], regex: kube-.*, action: drop}\n"
                            "    - {source_labels: [pod, container], separator: '', target_label: both}\n"
                            "    - {regex: pod, action: labeldrop}\n");
  REQUIRE(rules.logs->relabel.size() == 3);
  CHECK(rules.logs->relabel[1].source_labels == std::vector<std::string>{"pod", "container"});
  CHECK(rules.logs->relabel[1].separator.empty());
  CHECK(rules.logs->relabel[1].replacement == "$1");
  for (const char* pattern : {"/var/log/*.log", "pods/*/*/*.log", "/*/*/*.log", "/var/log/p*/*/*/*.log"})
    says(std::string("  files: ['") + pattern + "']\n", "is not understood");
  says("  files: /var/log/pods/*/*/*.log\n", "logs.files is one value here");
  says("  files: [/a/*/*/*.log, /b/*/*/*.log]\n", "logs.files has 2 entries");
  says(files + "  relabel: [{action: explode}]\n", "logs.relabel[0]: ");
  says(files + "  relabel: [{target_label: x}, {regex: '(', target_label: x}]\n", "logs.relabel[1]: ");
  says(files + "  relabel: [{action: hashmod, target_label: x}]\n", "needs a modulus");
  says("  relabel: [{source_labels: [a], target_label: b}]\n", "is for lines that are read from files");
}

TEST_CASE("listeners of all signals are held apart, names only within a signal") {
  const auto both = [](const std::string& metrics, const std::string& logs) {
    return "cluster: a\nmetrics:\n  destinations: [{name: mgmt, url: 'http://m:1/x'}]\n" + metrics +
           "logs:\n  destinations: [{name: mgmt, url: 'http://l:1/x'}]\n" + logs;
  };
  CHECK(destinations_of(good(both("", ""))).size() == 2);  // one name, two signals
  CHECK(report_of(both("", "  listen: 127.0.0.1:7302\n"))
            .find("logs.listen 127.0.0.1:7302 collides with metrics.listen") != std::string::npos);
  CHECK(report_of(both("  listen: 0.0.0.0:7303\n", ""))
            .find("metrics.listen 0.0.0.0:7303 collides with logs.listen") != std::string::npos);
  CHECK(report_of(both("", "  listen: 127.0.0.1:7301\n"))
            .find("logs.listen 127.0.0.1:7301 collides with admin.listen") != std::string::npos);
  CHECK(report_of(
            "cluster: a\nlogs:\n  destinations: [{name: l, url: 'http://l'}, {name: l, url: 'http://l'}]\n")
            .find("the name \"l\" is taken") != std::string::npos);
}

TEST_CASE("a bound is part of the error") {
  CHECK(report_of("cluster: a\nguarantee: 30s\n").find("30s is below the least allowed, 1m") !=
        std::string::npos);
  CHECK(report_of("cluster: a\ndisk: {keep_free: 91%}\n").find("91% is above the most allowed, 90%") !=
        std::string::npos);
  CHECK(report_of("cluster: a\nmemory: {limit: 1MiB}\n").find("1MiB is below the least allowed, 64MiB") !=
        std::string::npos);
}

TEST_CASE("two destinations cannot share a name, since it names the cursor") {
  const auto report = report_of(with_destination("    - {name: thanos, url: \"http://other\"}\n"));
  CHECK(report.starts_with("t.yaml:6:8: the name \"thanos\" is taken"));
}

TEST_CASE("a certificate needs its key, a key its certificate, and both need https") {
  CHECK(report_of(with_destination("      tls: {ca_file: /a}\n")).find("no use with an http URL") !=
        std::string::npos);
  const std::string https = "cluster: a\nmetrics: {destinations: [{name: x, url: \"https://x\", tls: {";
  CHECK(report_of(https + "cert_file: /c}}]}\n").find("tls.cert_file needs") != std::string::npos);
  CHECK(report_of(https + "key_file: /k}}]}\n").find("tls.key_file needs") != std::string::npos);
  CHECK(good(https + "cert_file: /c, key_file: /k}}]}\n").metrics);
}

TEST_CASE("a request carries one kind of credential") {
  CHECK(
      report_of(with_destination("      auth: {bearer_file: /t, basic: {username: u, password_file: /p}}\n"))
          .find("carries one of them") != std::string::npos);
}

TEST_CASE("two listeners on one address are refused, port 0 excepted") {
  const auto two = [](const std::string& admin, const std::string& metrics) {
    return parse("cluster: a\nadmin: {listen: '" + admin + "'}\nmetrics: {listen: '" + metrics +
                     "', destinations: [{name: x, url: 'http://x'}]}\n",
                 "t.yaml");
  };
  CHECK_FALSE(two("127.0.0.1:1", "127.0.0.1:1").config);
  CHECK_FALSE(two("0.0.0.0:1", "127.0.0.1:1").config);
  CHECK_FALSE(two("127.0.0.1:1", "[::]:1").config);
  CHECK_FALSE(two("[::ffff:127.0.0.1]:1", "127.0.0.1:1").config);
  CHECK(two("127.0.0.1:1", "127.0.0.2:1").config);
  CHECK(two("127.0.0.1:1", "127.0.0.1:2").config);
  CHECK(two("127.0.0.1:0", "127.0.0.1:0").config);
}

TEST_CASE("variables are replaced only when asked for") {
  const std::string text = "cluster: ${CLUSTER}\nnode: a-${N}-b${N}\n";
  CHECK(report_of(text).find("--expand-env") != std::string::npos);
  const LoadOptions options{.expand_env = true,
                            .environment = [](const std::string& name) -> std::optional<std::string> {
                              if (name == "CLUSTER") return "app1";
                              if (name == "N") return "${N}";
                              return std::nullopt;
                            }};
  const Config config = good(text, options);
  CHECK(config.cluster == "app1");
  CHECK(config.node == "a-${N}-b${N}");  // what a variable holds is not expanded again
}

TEST_CASE("a variable that is not set, or not closed, is a fault") {
  const LoadOptions options{.expand_env = true,
                            .environment = [](const std::string&) { return std::nullopt; }};
  CHECK(report_of("cluster: ${NOPE}\n", options).find("no variable NOPE") != std::string::npos);
  CHECK(report_of("cluster: ${NOPE\n", options).find("write ${NAME}") != std::string::npos);
  CHECK(report_of("cluster: '${a b}'\n", options).find("write ${NAME}") != std::string::npos);
}

TEST_CASE("under Kubernetes a node without a name is a fault that says how to name it") {
  LoadOptions options{.environment = [](const std::string& name) -> std::optional<std::string> {
                        if (name == "KUBERNETES_SERVICE_HOST") return "10.0.0.1";
                        if (name == "NODE_NAME") return "worker-7";
                        return std::nullopt;
                      },
                      .host_name = "tideover-x7k2p"};
  const auto report = report_of("cluster: a\n", options);
  for (const char* words : {"t.yaml:1:1: the key \"node\" is missing", "node: ${NODE_NAME}", "--expand-env",
                            "fieldPath: spec.nodeName"})
    CHECK(report.find(words) != std::string::npos);
  CHECK(good("cluster: a\nnode: n\n", options).node == "n");
  options.expand_env = true;
  CHECK(good("cluster: a\nnode: ${NODE_NAME}\n", options).node == "worker-7");
}

TEST_CASE(
    "cluster and node are labels of every series where the file names the labels, and win over nothing") {
  const auto labels = [](const std::string& lines) {
    return "cluster: app1\nnode: n7\nmetrics:\n" + lines + "  destinations: [{name: x, url: 'http://x'}]\n";
  };
  const std::string both = "  cluster_label: cluster\n  node_label: instance_node\n";
  CHECK(good(labels(both)).metrics->external_labels ==
        std::map<std::string, std::string>{{"cluster", "app1"}, {"instance_node", "n7"}});
  CHECK(good(labels("")).metrics->external_labels.empty());
  for (const char* other : {"  external_labels: {cluster: other}\n  cluster_label: cluster\n",
                            "  cluster_label: where\n  node_label: where\n"})
    CHECK(report_of(labels(other)).find("has another value already") != std::string::npos);
  CHECK(report_of(labels("  node_label: __name__\n")).find("reserved") != std::string::npos);
}

TEST_CASE("what a variable holds can add no keys and is not shown in faults") {
  const LoadOptions options{.expand_env = true,
                            .environment = [](const std::string&) { return "1s\nnode: evil-content"; }};
  const auto report = report_of("cluster: a\nguarantee: ${G}\n", options);
  CHECK(report.find("evil-content") == std::string::npos);
  const LoadOptions plain{.expand_env = true,
                          .environment = [](const std::string&) { return "evil-content"; }};
  const auto second = report_of("cluster: a\nguarantee: ${G}\n", plain);
  CHECK(second.find("evil-content") == std::string::npos);
  CHECK(second.find("the value of \"${G}\" is not a duration") != std::string::npos);
}

TEST_CASE("a line that may hold a credential is not shown") {
  const auto report = report_of(
      "cluster: a\nmetrics: {destinations: [{name: x, url: 'http://u:hunter2@x'}]}\n"
      "password: hunter2\n");
  CHECK(report.find("hunter2") == std::string::npos);
  CHECK(report.find("t.yaml:3:1: unknown key \"password\"") != std::string::npos);
}

TEST_CASE("whatever is wrong elsewhere in its line or block, a header's value is not shown") {
  for (const char* text :
       {"cluster: a\nmetrics:\n  destinations:\n    - name: x\n      headers:\n        X-License-Key: "
        "\"hunter2\n",
        "cluster: a\nmetrics:\n  destinations:\n    - headers:\n        X-A: b\n        X-A: hunter2\n",
        "cluster: a\nmetrics: {destinations: [{name: x, headers: {X-A: hunter2}, bogus: 1}]}\n",
        "cluster: a\nmetrics: {destinations: [{headers: {\nX-A: hunter2, X-A: hunter2}}]}\n",
        "cluster: a\nmetrics:\n  destinations:\n    - url: http://x/?key=hunter2\n      url: "
        "'http://x/?key=hunter2'\n",
        "cluster: a\nmetrics:\n  destinations:\n    - url:\n        http://x/?key=hunter2#y\n",
        "cluster: a\nlicense_key: hunter2\n", "cluster: a\npasword: hunter2\n",
        "cluster: a\nbearer_token: hunter2\n"}) {
    INFO(text);
    CHECK(report_of(text).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("a token in the place of its file is refused, and shown nowhere") {
  for (const char* auth :
       {"      auth: {bearer_file: eyJh.SECRET}\n", "      auth: {bearer_file: \"eyJh.SECRET\", bogus: 1}\n",
        "      auth:\n        bearer_file:\n          eyJh.SECRET\n",
        "      auth:\n        bearer_file: |\n          eyJh.SECRET\n",
        "      auth: {basic: {username: u, password_file: SECRET}}\n"}) {
    const auto report = report_of(with_destination(auth));
    INFO(report);
    CHECK(report.find("SECRET") == std::string::npos);
    CHECK(report.find("_file") != std::string::npos);
  }
  CHECK(report_of(with_destination("      auth: {bearer_file: x}\n"))
            .find("the credential itself does not belong") != std::string::npos);
}

TEST_CASE("a line that names the file of a credential is shown: the path is no secret") {
  const auto report =
      report_of(with_destination("      auth: {bearer_file: /etc/tideover/mgmt, bogus: 1}\n"));
  CHECK(report.find("| ") != std::string::npos);
}

TEST_CASE("data_dir is one directory, wherever the agent is started, with room for the socket's name") {
  const auto why = [](const std::string& dir) { return report_of("cluster: a\ndata_dir: '" + dir + "'\n"); };
  CHECK(why("data").find("t.yaml:2:11: data_dir: \"data\" is not an absolute path") != std::string::npos);
  CHECK(why("~/tideover").find("nothing replaces \"~\"") != std::string::npos);
  for (const char* root : {"/", "//", "/.", "/a/.."})
    CHECK(why(root).find("root of the file system") != std::string::npos);
  CHECK(why("/" + std::string(96, 'd')).find("has 97 bytes, and at most 96 are possible") !=
        std::string::npos);
  CHECK(good("cluster: a\ndata_dir: /" + std::string(95, 'd') + "\n").data_dir.size() == 96);
  CHECK(good("cluster: a\ndata_dir: /var/lib/tideover//\n").data_dir == "/var/lib/tideover");
}

TEST_CASE("faults beyond fifty are counted") {
  std::string text = "cluster: a\n";
  for (int i = 0; i < 60; ++i) text += "wrong_key_number_" + std::to_string(i) + ": 1\n";
  CHECK(report_of(text).ends_with("t.yaml: and 10 more errors\n"));
}

TEST_CASE("a file that cannot be read is one sentence with the system's words") {
  const auto missing = load("/nonexistent/tideover.yaml");
  CHECK(missing.report == "/nonexistent/tideover.yaml: cannot be opened: No such file or directory\n");
  const auto folder = load("/tmp");
  CHECK(folder.report == "/tmp: cannot be read: Is a directory\n");
}

TEST_CASE("a file that comes in pieces is read whole") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::thread writer([&ends] {  // more than a pipe holds
    const std::string text = "# " + std::string(200'000, 'x') + "\n" + kSmall;
    CHECK(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
  });
  const auto loaded = load("/proc/self/fd/" + std::to_string(ends[0]));
  writer.join();
  ::close(ends[0]);
  INFO(loaded.report);
  REQUIRE(loaded.config);
  CHECK(loaded.config->cluster == "app1");
}

TEST_CASE("an endless file is refused, not read") {
  CHECK(load("/dev/zero").report.find("larger than 1048576 bytes") != std::string::npos);
}

TEST_CASE("the default budget is a tenth of the file system, at most 4 GiB") {
  CHECK(default_max_bytes({40ULL << 30}, kMostForMetrics).bytes == 4ULL << 30);
  CHECK(default_max_bytes({1ULL << 40}, kMostForMetrics).bytes == 4ULL << 30);
  CHECK(default_max_bytes({1000}, kMostForMetrics).bytes == 100);
  CHECK(default_max_bytes({0}, kMostForMetrics).bytes == 4ULL << 30);
}

}  // namespace
}  // namespace tideover::config
