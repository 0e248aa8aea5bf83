#include "forwarders/http/tls_context.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace tideover::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr Duration kLookInterval = std::chrono::seconds(1);

Error unusable(const WatchedFile& file, const std::string& why) {
  return fail(Errc::bad_input, fmt::format("cannot use {}: {}", file.path(), why));
}

bool holds_authorities(ssl::context& context) {
  return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.native_handle()))) > 0;
}

Result<std::shared_ptr<ssl::context>> build(const WatchedFile& ca, const WatchedFile& cert,
                                            const WatchedFile& key) {
  ERR_clear_error();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(ssl::verify_peer);
  error_code error;
  // Without this a key under a passphrase would be asked for on the terminal.
  context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); },
                                 error);
  if (!ca.named()) {
    context->set_default_verify_paths(error);
  } else {
    context->add_certificate_authority(boost::asio::buffer(ca.content()), error);
    if (error) return unusable(ca, error.message());
    if (!holds_authorities(*context)) return unusable(ca, "it holds no certificate");
  }
  if (cert.named()) {
    context->use_certificate_chain(boost::asio::buffer(cert.content()), error);
    if (error) return unusable(cert, error.message());
    context->use_private_key(boost::asio::buffer(key.content()), ssl::context::pem, error);
    if (error) return unusable(key, error.message());
    if (SSL_CTX_check_private_key(context->native_handle()) != 1)
      return unusable(key, fmt::format("it does not belong to {}", cert.path()));
  }
  return context;
}

}  // namespace

TlsContext::TlsContext(const TlsOptions& options, Clock& clock, Warn warn)
    : clock_(clock),
      warn_(std::move(warn)),
      ca_(options.ca_file),
      cert_(options.cert_file),
      key_(options.key_file) {}

Result<> TlsContext::reload() {
  for (WatchedFile* file : {&ca_, &cert_, &key_}) {
    if (!file->named()) continue;
    const Result<bool> read = file->refresh();
    if (!read) return read.error();
    pending_ = pending_ || *read;
  }
  if (!pending_) return {};
  Result<std::shared_ptr<ssl::context>> built = build(ca_, cert_, key_);
  if (!built) return built.error();
  context_ = std::move(*built);
  pending_ = false;
  ++generation_;
  return {};
}

Result<std::shared_ptr<ssl::context>> TlsContext::current() {
  const Time now = clock_.now();
  if (now >= next_look_) {
    next_look_ = now + kLookInterval;
    const Result<> loaded = reload();
    const std::string problem = loaded ? std::string() : loaded.error().detail;
    if (!problem.empty() && problem != problem_) warn_(problem);
    problem_ = problem;
  }
  if (context_ == nullptr) return fail(Errc::connect_failed, problem_);
  return context_;
}

}  // namespace tideover::http
