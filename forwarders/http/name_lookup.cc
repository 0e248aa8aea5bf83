#include "forwarders/http/name_lookup.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace tideover::http {

using boost::asio::ip::tcp;
using boost::system::error_code;

// Shared by the io side and the thread, freed by the last of them. The thread writes, then sets `done`, then
// writes to the event descriptor, which is all the io side hears of it: it holds nothing of the io_context.
struct NameLookup::Flight {
  std::string host;
  std::uint16_t port = 0;
  Endpoints endpoints;
  std::string problem;
  std::atomic<bool> done = false;
  int event_fd = -1;
  NameLookup* owner = nullptr;  // used on the io side alone

  ~Flight() {
    if (event_fd >= 0) ::close(event_fd);
  }

  void run() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (failure != 0) problem = failure == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(failure);
    for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
      if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
      tcp::endpoint endpoint;
      endpoint.resize(at->ai_addrlen);
      std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
      endpoint.port(port);
      endpoints.push_back(endpoint);
    }
    if (list != nullptr) ::freeaddrinfo(list);
    if (problem.empty() && endpoints.empty()) problem = "it has no address";
    done.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(event_fd, &one, sizeof(one));
  }
};

NameLookup::NameLookup(boost::asio::io_context& io, Clock& clock, std::string host, std::uint16_t port)
    : io_(io), clock_(clock), host_(std::move(host)), port_(port) {}

NameLookup::~NameLookup() {
  if (flight_) flight_->owner = nullptr;
}

Result<> NameLookup::take_off() {
  auto flight = std::make_shared<Flight>();
  flight->host = host_;
  flight->port = port_;
  flight->owner = this;
  flight->event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int ours = flight->event_fd < 0 ? -1 : ::dup(flight->event_fd);
  if (ours < 0)
    return fail(Errc::connect_failed, fmt::format("cannot look up {}: {}", host_, std::strerror(errno)));
  auto landing = std::make_shared<boost::asio::posix::stream_descriptor>(io_, ours);
  try {
    // The thread inherits a mask without signals: they are for the main thread.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread;
    try {
      thread = std::thread([flight] { flight->run(); });
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    thread.detach();
  } catch (const std::system_error& error) {
    return fail(Errc::connect_failed, fmt::format("cannot look up {}: {}", host_, error.what()));
  }
  landing->async_wait(boost::asio::posix::stream_descriptor::wait_read, [flight, landing](error_code error) {
    if (!error && flight->owner != nullptr) flight->owner->landed();
  });
  flight_ = std::move(flight);
  return {};
}

void NameLookup::landed() {
  flight_.reset();  // the waiting hold it
  wake_all();
}

void NameLookup::wake_all() {
  for (Notifier* waiter : waiting_) waiter->notify();
}

awaitable<Result<Endpoints>> NameLookup::resolve(Time deadline) {
  error_code not_an_address;
  const auto address = boost::asio::ip::make_address(host_, not_an_address);
  if (!not_an_address) co_return Endpoints{tcp::endpoint(address, port_)};
  if (!flight_) {
    Result<> started = take_off();
    if (!started) co_return started.error();
  }
  const std::shared_ptr<Flight> flight = flight_;
  Notifier notifier(clock_);
  waiting_.push_back(&notifier);
  co_await notifier.wait_until(deadline);
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &notifier));
  if (!flight->done.load(std::memory_order_acquire))
    co_return fail(Errc::connect_failed, fmt::format("cannot resolve {}: no answer in time", host_));
  if (flight->endpoints.empty())
    co_return fail(Errc::connect_failed, fmt::format("cannot resolve {}: {}", host_, flight->problem));
  co_return flight->endpoints;
}

}  // namespace tideover::http
