#include "forwarders/http/message_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <variant>

namespace tideover::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;
using Status = MessageParser::Status;

// A field of five bytes takes over a hundred in memory: its bytes alone do not bound a head. Ten are usual.
constexpr std::size_t kFieldsMax = 256;

// What both kinds of message collect.
struct Collected {
  Request request;
  Response response;
  std::size_t head_bytes = 0;
  std::size_t fields = 0;
  std::size_t head_bytes_max = 0;
  std::string* body = nullptr;
  std::size_t body_room = 0;
  bool http_1_0 = false;
  bool head_done = false;
  std::string error;
};

std::string text(beast::string_view s) { return {s.data(), s.size()}; }

// Beast finds the parts; this puts them straight where the caller wants them.
template <bool is_request>
class Sink final : public beast::http::basic_parser<is_request> {
 public:
  explicit Sink(Collected& to) : to_(to) {
    this->header_limit(static_cast<std::uint32_t>(to.head_bytes_max));
    this->body_limit(boost::none);  // bounded by body_to()
  }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       error_code&) override {
    to_.request.method = text(method);
    to_.request.target = text(target);
    to_.http_1_0 = version == 10;
  }

  void on_response_impl(int code, beast::string_view, int version, error_code&) override {
    to_.response.status = code;
    to_.http_1_0 = version == 10;
  }

  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    // Counted here because Beast's own limit starts anew with every call once fields trickle in.
    to_.head_bytes += name.size() + value.size() + 4;
    if (to_.head_bytes > to_.head_bytes_max || ++to_.fields > kFieldsMax) {
      error = beast::http::error::header_limit;
      return;
    }
    if (to_.head_done) return;  // a trailer: nothing here reads one
    Headers& headers = is_request ? to_.request.headers : to_.response.headers;
    headers.add(text(name), text(value));
  }

  void on_header_impl(error_code&) override { to_.head_done = true; }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(beast::string_view bytes, error_code& error) override {
    return take(bytes, error);
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code& error) override {
    return take(bytes, error);
  }

  void on_finish_impl(error_code&) override {}

  std::size_t take(beast::string_view bytes, error_code& error) {
    if (to_.body == nullptr) return bytes.size();
    const std::size_t n = std::min<std::size_t>(bytes.size(), to_.body_room);
    to_.body->append(bytes.data(), n);
    to_.body_room -= n;
    if (n < bytes.size()) error = beast::http::error::body_limit;
    return n;
  }

  Collected& to_;
};

}  // namespace

struct MessageParser::Impl {
  Kind kind;
  Collected got;
  std::variant<std::monostate, Sink<true>, Sink<false>> sink;

  void restart() {
    const std::size_t head_bytes_max = got.head_bytes_max;
    got = Collected{};
    got.head_bytes_max = head_bytes_max;
    if (kind == Kind::request)
      sink.emplace<1>(got);
    else
      sink.emplace<2>(got);
  }

  template <class F>
  decltype(auto) with_sink(F f) {
    return kind == Kind::request ? f(std::get<1>(sink)) : f(std::get<2>(sink));
  }

  Status refuse(std::string sentence) {
    got.error = std::move(sentence);
    return Status::bad;
  }

  Status failed(const error_code& error) {
    if (error == beast::http::error::header_limit) return Status::head_too_large;
    if (error == beast::http::error::body_limit) return Status::body_too_large;
    return refuse(error.message());
  }

  // Framing that another party on the way may read differently is refused, not interpreted (RFC 9112
  // section 6.3): Beast takes care of length and encoding together, repeated lengths and repeated encodings.
  Status check_head() {
    const Headers& headers = kind == Kind::request ? got.request.headers : got.response.headers;
    std::size_t hosts = 0;
    for (const auto& [name, value] : headers.fields()) {
      if (same_name(name, "host")) ++hosts;
      if (!same_name(name, "transfer-encoding")) continue;
      if (got.http_1_0) return refuse("Transfer-Encoding in an HTTP/1.0 message");
      if (!same_name(value, "chunked")) return refuse("a Transfer-Encoding other than chunked");
    }
    if (kind == Kind::request && (hosts > 1 || (hosts == 0 && !got.http_1_0)))
      return refuse("an HTTP/1.1 request names its Host once");
    return Status::head_done;
  }
};

MessageParser::MessageParser(Kind kind, std::size_t head_bytes_max) : impl_(std::make_unique<Impl>()) {
  impl_->kind = kind;
  impl_->got.head_bytes_max = head_bytes_max;
  impl_->restart();
}

MessageParser::~MessageParser() = default;

void MessageParser::next() { impl_->restart(); }

void MessageParser::expect_bare() {
  impl_->with_sink([](auto& sink) { sink.skip(true); });
}

void MessageParser::body_to(std::string* body, std::size_t max) {
  impl_->got.body = body;
  impl_->got.body_room = max;
}

Status MessageParser::put(std::string_view input, std::size_t& used) {
  used = 0;
  const bool head_was_done = impl_->got.head_done;
  return impl_->with_sink([&](auto& sink) {
    while (!sink.is_done()) {
      if (used == input.size() && impl_->got.head_done) return Status::need_more;
      error_code error;
      used += sink.put({input.data() + used, input.size() - used}, error);
      if (impl_->got.head_done && !head_was_done && (!error || error == beast::http::error::need_more))
        return impl_->check_head();
      if (error == beast::http::error::need_more) return Status::need_more;
      if (error) return impl_->failed(error);
    }
    return Status::done;
  });
}

Status MessageParser::put_eof() {
  return impl_->with_sink([&](auto& sink) {
    error_code error = beast::http::error::end_of_stream;
    if (sink.got_some()) sink.put_eof(error);
    return error ? impl_->failed(error) : Status::done;
  });
}

Request& MessageParser::request() { return impl_->got.request; }
Response& MessageParser::response() { return impl_->got.response; }
bool MessageParser::chunked() const {
  return impl_->with_sink([](auto& sink) { return sink.chunked(); });
}
bool MessageParser::keep_alive() const {
  return impl_->with_sink([](auto& sink) { return sink.keep_alive(); });
}
bool MessageParser::http_1_0() const { return impl_->got.http_1_0; }

std::optional<std::uint64_t> MessageParser::content_length() const {
  const boost::optional<std::uint64_t> length =
      impl_->with_sink([](auto& sink) { return sink.content_length(); });
  if (!length) return std::nullopt;
  return *length;
}

const std::string& MessageParser::error() const { return impl_->got.error; }

}  // namespace tideover::http
