#include "forwarders/http/address_book.h"

#include <algorithm>

namespace tideover::http {
namespace {

bool takes_data(int status) { return status >= 200 && status < 300; }

// The peer has looked at the data and does not like it: it is the receiver that was meant, or so it seems.
bool finds_fault_with_data(int status) {
  return status == 400 || status == 409 || status == 413 || status == 415 || status == 422;
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
  if (takes_data(status)) {
    failures_.erase(address);
    refusals_ = faults_found_ = 0;
    return false;
  }
  if (finds_fault_with_data(status)) {
    refusals_ = 0;
    if (++faults_found_ % kFaultsFoundMax != 0) return false;
    failed(address);
    return true;
  }
  if (++refusals_ < kRefusalsMax) return false;
  failed(address);
  return true;
}

}  // namespace tideover::http
