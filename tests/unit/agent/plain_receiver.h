// A receiver on loopback for an agent in a process of its own: answers every request with one status, and
// counts.
#pragma once

#include <atomic>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tideover {

class PlainReceiver {
 public:
  PlainReceiver() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
        ::listen(listener_, 8) == 0 &&
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0)
      port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~PlainReceiver() {
    ends_ = true;
    thread_.join();
    ::close(listener_);
  }
  PlainReceiver(const PlainReceiver&) = delete;
  PlainReceiver& operator=(const PlainReceiver&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

  std::atomic<int> status{204};
  std::atomic<int> requests{0};
  std::string words = {};  // of a fault, in front of what was asked for; set before anybody asks

 private:
  struct Peer {
    int socket;
    std::string read;
  };

  void serve() {
    std::vector<Peer> peers;
    while (!ends_) {
      std::vector<pollfd> waits{{listener_, POLLIN, 0}};
      for (const Peer& peer : peers) waits.push_back({peer.socket, POLLIN, 0});
      if (::poll(waits.data(), waits.size(), 5) <= 0) continue;
      for (std::size_t i = peers.size(); i > 0; --i)
        if (waits[i].revents != 0 && !hear(peers[i - 1])) {
          ::close(peers[i - 1].socket);
          peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
      if (waits[0].revents != 0) peers.push_back({::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), {}});
    }
    for (const Peer& peer : peers) ::close(peer.socket);
  }

  // False when the peer has gone.
  bool hear(Peer& peer) {
    char some[65536];
    const ssize_t got = ::recv(peer.socket, some, sizeof some, 0);
    if (got <= 0) return false;
    peer.read.append(some, static_cast<std::size_t>(got));
    const std::size_t head = peer.read.find("\r\n\r\n");
    const std::size_t length = peer.read.find("Content-Length: ");
    if (head == peer.read.npos || length == peer.read.npos) return true;
    const std::size_t end = head + 4 + std::stoul(peer.read.substr(length + 16));
    if (peer.read.size() < end) return true;
    // A fault repeats what was asked for, as many do.
    const std::string said = status == 204 ? "" : words + peer.read.substr(0, peer.read.find("\r\nContent-"));
    peer.read.erase(0, end);
    ++requests;
    const std::string sized = "Content-Length: " + std::to_string(said.size()) + "\r\n";
    const std::string answer =
        "HTTP/1.1 " + std::to_string(status.load()) + " X\r\n" + (status == 204 ? "" : sized) + "\r\n" + said;
    return ::send(peer.socket, answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

}  // namespace tideover
