// `check` and `run` agree: over a corpus of configurations, each judged by the one and then started by the
// other. What check passes starts; what it calls a fault of the file run refuses with the same words; what it
// calls a fault of the node keeps run from starting where the case says so.
#include <algorithm>
#include <future>
#include <grp.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/unit/agent/agent_process.h"

namespace tideover {
namespace {

namespace fs = std::filesystem;

enum class Life { starts, ends, not_ready };  // not_ready: or ends

// A place of its own for each case. In its text @/ is the folder.
struct Case {
  std::string name;
  std::string text;
  int check = 0;  // exit status
  Life run = Life::starts;
  std::string words = {};  // in what check says
  std::function<void(const std::string& folder)> before = {};
  uid_t user = 0;  // who asks, and runs
};

struct Keys {
  std::string cluster = "app1", data_dir = "@/data", top = {}, admin = "'127.0.0.1:0'",
              listen = "'127.0.0.1:0'";
  std::string metrics = {}, url = "http://127.0.0.1:1/write", destination = {};
};

std::string file(const Keys& k) {
  return fmt::format(
      "cluster: {}\nnode: n\ndata_dir: {}\ndisk: {{keep_free: 0%}}\nadmin: {{listen: {}}}\n{}metrics:\n"
      "  listen: {}\n  max_bytes: 4MiB\n{}  destinations:\n    - name: thanos\n      url: {}\n{}",
      k.cluster, k.data_dir, k.admin, k.top, k.listen, k.metrics, k.url, k.destination);
}
Case legal(std::string name, const Keys& keys, std::string words = {}) {
  return {std::move(name), file(keys), 0, Life::starts, std::move(words)};
}
Case faulty(std::string name, const Keys& keys, std::string words) {
  return {std::move(name), file(keys), 2, Life::ends, std::move(words)};
}
Case with(Case c, std::function<void(const std::string&)> before) {
  c.before = std::move(before);
  return c;
}
Case unfit(std::string name, const Keys& keys, std::string words, Life run,
           std::function<void(const std::string&)> before = {}) {
  return {std::move(name), file(keys), 1, run, std::move(words), std::move(before)};
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// Catch is for one thread.
void sure(bool done) {
  if (!done) throw std::runtime_error("a case could not be set up");
}

void write(const std::string& path, std::string_view text) {
  std::ofstream(path) << text;
  ::chmod(path.c_str(), 0600);
}

// What a child with these words says on both streams, and its pid; it is on its own.
pid_t spawn(const std::vector<std::string>& words, const std::string& output, uid_t user) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  const int to = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  ::dup2(to, STDOUT_FILENO);
  ::dup2(to, STDERR_FILENO);
  if (user != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0)) ::_exit(126);
  ::execv(TIDEOVER_BINARY, argv.data());
  ::_exit(127);
}

std::string read(const std::string& path) {
  std::ifstream in(path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

struct Seen {
  int check = -1;
  std::string said;  // by check
  bool ready = false;
  std::optional<int> ended;  // of run
  std::string log;
};

int wait_for(pid_t pid) {
  int how = 0;
  ::waitpid(pid, &how, 0);
  return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

Seen judge_and_start(const Case& c) {
  const TempDirectory folder;
  ::chmod(folder.path().c_str(), c.user == 0 ? 0700 : 0755);
  const std::string config = folder / "tideover.yaml";
  write(config, replaced(c.text, "@/", folder.path() + "/"));
  if (c.user != 0) ::chmod(config.c_str(), 0644);
  if (c.before) c.before(folder.path());
  Seen seen;
  seen.check =
      wait_for(spawn({"tideover", "check", "--offline", "--config", config}, folder / "check", c.user));
  seen.said = read(folder / "check");
  const pid_t pid = spawn({"tideover", "run", "--config", config}, folder / "log", c.user);
  const auto patience = std::chrono::steady_clock::now() + (c.run == Life::not_ready ? 1s : 20s);
  while (!seen.ready && !seen.ended && std::chrono::steady_clock::now() < patience) {
    int how = 0;
    if (::waitpid(pid, &how, WNOHANG) == pid) seen.ended = WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
    seen.ready = read(folder / "log").find("tideover is ready") != std::string::npos;
    std::this_thread::sleep_for(5ms);
  }
  if (!seen.ended) {
    ::kill(pid, SIGTERM);
    seen.ended = wait_for(pid);
  }
  seen.log = read(folder / "log");
  return seen;
}

// Somebody else's socket, for as long as the test runs.
std::uint16_t taken_port(const char* ip = "127.0.0.1") {
  static std::vector<int> open;
  const int socket = open.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ip == std::string("0.0.0.0") ? INADDR_ANY : htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(socket, 1) == 0);
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

std::vector<Case> directories() {
  const auto made = [](mode_t mode) {
    return [mode](const std::string& folder) {
      fs::create_directory(folder + "/data");
      ::chmod((folder + "/data").c_str(), mode);
    };
  };
  std::vector<Case> all = {
      legal("a directory that is not there yet", {}),
      legal("a directory three levels below what is there", {.data_dir = "@/a/b/c"}),
      legal("a slash behind the directory", {.data_dir = "@/data/"}),
      legal("two slashes in the directory", {.data_dir = "@//data"}),
      legal("a blank in the directory", {.data_dir = "'@/my data'"}),
      legal("a dot and two dots in the directory", {.data_dir = "@/./b/../data"}),
      legal("a directory in another language", {.data_dir = "@/päckchen"}),
      faulty("a relative directory", {.data_dir = "data"}, "not an absolute path"),
      faulty("a directory of here", {.data_dir = "./data"}, "not an absolute path"),
      faulty("a directory above here", {.data_dir = "../data"}, "not an absolute path"),
      faulty("a home directory", {.data_dir = "~/tideover"}, "nothing replaces \"~\""),
      faulty("another's home directory", {.data_dir = "~eva/tideover"}, "nothing replaces \"~\""),
      faulty("the root", {.data_dir = "/"}, "root of the file system"),
      faulty("the root in two slashes", {.data_dir = "//"}, "root of the file system"),
      faulty("the root by way of its parent", {.data_dir = "/tmp/.."}, "root of the file system"),
      faulty("a path too long for the socket", {.data_dir = "/tmp/" + std::string(92, 'd')},
             "at most 96 are possible"),
      faulty("a path too long for anything", {.data_dir = "/tmp/" + std::string(900, 'd')},
             "at most 96 are possible"),
      faulty("a directory that is a list", {.data_dir = "[/tmp/a]"}, "data_dir is a list"),
      faulty("no directory at all", {.data_dir = "''"}, "data_dir is empty"),
      faulty("a variable in the directory", {.data_dir = "${HOME}/data"}, "--expand-env"),
      with(legal("a directory of ours", {}), made(0700)),
      with(legal("a directory that all may read", {}), made(0755)),
      with(legal("a directory as kubelet leaves it", {}, "takes that from them"), made(02770)),
      with(legal("a directory that all may write", {}), made(0777)),
      with(legal("a directory like /tmp", {}), made(01777)),
      with(legal("a link to a directory", {}),
           [](const std::string& folder) {
             fs::create_directory(folder + "/real");
             fs::create_symlink(folder + "/real", folder + "/data");
           }),
      unfit("a link to nowhere", {}, "a link to something", Life::ends,
            [](const std::string& folder) { fs::create_symlink(folder + "/none", folder + "/data"); }),
      unfit("a file", {}, "is not a directory", Life::ends,
            [](const std::string& folder) { write(folder + "/data", ""); }),
      unfit("below a file", {.data_dir = "@/file/data"}, "cannot be looked at", Life::ends,
            [](const std::string& folder) { write(folder + "/file", ""); }),
      unfit("a directory that others write, with their files in it", {}, "which is not the agent's",
            Life::ends,
            [made](const std::string& folder) {
              made(0777)(folder);
              write(folder + "/data/theirs", "");
            }),
      unfit("the kernel's files", {.data_dir = "/proc/tideover"}, "keeps no files", Life::ends),
      unfit("the kernel's devices", {.data_dir = "/sys/tideover"}, "keeps no files", Life::ends),
      unfit("a file in the place of the store", {}, "store is not a directory", Life::ends,
            [made](const std::string& folder) {
              made(0700)(folder);
              write(folder + "/data/store", "");
            }),
      unfit("two stores", {}, "there are two stores", Life::ends,
            [](const std::string& folder) {
              fs::create_directories(folder + "/data/store");
              fs::create_directories(folder + "/data/metrics");
            }),
      with(legal("the store of an earlier version", {}),
           [](const std::string& folder) { fs::create_directories(folder + "/data/metrics"); }),
      with(legal("a store that was opened", {}),
           [](const std::string& folder) {
             fs::create_directories(folder + "/data/store");
             ::chmod((folder + "/data/store").c_str(), 02770);
           }),
      unfit("a file in the place of the socket", {}, "is no socket", Life::ends,
            [made](const std::string& folder) {
              made(0700)(folder);
              write(folder + "/data/admin.sock", "");
            }),
      unfit("a directory in the place of the socket", {}, "is no socket", Life::ends,
            [](const std::string& folder) { fs::create_directories(folder + "/data/admin.sock"); }),
  };
  if (::geteuid() != 0) return all;
  constexpr uid_t kOther = 12345;
  const auto owned = [](uid_t owner, gid_t group, mode_t mode) {
    return [=](const std::string& folder) {
      const std::string data = folder + "/data";
      fs::create_directory(data);
      sure(::chown(data.c_str(), owner, group) == 0);
      ::chmod(data.c_str(), mode);
    };
  };
  all.push_back(with(legal("another's directory, as root", {}, "run this check as the user"),
                     owned(kOther, kOther, 0755)));
  all.push_back(unfit("another's store, as root", {}, "run `chown -R 0", Life::ends,
                      [owned](const std::string& folder) {
                        owned(0, 0, 0755)(folder);
                        fs::create_directory(folder + "/data/store");
                        sure(::chown((folder + "/data/store").c_str(), kOther, kOther) == 0);
                      }));
  if (wait_for(spawn({"tideover", "version"}, "/dev/null", kOther)) != 0)
    return all;  // may not see the program
  const auto as_other = [](Case c) {
    c.user = kOther;
    return c;
  };
  all.push_back(
      as_other(with(legal("a volume's root of fsGroup", {}, "may write it"), owned(0, kOther, 02775))));
  all.push_back(as_other(with(legal("a volume's root that is sticky", {}), owned(0, 0, 01777))));
  all.push_back(as_other(unfit("a volume's root that every user may write", {}, "name a directory below it",
                               Life::ends, owned(0, 0, 0777))));
  all.push_back(as_other(unfit("a volume's root that is root's alone", {}, "set the pod's fsGroup",
                               Life::ends, owned(0, 0, 0755))));
  all.push_back(as_other(unfit("a directory that may not be made", {}, "install -d -m 700", Life::ends)));
  all.push_back(
      as_other(with(legal("a directory below what every user may write", {.data_dir = "@/data/below"}),
                    owned(0, 0, 0777))));
  return all;
}

std::vector<Case> addresses() {
  const std::string taken = fmt::format("'127.0.0.1:{}'", taken_port());
  const std::string all = fmt::format("'0.0.0.0:{}'", taken_port());
  const std::string held = fmt::format("'127.0.0.1:{}'", taken_port("0.0.0.0"));
  const std::uint16_t shared = free_port();
  const auto on = [shared](const char* ip) { return fmt::format("'{}:{}'", ip, shared); };
  return {
      unfit("metrics.listen is taken", {.listen = taken}, "metrics.listen: 127.0.0.1:", Life::ends),
      unfit("admin.listen is taken", {.admin = taken}, "is taken by another process", Life::ends),
      unfit("one of all addresses is taken", {.listen = all}, "is taken by another process", Life::ends),
      unfit("all addresses are taken, and so is this", {.listen = held}, "is taken by another process",
            Life::ends),
      unfit("an address of another node", {.listen = "'192.0.2.1:0'"}, "no address of this node", Life::ends),
      unfit("an address of another node for admin", {.admin = "'192.0.2.1:7301'"}, "no address of this node",
            Life::ends),
      unfit("another node in six", {.listen = "'[2001:db8::1]:0'"}, "metrics.listen", Life::ends),
      legal("beyond loopback", {.listen = "'0.0.0.0:0'"},
            "warning: metrics.listen: 0.0.0.0:0 can be reached"),
      legal("admin beyond loopback", {.admin = "'0.0.0.0:0'"},
            "warning: admin.listen: 0.0.0.0:0 can be reached"),
      legal("another loopback address", {.listen = "'127.0.0.9:0'"}),
      legal("one port on two addresses", {.admin = on("127.0.0.1"), .listen = on("127.0.0.2")}),
      faulty("one port on one address", {.admin = on("127.0.0.1"), .listen = on("127.0.0.1")},
             "collides with"),
      faulty("one port on all and on one", {.admin = on("0.0.0.0"), .listen = on("127.0.0.1")},
             "collides with"),
      faulty("one port on four and on four in six",
             {.admin = on("127.0.0.1"), .listen = on("[::ffff:127.0.0.1]")}, "collides with"),
      faulty("a port of six digits", {.listen = "'127.0.0.1:123456'"}, "no port between 0 and 65535"),
      faulty("no port", {.listen = "127.0.0.1"}, "has no port"),
      faulty("no address", {.listen = "':7302'"}, "does not begin with an IP address"),
      faulty("a name", {.listen = "'localhost:7302'"}, "does not begin with an IP address"),
      faulty("six without brackets", {.listen = "'::1:7302'"}, "IP address"),
      faulty("a URL", {.listen = "'http://127.0.0.1:1'"}, "IP address"),
      faulty("a negative port", {.listen = "'127.0.0.1:-1'"}, "no port"),
  };
}

std::vector<Case> urls() {
  const auto to = [](std::string url) { return Keys{.url = std::move(url)}; };
  return {
      legal("no path", to("http://127.0.0.1:1"), "has no path, and samples are sent to \"/\""),
      legal("no path and a query", to("http://127.0.0.1:1?a=b"), "http://127.0.0.1:1?... has no path"),
      legal("a slash alone", to("http://127.0.0.1:1/")),
      legal("a slash at the end", to("http://127.0.0.1:1/write/")),
      legal("a name that nobody knows", to("http://receiver.invalid/write")),
      legal("six", to("'http://[::1]:1/write'")),
      legal("https without more", to("https://127.0.0.1:1/write")),
      legal("a key in the query", to("http://127.0.0.1:1/write?key=SECRET")),
      legal("escapes", to("http://127.0.0.1:1/a%20b")),
      faulty("no scheme", to("127.0.0.1:1/write"), "not a URL"),
      faulty("another scheme", to("grpc://127.0.0.1:1/write"), "scheme must be http or https"),
      faulty("a password", to("http://eva:SECRET@127.0.0.1:1/write"),
             "must not hold a user name or password"),
      faulty("a fragment", to("'http://127.0.0.1:1/write#SECRET'"), "fragment"),
      faulty("port 0", to("http://127.0.0.1:0/write"), "port must be"),
      faulty("a large port", to("http://127.0.0.1:65536/write"), "port must be"),
      faulty("a blank", to("'http://127.0.0.1:1/a b'"), "not a URL"),
      faulty("no host", to("http:///write"), "not a URL"),
      faulty("a path", to("/api/v1/write"), "not a URL"),
  };
}

std::vector<Case> files() {
  const auto token = [](std::string content) {
    return [content](const std::string& folder) { write(folder + "/token", content); };
  };
  const Keys bearer{.destination = "      auth: {bearer_file: @/token}\n"};
  const Keys basic{.destination = "      auth: {basic: {username: u, password_file: @/token}}\n"};
  const auto tls = [](const std::string& keys) {
    return Keys{.url = "https://127.0.0.1:1/w", .destination = "      tls: {" + keys + "}\n"};
  };
  const auto pem = [](const std::string& folder) {
    test::Certificates made;
    made.issue("server", "IP:127.0.0.1");
    for (const char* name : {"ca", "server"}) fs::copy(made.pem(name), folder + "/" + name + ".pem");
    fs::copy(made.key("server"), folder + "/key.pem");
    fs::copy(made.key("ca"), folder + "/other.pem");
  };
  return {
      with(legal("a token", bearer), token("abc")),
      with(legal("blanks around a token", bearer), token(" abc \n")),
      with(legal("a password with blanks", basic), token(" a b \n")),
      unfit("a blank in a token", bearer, "characters that no token has", Life::starts, token("abc def")),
      unfit("two tokens", bearer, "characters that no token has", Life::starts, token("abc\ndef\n")),
      unfit("no ASCII in a token", bearer, "characters that no token has", Life::starts, token("päckchen")),
      unfit("an empty token", bearer, "is empty", Life::starts, token("")),
      unfit("a blank for a token", bearer, "is empty", Life::starts, token(" \n")),
      unfit("an empty password", basic, "is empty", Life::starts, token("\n")),
      unfit("no token", bearer, "does not exist", Life::starts),
      unfit("a directory for a token", bearer, "is not a file", Life::starts,
            [](const std::string& folder) { fs::create_directory(folder + "/token"); }),
      faulty("a token for a path", {.destination = "      auth: {bearer_file: eyJh.SECRET}\n"},
             "the credential itself"),
      faulty("a relative token", {.destination = "      auth: {bearer_file: token}\n"},
             "not an absolute path"),
      faulty("a home token", {.destination = "      auth: {bearer_file: ~/token}\n"}, "not an absolute path"),
      faulty("two kinds of credentials",
             {.destination = "      auth: {bearer_file: /t, basic: {username: u, password_file: /p}}\n"},
             "both"),
      with(legal("an authority", tls("ca_file: @/ca.pem")), pem),
      with(legal("mutual TLS", tls("cert_file: @/server.pem, key_file: @/key.pem")), pem),
      unfit("the key of another certificate", tls("cert_file: @/server.pem, key_file: @/other.pem"),
            "destination thanos: tls", Life::starts, pem),
      unfit("a key for an authority", tls("ca_file: @/key.pem"), "destination thanos: tls", Life::starts,
            pem),
      unfit("no authority", tls("ca_file: @/none.pem"), "does not exist", Life::starts),
      faulty("a certificate without its key", tls("cert_file: /c"), "needs"),
      faulty("a relative authority", tls("ca_file: ca.pem"), "not an absolute path"),
  };
}

std::vector<Case> texts() {
  const std::string good = file({});
  const auto text = [](std::string name, std::string what, std::string words) {
    return Case{std::move(name), std::move(what), 2, Life::ends, std::move(words)};
  };
  return {
      text("a byte order mark", "\xef\xbb\xbf" + good, ":1:1: a byte order mark"),
      text("a byte order mark and an open quote", "\xef\xbb\xbf" + file({.cluster = "\"app1"}),
           ":1:1: a byte order mark"),
      text("UTF-16",
           std::string("\xff\xfe"
                       "c\0l\0",
                       6) +
               good,
           "not UTF-8"),
      text("an open quote", file({.cluster = "\"app1"}), "never closed"),
      text("an open single quote", file({.cluster = "'app1"}), "not YAML"),
      text("an open quote at the end", good + "log: {level: 'info\n", "never closed"),
      text("a quote around a key and the rest", "\"" + good, "never closed"),
      text("nothing", "", "missing"),
      text("a comment", "# cluster: app1\n", "missing"),
      text("a list", "- a\n", "takes keys with values"),
      text("a word", "app1\n", "takes keys with values"),
      text("a tab", "cluster: a\nmetrics:\n\tlisten: x\n", "tab in the indentation"),
      text("two documents", good + "---\n" + good, "a second YAML document"),
      text("a key twice", good + "cluster: b\n", "a second time"),
      text("an unknown key", good + "clutser: b\n", "did you mean \"cluster\""),
      text("a part of later", good + "secrets: {}\n", "this version keeps no secrets yet"),
      text("an open bracket", good + "log: {level: info\n", "never closed"),
      text("a tag", file({.cluster = "!!str app1"}), "has no meaning here"),
      text("a control byte", file({.cluster = "app\x01"}), "control byte"),
      text("no cluster", replaced(good, "cluster: app1\n", ""), "\"cluster\" is missing"),
      text("no destinations", "cluster: a\nmetrics: {listen: '127.0.0.1:0'}\n",
           "\"destinations\" is missing"),
      text("an unknown word", good + "log: {level: loud}\n", "not known here"),
      text("a plain percentage", replaced(good, "0%", "20"), "not a percentage"),
      text("decimal bytes", replaced(good, "4MiB", "4MB"), "not a size"),
      text("a label of Prometheus' own", file({.metrics = "  external_labels: {__name__: x}\n"}), "reserved"),
      text("a header of the protocol", file({.destination = "      headers: {Content-Type: x}\n"}),
           "set by the protocol"),
      {"CRLF", replaced(good, "\n", "\r\n"), 0, Life::starts},
      {"a mark at the start", "---\n" + good, 0, Life::starts},
      {"an anchor", replaced(good, "cluster: app1", "cluster: &c app1") + "log: {format: json}\n", 0,
       Life::starts},
      legal("no metrics' labels but ours", {.metrics = "  external_labels: {cluster: app1, replica: '0'}\n"}),
      legal("headers and a tenant",
            {.destination = "      tenant: t\n      headers: {X-License-Key: SECRET}\n"}),
      {"no metrics",
       "cluster: a\nnode: n\ndata_dir: @/data\ndisk: {keep_free: 0%}\nadmin: {listen: '127.0.0.1:0'}\n", 0,
       Life::starts, "would do nothing"},
      {"more memory than there is", file({.top = "memory: {limit: 1TiB}\n"}), -1, Life::starts},
      unfit("a budget that can never fit", {.top = "", .metrics = "  # \n"}, "can never fit", Life::starts),
  };
}

TEST_CASE("check and run agree on every configuration of the corpus") {
  std::vector<Case> corpus;
  for (auto* part : {directories, addresses, urls, files, texts})
    std::ranges::move(part(), std::back_inserter(corpus));
  for (Case& c : corpus)
    if (c.name == "a budget that can never fit") c.text = replaced(c.text, "4MiB", "60TiB");
  CHECK(corpus.size() >= 100);
  constexpr std::size_t kAtOnce = 4;
  std::vector<Seen> all(corpus.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kAtOnce; ++i)
    threads.emplace_back([&] {
      for (std::size_t n = next++; n < corpus.size(); n = next++) all[n] = judge_and_start(corpus[n]);
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    const Case& c = corpus[i];
    const Seen& seen = all[i];
    INFO(c.name << "\n"
                << c.text << "\ncheck said " << seen.check << ":\n"
                << seen.said << "\nrun:\n"
                << seen.log);
    if (c.check >= 0) CHECK(seen.check == c.check);
    CHECK(seen.said.find(c.words) != std::string::npos);
    CHECK(seen.said.find("SECRET") == std::string::npos);
    CHECK(seen.log.find("SECRET") == std::string::npos);
    CHECK(seen.ready == (c.run == Life::starts));
    if (seen.check == 0) CHECK(seen.ready);
    if (seen.check == 2) {
      CHECK(seen.ended == 2);
      CHECK(seen.log == seen.said);
    }
    if (seen.ready) CHECK(seen.ended == 0);
    if (seen.check == 1 && c.run == Life::ends) CHECK(seen.ended == 1);
  }
}

TEST_CASE("beside a running agent check counts neither its ports nor its directory as taken") {
  AgentProcess agent;
  agent.start_and_wait();
  const auto check = [&](const std::string& config) {
    const int status =
        wait_for(spawn({"tideover", "check", "--offline", "--config", config}, agent.folder / "said", 0));
    INFO(read(agent.folder / "said"));
    CHECK(status == (config == agent.config_path ? 0 : 1));
    return read(agent.folder / "said");
  };
  CHECK(check(agent.config_path).find("is held by the agent that runs here") != std::string::npos);
  // With a directory of its own it would be a second agent, in the way of the first.
  const std::string other = agent.folder / "other.yaml";
  write(other, replaced(read(agent.config_path), agent.data_dir, agent.folder / "other"));
  CHECK(check(other).find("is taken by another process") != std::string::npos);
  // Nobody answers for who holds the directory: the socket is gone.
  fs::remove(agent.data_dir + "/admin.sock");
  std::string moved = read(agent.config_path);
  for (const auto port : {agent.admin_port, agent.intake_port})
    moved = replaced(moved, fmt::format(":{}'", port), ":0'");
  write(other, moved);
  CHECK(check(other).find(fmt::format("is in use by process {}", agent.pid)) != std::string::npos);
  CHECK(agent.stop() == 0);
}

}  // namespace
}  // namespace tideover
