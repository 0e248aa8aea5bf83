#include "forwarders/http/address_book.h"

#include <algorithm>

namespace tideover::http {
namespace {

// The peer has looked at the data, whatever it thinks of it: it is the receiver that was meant.
bool judges_the_data(int status) {
  switch (status) {
    case 400:
    case 409:
    case 413:
    case 415:
    case 422: return true;
    default: return status >= 200 && status < 300;
  }
}

}  // namespace

Endpoints AddressBook::in_order(Endpoints found) {
  std::erase_if(failures_, [&found](const auto& failure) {
    return std::find(found.begin(), found.end(), failure.first) == found.end();
  });
  const auto last_failure = [this](const auto& address) {
    const auto at = failures_.find(address);
    return at == failures_.end() ? 0 : at->second;
  };
  std::stable_sort(found.begin(), found.end(), [&last_failure](const auto& a, const auto& b) {
    return last_failure(a) < last_failure(b);
  });
  return found;
}

void AddressBook::failed(const boost::asio::ip::tcp::endpoint& address) {
  failures_[address] = ++failures_ever_;
}

bool AddressBook::answered(const boost::asio::ip::tcp::endpoint& address, int status) {
  if (judges_the_data(status)) {
    failures_.erase(address);
    refusals_ = 0;
    return false;
  }
  if (++refusals_ < kRefusalsMax) return false;
  failed(address);
  return true;
}

}  // namespace tideover::http
