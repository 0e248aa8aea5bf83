#include "tests/support/loki_surface.h"

#include <boost/json.hpp>
#include <limits>
#include <optional>
#include <snappy.h>
#include <string_view>
#include <type_traits>
#include <zlib.h>

namespace tideover::test {
namespace {

constexpr std::size_t kPlainBytesMax = 256 << 20;

http::Response text(int status, std::string body) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

// gzip or zlib, by its head.
std::optional<std::string> inflated(std::string body) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 32) != Z_OK) return std::nullopt;
  std::string plain;
  char block[65536];
  stream.next_in = reinterpret_cast<Bytef*>(body.data());
  stream.avail_in = static_cast<uInt>(body.size());
  int state = Z_OK;
  while (state == Z_OK && plain.size() < kPlainBytesMax) {
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = sizeof block;
    state = ::inflate(&stream, Z_NO_FLUSH);
    plain.append(block, sizeof block - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (state != Z_STREAM_END) return std::nullopt;
  return plain;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= bytes.size() - i ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

// Sets `field` from `value` when its type fits.
template <class Field>
bool set(Field& field, const boost::json::value& value) {
  if constexpr (std::is_same_v<Field, bool>) {
    if (value.is_bool()) field = value.get_bool();
    return value.is_bool();
  } else {
    boost::json::error_code error;
    const double number = value.to_number<double>(error);
    if (!error) field = static_cast<Field>(number);
    return !error;
  }
}

bool set_by_name(std::string_view name, const boost::json::value& value, LokiLimits& limits,
                 LokiFaults& faults) {
#define TIDEOVER_FIELD(of, field) \
  if (name == #field) return set(of.field, value)
  TIDEOVER_FIELD(limits, reject_old_samples);
  TIDEOVER_FIELD(limits, reject_old_samples_max_age);
  TIDEOVER_FIELD(limits, creation_grace_period);
  TIDEOVER_FIELD(limits, max_line_size);
  TIDEOVER_FIELD(limits, max_line_size_truncate);
  TIDEOVER_FIELD(limits, allow_structured_metadata);
  TIDEOVER_FIELD(limits, max_structured_metadata_size);
  TIDEOVER_FIELD(limits, max_structured_metadata_entries_count);
  TIDEOVER_FIELD(limits, max_label_names_per_series);
  TIDEOVER_FIELD(limits, max_label_name_length);
  TIDEOVER_FIELD(limits, max_label_value_length);
  TIDEOVER_FIELD(limits, discover_service_name);
  TIDEOVER_FIELD(limits, ingestion_rate);
  TIDEOVER_FIELD(limits, ingestion_burst);
  TIDEOVER_FIELD(limits, block_ingestion_status_code);
  TIDEOVER_FIELD(limits, ingesters);
  TIDEOVER_FIELD(limits, max_global_streams_per_user);
  TIDEOVER_FIELD(limits, shard_streams);
  TIDEOVER_FIELD(limits, per_stream_rate_limit);
  TIDEOVER_FIELD(limits, per_stream_rate_limit_burst);
  TIDEOVER_FIELD(limits, window);
  TIDEOVER_FIELD(limits, stream_idle);
  TIDEOVER_FIELD(limits, chunk_block_size);
  TIDEOVER_FIELD(faults, down);
  TIDEOVER_FIELD(faults, fails_after_storing);
  TIDEOVER_FIELD(faults, delay_ms);
#undef TIDEOVER_FIELD
  return false;
}

boost::json::object json_of(const std::map<std::string, std::uint64_t>& counts) {
  boost::json::object object;
  for (const auto& [reason, n] : counts) object[reason] = n;
  return object;
}

}  // namespace

http::Response LokiSurface::push(const http::Request& request, std::int64_t now_ns) {
  if (faults_.down) return text(503, "down\n");
  const std::string type(request.headers.find("Content-Type"));
  const std::string_view encoding = request.headers.find("Content-Encoding");
  if (type.empty()) return text(400, "mime: no media type\n");
  const bool json = type.starts_with("application/json");
  std::string body = request.body;
  if (encoding == "gzip" || encoding == "deflate") {
    auto plain = inflated(std::move(body));
    if (!plain) return text(400, "gzip: invalid header\n");
    body = *std::move(plain);
  } else if (!encoding.empty() && (json || encoding != "snappy")) {
    return text(400, "Content-Encoding \"" + std::string(encoding) + "\" not supported\n");
  }
  std::size_t declared = 0;
  if (!json) {
    std::string plain;
    const bool fits = snappy::GetUncompressedLength(body.data(), body.size(), &declared) &&
                      declared <= kPlainBytesMax && snappy::Uncompress(body.data(), body.size(), &plain);
    if (!fits) return text(400, "snappy: corrupt input\n");
    body = std::move(plain);
  }
  const auto decoded = json ? loki_push_of_json(body) : pushed_as_generated_code_reads(body);
  if (!decoded) return text(400, json ? "couldn't parse push request: json\n" : "proto: illegal wireType\n");
  http::Response response = model_.push(std::string(request.headers.find("X-Scope-OrgID")), *decoded, now_ns);
  if (faults_.fails_after_storing) return text(500, "rpc error: code = DeadlineExceeded\n");
  return response;
}

http::Response LokiSurface::set_mode(const std::string& body) {
  boost::json::error_code error;
  const auto value = boost::json::parse(body, error);
  if (error || !value.is_object()) return text(400, "the mode is a JSON object\n");
  LokiLimits limits = model_.limits();
  LokiFaults faults = faults_;
  for (const auto& [name, wanted] : value.get_object())
    if (!set_by_name({name.data(), name.size()}, wanted, limits, faults))
      return text(400,
                  "no limit or fault with such a value: " + std::string(name.data(), name.size()) + "\n");
  if (limits.ingesters == 0) return text(400, "there is at least one ingester\n");
  model_.set_limits(limits);
  faults_ = faults;
  return {204, {}, ""};
}

http::Response LokiSurface::lines() const {
  std::string body;
  for (const LokiLine& line : model_.lines()) {
    boost::json::array metadata;
    for (const auto& [name, value] : line.entry.metadata)
      metadata.push_back(boost::json::array{boost::json::string(name), boost::json::string(value)});
    const boost::json::object object{{"tenant", line.tenant},
                                     {"labels", line.labels},
                                     {"ts", std::to_string(line.entry.ns)},
                                     {"metadata", std::move(metadata)},
                                     {"line", base64(line.entry.line)}};
    body += boost::json::serialize(object) + "\n";
  }
  return {200, {{"Content-Type", "application/x-ndjson"}}, std::move(body)};
}

http::Response LokiSurface::discarded() const {
  const LokiDiscards& discards = model_.discards();
  const boost::json::object object{{"answered", json_of(discards.answered)},
                                   {"silent", json_of(discards.silent)},
                                   {"duplicates", discards.duplicates}};
  return {200, {{"Content-Type", "application/json"}}, boost::json::serialize(object) + "\n"};
}

http::Response LokiSurface::answer(const http::Request& request, std::int64_t now_ns) {
  const std::string_view path = http::path_of(request.target);
  const bool post = request.method == "POST";
  if (post && path == "/loki/api/v1/push") return push(request, now_ns);
  if (post && path == "/model/mode") return set_mode(request.body);
  if (!post && path == "/model/lines") return lines();
  if (!post && path == "/model/discarded") return discarded();
  if (!post && path == "/ready") return faults_.down ? text(503, "down\n") : text(200, "ready\n");
  if (post && path == "/model/restart") {
    model_.restart();
    return {204, {}, ""};
  }
  return text(404, "404 page not found\n");
}

}  // namespace tideover::test
