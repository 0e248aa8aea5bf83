#include "forwarders/http/beast_transport.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

#include "forwarders/http/address_book.h"
#include "forwarders/http/connection_pool.h"
#include "forwarders/http/cutoff.h"
#include "forwarders/http/name_lookup.h"
#include "forwarders/http/request_head.h"
#include "forwarders/http/url.h"

namespace tideover::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Status = MessageParser::Status;

void warn_on_stderr(std::string_view sentence) {
  fmt::print(stderr, "level=warn component=http msg=\"{}\"\n", sentence);
}

// What came in answer to a request.
struct Reception {
  Status status = Status::need_more;  // how far it got
  Response response;
  bool early = false;  // it left the peer before that can have read the request
  error_code error;    // that ended it
};

// An early answer may be a leftover of an earlier request, or that of a peer that speaks first. It is
// believed where it says nothing of the data: then the same is sent again, later. Of the data, the head tells
// a size and a type; but where an answer may be left over, not even those are taken from it.
bool believed_early(int status, bool may_be_left_over) {
  switch (status) {
    case 400:
    case 409:
    case 422: return false;
    case 413:
    case 415: return !may_be_left_over;
    default: return status >= 300;
  }
}

std::string to_text(const tcp::endpoint& endpoint) { return endpoint.address().to_string(); }

}  // namespace

class BeastTransport::Impl {
 public:
  Impl(boost::asio::io_context& io, Clock& clock, TransportOptions options, Url url)
      : io_(io),
        clock_(clock),
        options_(std::move(options)),
        url_(std::move(url)),
        authority_(url_.authority()),
        server_name_(options_.tls.server_name.empty() ? url_.host : options_.tls.server_name),
        pool_(clock, options_.connections, options_.idle_time),
        lookup_(io, clock, url_.host, url_.port),
        tls_(options_.tls, clock, options_.warn),
        credentials_(options_.auth, clock, options_.warn) {}

  awaitable<Result<Response>> send(Request request, Time deadline);

  void close() {
    pool_.close();
    lookup_.wake_all();
  }

 private:
  using Lease = ConnectionPool::Lease;

  awaitable<Result<>> obtain(Lease& lease, Time deadline);
  using TlsPointer = std::shared_ptr<boost::asio::ssl::context>;

  awaitable<Result<>> connect(ClientConnection& connection, TlsPointer tls, Time deadline);
  awaitable<std::string> connect_to(tcp::endpoint address, ClientConnection& connection, TlsPointer tls,
                                    Time deadline);
  awaitable<Result<Response>> exchange(Lease& lease, const Request& request, std::string_view authorization,
                                       Time deadline);
  awaitable<Reception> receive(ClientConnection& connection, bool bare);

  Error not_connected(const std::string& why) const;
  Error broken(const ClientConnection& connection, const error_code& error, bool timed_out) const;

  boost::asio::io_context& io_;
  Clock& clock_;
  const TransportOptions options_;
  const Url url_;
  const std::string authority_;
  const std::string server_name_;
  ConnectionPool pool_;
  NameLookup lookup_;
  AddressBook addresses_;
  TlsContext tls_;
  Credentials credentials_;
};

Error BeastTransport::Impl::not_connected(const std::string& why) const {
  if (pool_.closed()) return fail(Errc::stopping, "the transport was closed");
  return fail(Errc::connect_failed, fmt::format("cannot connect to {}: {}", authority_, why));
}

Error BeastTransport::Impl::broken(const ClientConnection& connection, const error_code& error,
                                   bool timed_out) const {
  if (pool_.closed()) return fail(Errc::stopping, "the transport was closed");
  if (timed_out) return fail(Errc::timeout, fmt::format("{} did not answer in time", authority_));
  if (!connection.answered && is_handshake_alert(error))
    return not_connected("it refused our certificate: " + describe(error));
  return fail(Errc::connection_lost,
              fmt::format("the connection to {} broke: {}", authority_, describe(error)));
}

// Empty, or why nothing came of it.
awaitable<std::string> BeastTransport::Impl::connect_to(tcp::endpoint address, ClientConnection& connection,
                                                        TlsPointer tls, Time deadline) {
  const Cutoff cutoff(clock_, deadline, [&connection] { connection.close(); });
  error_code error = co_await connection.connect(address);
  std::string step;
  if (!error && tls) {
    step = "TLS: ";
    error = co_await connection.secure(std::move(tls), server_name_);
  }
  if (!error && !pool_.closed()) co_return std::string();
  co_return fmt::format("{}: {}{}", to_text(address), step,
                        cutoff.fired() ? "no answer in time" : describe(error));
}

// Each address gets an equal share of the time that is left, so that one that drops packets does not use it
// up; but no less than half of the time for one, or a long line would reach none of many. Those that had no
// turn have theirs next time, before those that failed now.
awaitable<Result<>> BeastTransport::Impl::connect(ClientConnection& connection, TlsPointer tls,
                                                  Time deadline) {
  const Duration turn_min = (deadline - clock_.now()) / 2;
  Result<Endpoints> found = co_await lookup_.resolve(deadline);
  if (pool_.closed()) co_return not_connected({});
  if (!found) co_return found.error();
  const Endpoints order = addresses_.in_order(std::move(*found));
  std::string faults;
  for (std::size_t i = 0; i < order.size() && clock_.now() < deadline; ++i) {
    const Time now = clock_.now();
    const auto shares = static_cast<Duration::rep>(order.size() - i);
    const Time turn_ends = std::min(deadline, now + std::max((deadline - now) / shares, turn_min));
    const std::string fault = co_await connect_to(order[i], connection, tls, turn_ends);
    if (pool_.closed()) co_return not_connected({});
    if (fault.empty()) co_return Result<>{};
    addresses_.failed(order[i]);
    faults += (faults.empty() ? "" : "; ") + fault;
  }
  co_return not_connected(faults);
}

awaitable<Result<>> BeastTransport::Impl::obtain(Lease& lease, Time deadline) {
  TlsPointer context;
  if (url_.tls) {
    Result<TlsPointer> current = tls_.current();
    if (!current) co_return not_connected(current.error().detail);
    context = std::move(*current);
  }
  if (lease.take_idle(tls_.generation())) co_return Result<>{};
  lease.take_new(io_);
  ClientConnection& connection = lease.connection();
  connection.generation = tls_.generation();
  const Time until = std::min(deadline, clock_.now() + options_.connect_time);
  Result<> connected = co_await connect(connection, std::move(context), until);
  co_return connected;
}

// Reads one message; an interim answer (1xx) is none.
awaitable<Reception> BeastTransport::Impl::receive(ClientConnection& connection, bool bare) {
  Reception got;
  MessageParser& parser = connection.parser();
  bool begun = false;
  parser.next();
  if (bare) parser.expect_bare();
  while (true) {
    if (!begun && !connection.buffer().data().empty()) {
      begun = true;
      got.early = connection.sending();
    }
    std::size_t used = 0;
    got.status = parser.put(connection.buffer().data(), used);
    connection.buffer().consume(used);
    if (got.status == Status::head_done) {
      const int code = parser.response().status;
      if (code >= 100 && code < 200 && code != 101) {
        begun = false;
        parser.next();
        if (bare) parser.expect_bare();
      } else {
        got.response = std::move(parser.response());
        parser.body_to(&got.response.body, kAnswerBytesMax);
      }
      continue;
    }
    if (got.status != Status::need_more) co_return got;
    if (connection.buffer().full()) got.status = Status::head_too_large;
    if (got.status != Status::need_more) co_return got;
    got.error = co_await connection.read_more();
    if (got.error) break;
  }
  if (got.error == boost::asio::error::eof && parser.put_eof() == Status::done) {
    got.status = Status::done;
    got.error = {};
  }
  co_return got;
}

awaitable<Result<Response>> BeastTransport::Impl::exchange(Lease& lease, const Request& request,
                                                           std::string_view authorization, Time deadline) {
  ClientConnection& connection = lease.connection();
  if (pool_.closed() || clock_.now() >= deadline) co_return not_connected("no time is left for the request");
  std::string& head = connection.head();
  head.clear();
  append_head(head, request, {url_.path, authority_, authorization, options_.headers});

  // From here on the peer may act on what it gets.
  const Cutoff cutoff(clock_, deadline, [&connection] { connection.close(); });
  const bool bare = request.method == "HEAD";
  connection.write(head, request.body);
  Reception got = co_await receive(connection, bare);
  const bool reusable = got.status == Status::done && !got.early && connection.parser().keep_alive() &&
                        got.response.status != 101 && connection.still_good();
  if (!reusable) connection.close();  // a peer that has answered is not sent the rest of the request
  const error_code write_error = co_await connection.written();

  if (got.error) co_return broken(connection, write_error ? write_error : got.error, cutoff.fired());
  switch (got.status) {
    case Status::done:
    case Status::body_too_large:  // cut; the rest is on the wire
      if (got.early && !believed_early(got.response.status, connection.answered))
        co_return fail(Errc::connection_lost,
                       fmt::format("{} answered before it had the request: HTTP {} {}", authority_,
                                   got.response.status, got.response.body));
      connection.answered = true;
      if (reusable) lease.give_back();
      co_return std::move(got.response);
    case Status::head_too_large:
      co_return fail(Errc::too_large, fmt::format("the head of the answer from {} is too large", authority_));
    case Status::bad:
    case Status::need_more:
    case Status::head_done: break;
  }
  co_return fail(Errc::bad_input,
                 fmt::format("{} did not answer in HTTP: {}", authority_, connection.parser().error()));
}

awaitable<Result<Response>> BeastTransport::Impl::send(Request request, Time deadline) {
  if (pool_.closed()) co_return not_connected({});
  const Result<std::string> authorization = credentials_.authorization();
  if (!authorization) co_return not_connected(authorization.error().detail);
  Lease lease(pool_);
  const bool granted = co_await pool_.grant(lease, deadline);
  if (!granted) co_return not_connected("all connections are in use");
  const Result<> obtained = co_await obtain(lease, deadline);
  if (!obtained) {
    pool_.drop_idle();
    co_return obtained.error();
  }
  const tcp::endpoint address = lease.connection().peer();
  Result<Response> response = co_await exchange(lease, request, *authorization, deadline);
  if (!response) addresses_.failed(address);
  const bool leave = !response || addresses_.answered(address, response->status);
  if (leave) pool_.drop_idle();  // what broke one has likely broken all, and a new one looks the name up
  co_return response;
}

BeastTransport::BeastTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

BeastTransport::~BeastTransport() = default;

Result<std::unique_ptr<BeastTransport>> BeastTransport::create(boost::asio::io_context& io, Clock& clock,
                                                               TransportOptions options) {
  Result<Url> url = parse_url(options.url);
  if (!url) return url.error();
  if (options.tls.cert_file.empty() != options.tls.key_file.empty())
    return fail(Errc::bad_input, "tls: cert_file and key_file go together");
  if (!options.auth.bearer_file.empty() && !(options.auth.username + options.auth.password_file).empty())
    return fail(Errc::bad_input, "auth: either bearer_file or basic, not both");
  if (options.auth.username.empty() != options.auth.password_file.empty())
    return fail(Errc::bad_input, "auth: username and password_file go together");
  for (const auto& [name, value] : options.headers.fields())
    if (name.empty() || !is_one_line(name) || !is_one_line(value))
      return fail(Errc::bad_input, fmt::format("a header must have a name and fit one line: \"{}\"", name));
  options.connections = std::max<std::size_t>(1, options.connections);
  if (!options.warn) options.warn = warn_on_stderr;
  return std::unique_ptr<BeastTransport>(
      new BeastTransport(std::make_unique<Impl>(io, clock, std::move(options), std::move(*url))));
}

awaitable<Result<Response>> BeastTransport::send(Request request, Time deadline) {
  return impl_->send(std::move(request), deadline);
}

void BeastTransport::close() { impl_->close(); }

}  // namespace tideover::http
