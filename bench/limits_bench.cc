// What the machine asks for the least that an agent cannot do without: copying, decompressing, summing up,
// syncing, a request over loopback. One JSON line; docs/PERFORMANCE.md holds the agent's costs against it.
//
//   cmake --preset release && cmake --build --preset release --target limits_bench &&
//   build/release/limits_bench
//
// CPU time of the thread, not wall-clock: what other processes do meanwhile shows little. Files go to
// /var/tmp, or to the directory given, which must be on the disk in question.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "forwarders/remote_write/snappy.h"
#include "tests/support/capture.h"
#include "wal/base/invariant.h"
#include "wal/rocks_crc32c.h"

namespace tideover {
namespace {

constexpr std::size_t kRequestBytes = 13'800;  // 500 captured samples, compressed
constexpr std::size_t kGroupBytes = 4 * kRequestBytes;
constexpr int kSyncs = 400;
constexpr int kRequests = 20'000;
constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\n\r\n";

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_of(const std::function<void()>& work) {
  const double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

// GB/s of `work`, which handles `bytes`; the best of several.
double rate(std::size_t bytes, const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < 200; ++i) best = std::min(best, seconds_of(work));
  return static_cast<double>(bytes) * 1e-9 / best;
}

void write_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, bytes, size);
    invariant(n > 0, "the bench writes to its own file and socket");
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
}

// Microseconds of CPU for an append of one group, and for syncing it: a log as RocksDB lays it out, space
// allocated, size growing.
std::array<double, 2> append_and_sync(std::string directory) {
  directory += "/tideover-limits-XXXXXX";
  const int fd = ::mkstemp(directory.data());
  invariant(fd >= 0, "a file can be made in the directory");
  ::unlink(directory.c_str());
  invariant(::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 24 << 20) == 0, "the file system allocates in advance");
  const std::string group(kGroupBytes, 'x');
  double append_s = 0;
  double sync_s = 0;
  for (int i = 0; i < kSyncs; ++i) {
    append_s += seconds_of([&] { write_all(fd, group.data(), group.size()); });
    sync_s += seconds_of([&] { invariant(::fdatasync(fd) == 0, "the disk syncs"); });
  }
  ::close(fd);
  return {append_s / kSyncs * 1e6, sync_s / kSyncs * 1e6};
}

// One end of a loopback connection, the other in `peer`.
int connect_pair(int& peer) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  invariant(::bind(listener, any, size) == 0 && ::listen(listener, 1) == 0 &&
                ::getsockname(listener, any, &size) == 0,
            "loopback is there");
  peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  invariant(::connect(peer, any, size) == 0, "loopback connects");
  const int accepted = ::accept(listener, nullptr, nullptr);
  ::close(listener);
  const int on = 1;
  for (const int fd : {accepted, peer}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return accepted;
}

// Microseconds of CPU for taking one request of 500 samples and answering it, no byte looked at.
double loopback_request() {
  int client = -1;
  const int server = connect_pair(client);
  std::thread sender([client] {
    const std::string request(kRequestBytes + 200, 'x');
    std::array<char, 256> answer{};
    for (int i = 0; i < kRequests; ++i) {
      write_all(client, request.data(), request.size());
      invariant(::recv(client, answer.data(), kAnswer.size(), MSG_WAITALL) > 0, "every request is answered");
    }
  });
  std::vector<char> body(kRequestBytes + 200);
  const double seconds = seconds_of([&] {
    for (int i = 0; i < kRequests; ++i) {
      invariant(::recv(server, body.data(), body.size(), MSG_WAITALL) > 0, "every request arrives");
      write_all(server, kAnswer.data(), kAnswer.size());
    }
  });
  sender.join();
  ::close(client);
  ::close(server);
  return seconds / kRequests * 1e6;
}

void measure(const std::string& directory) {
  const std::string raw = test::read_capture(remote_write::Version::v1, 1).at(0).body;
  std::string block, plain;
  remote_write::compress(raw, block);
  std::string copy(raw.size(), '\0');
  const double copies = rate(raw.size(), [&] { std::memcpy(copy.data(), raw.data(), raw.size()); });
  const double plains = rate(raw.size(), [&] {
    invariant(remote_write::decompress(block, remote_write::kDecodedBytesMax, plain).has_value(), "decodes");
  });
  std::uint32_t sum = 0;
  const double sums = rate(raw.size(), [&] { sum ^= wal::extend_crc32c(sum, raw.data(), raw.size()); });
  const auto [append_us, sync_us] = append_and_sync(directory);
  fmt::print(
      R"({{"memcpy_gb_per_s": {:.1f}, "snappy_decode_gb_per_s": {:.1f}, "crc32c_gb_per_s": {:.1f}, )"
      R"("crc32c": "{}", "append_group_us": {:.1f}, "fdatasync_us": {:.1f}, "loopback_request_us": {:.1f}, )"
      R"("request_bytes": {}, "group_bytes": {}}})"
      "\n",
      copies, plains, sums, wal::crc32c_method(), append_us, sync_us, loopback_request(), kRequestBytes,
      kGroupBytes);
  invariant(sum != 1, "the sums are computed");
}

}  // namespace
}  // namespace tideover

int main(int argc, char** argv) { tideover::measure(argc > 1 ? argv[1] : "/var/tmp"); }
