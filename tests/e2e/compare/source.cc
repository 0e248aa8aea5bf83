#include "tests/e2e/compare/source.h"

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <snappy.h>
#include <sstream>

#include "samples.pb.h"

namespace tideover::compare {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr auto kReadDeadline = std::chrono::minutes(2);
constexpr int kMatchRegexp = 2;

Result<SampleSet> read_dump(const std::string& path, const Selection& selection) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::not_found, path + ": cannot be opened");
  google::protobuf::io::IstreamInputStream input(&file);
  SampleSet set;
  for (bool end = false; !end;) {
    pb::TimeSeries message;
    if (google::protobuf::util::ParseDelimitedFromZeroCopyStream(&message, &input, &end)) {
      add(set, message, selection);
    } else if (!end) {
      return fail(Errc::bad_input, path + ": not a dump, or cut short");
    }
  }
  sort(set);
  return set;
}

std::string read_request(const Selection& selection) {
  pb::ReadRequest request;
  pb::Query& query = *request.add_queries();
  query.set_start_timestamp_ms(selection.from_ms);
  query.set_end_timestamp_ms(selection.to_ms);
  pb::LabelMatcher& everything = *query.add_matchers();
  everything.set_type(kMatchRegexp);
  everything.set_name("__name__");
  everything.set_value(".*");
  std::string compressed;
  const std::string raw = request.SerializeAsString();
  snappy::Compress(raw.data(), raw.size(), &compressed);
  return compressed;
}

// HTTP/1.0: the answer ends where the connection ends, and is never chunked.
Result<std::string> post(const std::string& authority, const std::string& body) {
  const auto colon = authority.rfind(':');
  if (colon == std::string::npos) return fail(Errc::bad_input, authority + ": want http://HOST:PORT");
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(kReadDeadline);
  stream.connect(authority.substr(0, colon), authority.substr(colon + 1));
  stream
      << "POST /api/v1/read HTTP/1.0\r\nHost: " << authority << "\r\nContent-Length: " << body.size()
      << "\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\nAccept-Encoding: snappy\r\n"
         "X-Prometheus-Remote-Read-Version: 0.1.0\r\n\r\n"
      << body << std::flush;
  std::ostringstream received;
  received << stream.rdbuf();
  if (stream.error() && stream.error() != boost::asio::error::eof) {
    return fail(Errc::connection_lost, authority + ": " + stream.error().message());
  }
  std::string answer = std::move(received).str();
  const auto head = answer.find("\r\n\r\n");
  if (head == std::string::npos) return fail(Errc::connection_lost, authority + ": no answer");
  if (answer.substr(8, 5) != " 200 ") return fail(Errc::bad_input, authority + ": " + answer.substr(0, 400));
  return answer.substr(head + 4);
}

Result<SampleSet> read_server(const std::string& authority, const Selection& selection) {
  const Result<std::string> body = post(authority, read_request(selection));
  if (!body) return body.error();
  std::string raw;
  pb::ReadResponse response;
  if (!snappy::Uncompress(body->data(), body->size(), &raw) || !response.ParseFromString(raw)) {
    return fail(Errc::bad_input, authority + ": the answer does not decode");
  }
  SampleSet set;
  for (const pb::QueryResult& result : response.results()) {
    for (const pb::TimeSeries& series : result.timeseries()) add(set, series, selection);
  }
  sort(set);
  return set;
}

}  // namespace

Result<SampleSet> read_source(const std::string& source, const Selection& selection) {
  if (source.starts_with(kHttp)) return read_server(source.substr(kHttp.size()), selection);
  return read_dump(source, selection);
}

}  // namespace tideover::compare
