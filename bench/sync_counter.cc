#include "bench/sync_counter.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tideover::bench {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // no call will be of it: nothing is counted
#endif

constexpr std::array<std::uint32_t, 6> kSyncCalls{__NR_fdatasync,       __NR_fsync,  __NR_msync,
                                                  __NR_sync_file_range, __NR_syncfs, __NR_sync};

constexpr sock_filter statement(std::uint16_t code, std::uint32_t value) { return {code, 0, 0, value}; }
constexpr sock_filter jump_if(std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return {BPF_JMP | BPF_JEQ | BPF_K, yes, no, value};
}

// Returns the listener, or -1.
int install_filter() {
  constexpr std::size_t kCalls = kSyncCalls.size();
  std::array<sock_filter, kCalls + 5> program{};
  program[0] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  program[1] = jump_if(kArchitecture, 0, kCalls + 1);
  program[2] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (std::size_t i = 0; i < kCalls; ++i)
    program[3 + i] = jump_if(kSyncCalls[i], static_cast<std::uint8_t>(kCalls - i), 0);
  program[3 + kCalls] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  program[4 + kCalls] = statement(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return static_cast<int>(
      ::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
}

// A descriptor as ancillary data of one byte; -1 sends the byte alone.
bool send_descriptor(int socket, int descriptor) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, 0) == 1;
}

int receive_descriptor(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

}  // namespace

struct SyncCounter::Shared {
  std::array<int, 2> sockets{-1, -1};  // ours and the child's
  int listener = -1;
  int stop = -1;
  std::thread thread;
  std::atomic<std::uint64_t> fdatasync{0}, fsync{0}, other{0};

  void count() {
    std::array<pollfd, 2> wanted{pollfd{listener, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
    for (;;) {
      if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno != EINTR) return;
      if (wanted[1].revents != 0 || (wanted[0].revents & (POLLHUP | POLLERR)) != 0) return;
      if ((wanted[0].revents & POLLIN) == 0) continue;
      seccomp_notif call{};  // the kernel wants it zeroed
      if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
        continue;  // the caller was killed meanwhile
      const auto number = static_cast<std::uint32_t>(call.data.nr);
      ++(number == __NR_fdatasync ? fdatasync : number == __NR_fsync ? fsync : other);
      seccomp_notif_resp answer{};
      answer.id = call.id;
      answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
      ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
  }
};

Result<SyncCounter> SyncCounter::make() {
  SyncCounter counter(std::make_unique<Shared>());
  const auto& shared = counter.shared_;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, shared->sockets.data()) != 0)
    return fail(Errc::io_error, std::strerror(errno));
  shared->stop = ::eventfd(0, EFD_CLOEXEC);
  if (shared->stop < 0) return fail(Errc::io_error, std::strerror(errno));
  return counter;
}

SyncCounter::SyncCounter(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
SyncCounter::SyncCounter(SyncCounter&&) noexcept = default;

SyncCounter::~SyncCounter() {
  if (shared_ == nullptr) return;
  if (shared_->thread.joinable()) {
    ::eventfd_write(shared_->stop, 1);
    shared_->thread.join();
  }
  for (const int descriptor : {shared_->sockets[0], shared_->sockets[1], shared_->listener, shared_->stop}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

bool SyncCounter::filter_self() {
  const int listener = install_filter();
  return send_descriptor(shared_->sockets[1], listener) && listener >= 0;
}

Result<void> SyncCounter::begin() {
  ::close(std::exchange(shared_->sockets[1], -1));  // so that a child that dies early ends the wait
  shared_->listener = receive_descriptor(shared_->sockets[0]);
  if (shared_->listener < 0)
    return fail(Errc::io_error, "this kernel does not let us count system calls (seccomp user notification)");
  shared_->thread = std::thread([shared = shared_.get()] { shared->count(); });
  return {};
}

SyncCounts SyncCounter::counts() const { return {shared_->fdatasync, shared_->fsync, shared_->other}; }

}  // namespace tideover::bench
