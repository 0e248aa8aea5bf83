// Preloaded into the agent by a scenario: a wall clock that jumps and a disk that hangs, both at the test's
// word.
//
// TIDEOVER_SHIM names a file of two 64-bit numbers, shared with the scenario: what is added to the wall
// clock, in nanoseconds, and whether a sync waits (1) or goes on (0).
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Controls {
  std::atomic<std::int64_t> wall_offset_ns;
  std::atomic<std::int64_t> sync_waits;
};

Controls& controls() {
  static Controls none{};
  static Controls* const shared = [] {
    const char* path = std::getenv("TIDEOVER_SHIM");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return &none;
    void* page = ::mmap(nullptr, sizeof(Controls), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return page == MAP_FAILED ? &none : static_cast<Controls*>(page);
  }();
  return *shared;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

std::int64_t jumped(std::int64_t ns) { return ns + controls().wall_offset_ns; }

void wait_while_hanging() {
  while (controls().sync_waits != 0) ::usleep(1000);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto real = next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int status = real(clock, time);
  if (status != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return status;
  const std::int64_t ns = jumped(time->tv_sec * kSecond + time->tv_nsec);
  *time = {ns / kSecond, ns % kSecond};
  return 0;
}

int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

std::time_t time(std::time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int fdatasync(int file) {
  static const auto real = next<int (*)(int)>("fdatasync");
  wait_while_hanging();
  return real(file);
}

int fsync(int file) {
  static const auto real = next<int (*)(int)>("fsync");
  wait_while_hanging();
  return real(file);
}

}  // extern "C"
