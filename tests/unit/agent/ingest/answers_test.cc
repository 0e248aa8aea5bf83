// tests/data/answers.json, a row a test: what the agent answers, and how much of the request it keeps. The
// scenario "answers" asks the same of the real binary and of a real Prometheus; tests/e2e/hostile/answers.py
// writes the table.
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "tests/unit/agent/ingest/fixture.h"

namespace tideover::ingest {
namespace {

namespace json = boost::json;

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::string text_of(const json::value& value) { return std::string(std::string_view(value.as_string())); }

http::Request request_of(const json::object& row) {
  http::Request request;
  request.method = "POST";
  request.target = "/api/v1/write";
  if (!row.at("content_type").is_null()) request.headers.add("Content-Type", text_of(row.at("content_type")));
  if (!row.at("content_encoding").is_null())
    request.headers.add("Content-Encoding", text_of(row.at("content_encoding")));
  for (const auto& [name, value] : row.at("headers").as_object())
    request.headers.add(std::string(std::string_view(name)), text_of(value));
  request.body = std::string(wal::kEnvelopeBytes, '\0') + bytes_of(text_of(row.at("body")));
  return request;
}

std::string written(const http::Response& response, const char* what) {
  return std::string(response.headers.find(std::string("X-Prometheus-Remote-Write-") + what + "-Written"));
}

void ask(test::IntakeFixture& f, const json::object& row) {
  INFO(text_of(row.at("name")));
  const http::Request request = request_of(row);
  const std::optional<http::Response> early = f.intake->check(request);
  const std::uint64_t before = f.metrics.floats + f.metrics.histograms;
  const http::Response response = early ? *early : f.run(f.intake->handle(request));
  CHECK(response.status == row.at("status").as_int64());
  CHECK(f.metrics.floats + f.metrics.histograms - before == row.at("stored").to_number<std::uint64_t>());
  CHECK((response.status == 204) == response.body.empty());
  if (row.at("written").is_null()) return;
  const json::array& counts = row.at("written").as_array();
  CHECK(written(response, "Samples") == json::serialize(counts.at(0)));
  CHECK(written(response, "Histograms") == json::serialize(counts.at(1)));
  CHECK(written(response, "Exemplars") == json::serialize(counts.at(2)));
}

TEST_CASE("every question of the table is answered as the table says") {
  std::ifstream file(TIDEOVER_TEST_DATA "/answers.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const json::value table = json::parse(text);
  REQUIRE(table.as_array().size() > 150);
  test::IntakeFixture f;
  std::uint64_t kept = 0;
  for (const json::value& row : table.as_array()) {
    ask(f, row.as_object());
    kept += row.at("stored").to_number<std::uint64_t>();
  }
  std::uint64_t in_queue = 0;
  for (const wal::StoredRecord& record : f.stored()) in_queue += record.attributes.units;
  CHECK(in_queue == kept);
}

TEST_CASE("where the answer is not that of Prometheus, the table says why") {
  std::ifstream file(TIDEOVER_TEST_DATA "/answers.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const json::value table = json::parse(text);
  for (const json::value& row : table.as_array()) {
    INFO(text_of(row.at("name")));
    const bool same =
        row.at("status") == row.at("prometheus_status") && row.at("stored") == row.at("prometheus_stored");
    CHECK(same == row.at("why").is_null());
  }
}

}  // namespace
}  // namespace tideover::ingest
