// The texts below are those of Thanos 0.42.4 and Prometheus 3.15, as their sources print them.
#include "forwarders/thanos/classify.h"

#include <catch2/catch.hpp>

#include "forwarders/remote_write/remote_write.h"

namespace tideover::thanos {
namespace {

using forward::Action;
using forward::History;
using forward::Loss;
using forward::Sent;
using forward::Verdict;
using wal::Reason;

Sent sent_v1(std::uint64_t units) { return {units, remote_write::Version::v1}; }
Sent sent_v2(std::uint64_t units) { return {units, remote_write::Version::v2}; }

http::Response thanos_409(std::string causes) {
  return {409,
          {{"Content-Type", "text/plain; charset=utf-8"}},
          "store locally for endpoint 127.0.0.1:10901: writing locally: " + causes + "\n"};
}

http::Headers written(int samples, int histograms) {
  return {{"X-Prometheus-Remote-Write-Samples-Written", std::to_string(samples)},
          {"X-Prometheus-Remote-Write-Histograms-Written", std::to_string(histograms)},
          {"X-Prometheus-Remote-Write-Exemplars-Written", "0"}};
}

const std::string kMimirOld =
    "failed pushing to ingester mimir-1: user=app1: the sample has been rejected because its timestamp is "
    "too old "
    "(err-mimir-sample-timestamp-too-old). The affected sample has timestamp 2026-01-01T00:00:00Z\n";
const std::string kMimirLimit =
    "failed pushing to ingester mimir-1: user=app1: per-user series limit of 150000 exceeded "
    "(err-mimir-max-series-per-user). To adjust the related per-tenant limit, configure "
    "-ingester.max-global-series-per-user\n";

struct Before {
  History history;
  Versions versions = {};
};

Verdict classify(const Sent& sent, const Result<http::Response>& answer, const Before& before) {
  return classify(sent, answer, before.history, before.versions);
}

struct Row {
  std::string what;
  Sent sent;
  http::Response answer;
  Before before;
  Action action;
  std::vector<Loss> losses = {};
  bool rest_stored = false;
  bool probable_duplicate = false;
  std::uint64_t under_reported = 0;
};

const Before kFirst{{}};
const Before kDoubt{{.in_doubt = true}};
const Before kSingle{{.divisible = false}};
const Before kSingleDoubt{{.in_doubt = true, .divisible = false}};
const Before kParked{{.side = true, .overtaken = true}};
const Before kSideSingle{{.divisible = false, .side = true, .overtaken = true}};
const Before kOvertaken{{.in_doubt = true, .overtaken = true}};
const Before kSingleOvertaken{{.in_doubt = true, .divisible = false, .overtaken = true}};
const Before kWorks{{}, {.takes_v2 = true}};

TEST_CASE("every answer of the real receivers has its verdict") {
  const std::string series = " for series {__name__=\"up\", job=\"x\"}";
  const std::vector<Row> rows = {
      // 2xx
      {"Thanos takes 1.0", sent_v1(500), {200, {}, ""}, kFirst, Action::advance},
      {"Prometheus takes 1.0", sent_v1(500), {204, {}, ""}, kFirst, Action::advance},
      {"Prometheus takes 2.0", sent_v2(500), {204, written(400, 100), ""}, kFirst, Action::advance},
      {"Thanos 0.42 answers 2.0 and stores nothing", sent_v2(500), {200, {}, ""}, kFirst, Action::downgrade},
      {"the same, though 2.0 worked before", sent_v2(500), {200, {}, ""}, kWorks, Action::downgrade},
      {"zero written of many", sent_v2(500), {200, written(0, 0), ""}, kFirst, Action::downgrade},
      {"a count that is no number says nothing",
       sent_v2(500),
       {204, {{"X-Prometheus-Remote-Write-Samples-Written", "499.5"}}, ""},
       kFirst,
       Action::downgrade},
      {"zero written, but 2.0 is known to work",
       sent_v2(5),
       {204, written(0, 0), ""},
       kWorks,
       Action::advance,
       {},
       false,
       false,
       5},
      {"counts short",
       sent_v2(500),
       {204, written(490, 0), ""},
       kFirst,
       Action::advance,
       {},
       false,
       false,
       10},
      {"metadata alone needs no header", sent_v2(0), {200, {}, ""}, kFirst, Action::advance},
      // Thanos 409
      {"a window of zero, all of it",
       sent_v1(500),
       thanos_409("add 500 samples: out of bounds"),
       kFirst,
       Action::park,
       {},
       true},
      {"a window of 1 h, all of it",
       sent_v1(500),
       thanos_409("add 500 samples: too old sample"),
       kFirst,
       Action::park,
       {},
       true},
      {"the same after an ambiguous attempt",
       sent_v1(500),
       thanos_409("add 500 samples: too old sample"),
       kDoubt,
       Action::park,
       {},
       true},
      {"a few out of bounds among many",
       sent_v1(500),
       thanos_409("add 3 samples: out of bounds"),
       kFirst,
       Action::bisect,
       {},
       true},
      {"one, found", sent_v1(1), thanos_409("add 1 samples: out of bounds"), kSingle, Action::park, {}, true},
      {"a few, in the parked lane: looked for",
       sent_v1(500),
       thanos_409("add 3 samples: out of bounds"),
       kParked,
       Action::bisect,
       {},
       true},
      {"most, in the parked lane: looked for all the same",
       sent_v1(500),
       thanos_409("add 499 samples: too old sample"),
       kParked,
       Action::bisect,
       {},
       true},
      {"all, in the parked lane: there is nothing to look for",
       sent_v1(500),
       thanos_409("add 500 samples: too old sample"),
       kParked,
       Action::park,
       {},
       true},
      {"window and order mixed",
       sent_v1(500),
       thanos_409("2 errors: add 400 samples: out of bounds; add 7 samples: out of order sample"),
       kFirst,
       Action::park,
       {},
       true},
      {"out of order",
       sent_v1(500),
       thanos_409("add 7 samples: out of order sample"),
       kFirst,
       Action::advance,
       {{Reason::out_of_order, 7}}},
      {"another value",
       sent_v1(500),
       thanos_409("add 1 samples: duplicate sample for timestamp"),
       kFirst,
       Action::advance,
       {{Reason::duplicate, 1}}},
      {"both",
       sent_v1(500),
       thanos_409(
           "2 errors: add 2 samples: duplicate sample for timestamp; add 7 samples: out of order sample"),
       kFirst,
       Action::advance,
       {{Reason::out_of_order, 7}, {Reason::duplicate, 2}}},
      {"labels",
       sent_v1(500),
       thanos_409("add 4 series: out of order labels"),
       kFirst,
       Action::advance,
       {{Reason::bad_request, 4}}},
      {"empty labels",
       sent_v1(500),
       thanos_409("add 1 series: label set contains a label with empty name or value"),
       kFirst,
       Action::advance,
       {{Reason::bad_request, 1}}},
      {"exemplars alone lose no sample", sent_v1(500), thanos_409("add 9 exemplars: out of order exemplar"),
       kFirst, Action::advance},
      {"out of order after an ambiguous attempt",
       sent_v1(500),
       thanos_409("add 500 samples: out of order sample"),
       kDoubt,
       Action::advance,
       {},
       false,
       true},
      {"malformed labels are no duplicate, whatever arrived before",
       sent_v1(500),
       thanos_409("add 3 series: out of order labels"),
       kDoubt,
       Action::advance,
       {{Reason::bad_request, 3}}},
      {"malformed labels beside what arrived before",
       sent_v1(500),
       thanos_409("2 errors: add 400 samples: out of order sample; add 3 series: out of order labels"),
       kDoubt,
       Action::advance,
       {{Reason::bad_request, 3}},
       false,
       true},
      {"out of order in the parked lane",
       sent_v1(500),
       thanos_409("add 5 samples: out of order sample"),
       kParked,
       Action::bisect,
       {},
       true},
      {"out of order, but overtaken: no proof of arrival, so each is looked for",
       sent_v1(500),
       thanos_409("add 5 samples: out of order sample"),
       kOvertaken,
       Action::bisect,
       {},
       true},
      {"one out of order, but overtaken: kept",
       sent_v1(1),
       thanos_409("add 1 samples: out of order sample"),
       kSingleOvertaken,
       Action::park,
       {},
       true},
      {"a counted loss is never more than was sent",
       sent_v1(5),
       {409,
        {},
        "2 errors: forwarding request to endpoint {a}: rpc error: code = AlreadyExists desc = add 5 samples: "
        "out of order sample; forwarding request to endpoint {b}: rpc error: code = AlreadyExists desc = add "
        "5 samples: out of order sample"},
       kFirst,
       Action::advance,
       {{Reason::out_of_order, 5}}},
      {"a conflict in words that count counts whole",
       sent_v1(20),
       {409, {}, "duplicate sample for timestamp"},
       kFirst,
       Action::advance,
       {{Reason::duplicate, 20}}},
      {"a conflict that nobody understands gives up nothing unseen",
       sent_v1(20),
       {409, {}, "conflict"},
       kFirst,
       Action::bisect,
       {},
       true},
      {"the same in a side lane, of one",
       sent_v1(1),
       {409, {}, "conflict"},
       kSideSingle,
       Action::park,
       {},
       true},
      // Prometheus 400 to 1.0: rolled back as a whole
      {"Prometheus: too old, many", sent_v1(500), {400, {}, "too old sample\n"}, kFirst, Action::bisect},
      {"Prometheus: too old, one", sent_v1(1), {400, {}, "too old sample\n"}, kSingle, Action::park},
      {"Prometheus: ahead of its clock",
       sent_v1(1),
       {400, {}, "out of bounds: timestamp is too far in the future\n"},
       kSingle,
       Action::park},
      {"Prometheus: too old, in the parked lane: it names the first only",
       sent_v1(500),
       {400, {}, "too old sample\n"},
       kParked,
       Action::bisect},
      {"Prometheus: too old, one, in the parked lane",
       sent_v1(1),
       {400, {}, "too old sample\n"},
       kSideSingle,
       Action::park},
      {"a side lane keeps what is refused in words that nobody knows",
       sent_v1(1),
       {400, {}, "no\n"},
       kSideSingle,
       Action::park},
      {"a side lane gives up what is another value at its time",
       sent_v1(1),
       {400, {}, "duplicate sample for timestamp\n"},
       kSideSingle,
       Action::bisect},
      {"Prometheus 2.42: too old, with 500",
       sent_v1(500),
       {500, {}, "too old sample\n"},
       kFirst,
       Action::bisect},
      {"Prometheus 2.42: too old, one, with 500",
       sent_v1(1),
       {500, {}, "too old sample\n"},
       kSingle,
       Action::park},
      {"Prometheus 3: a histogram too old for 2.0, with 500",
       sent_v2(1),
       {500, written(0, 0), "too old sample for series {}\n"},
       kSingle,
       Action::park},
      {"a router that lacks a quorum, whatever it quotes",
       sent_v1(500),
       {500, {}, "2 errors: no quorum; store locally: add 5 samples: out of bounds\n"},
       kFirst,
       Action::retry},
      {"somebody on the way took us for gone",
       sent_v1(5),
       {499, {}, "context canceled\n"},
       kFirst,
       Action::retry},
      // Mimir and Cortex: the valid rest is stored, and the counts of 2.0 are those of what came
      {"Mimir: too old, one", sent_v1(1), {400, {}, kMimirOld}, kSingle, Action::park},
      {"Mimir: too old, many", sent_v1(500), {400, {}, kMimirOld}, kFirst, Action::bisect},
      {"Mimir, 2.0: too old, one of many",
       sent_v2(500),
       {400, written(500, 0), kMimirOld},
       kWorks,
       Action::bisect,
       {},
       true},
      {"Mimir: a limit of series, one", sent_v1(1), {400, {}, kMimirLimit}, kSingle, Action::park},
      {"Mimir, 2.0: a limit of series",
       sent_v2(500),
       {400, written(500, 0), kMimirLimit},
       kWorks,
       Action::bisect,
       {},
       true},
      {"2.0: words that nobody knows, and counts that say that nothing was refused",
       sent_v2(500),
       {400, written(500, 0), "no\n"},
       kWorks,
       Action::bisect,
       {},
       true},
      {"2.0: the same for exemplars alone loses no sample",
       sent_v2(500),
       {400, written(500, 0), "out of order exemplar for series {}\n"},
       kWorks,
       Action::advance},
      {"Cortex: out of order, one",
       sent_v1(1),
       {400, {}, "user=a: err: out of order sample. timestamp=9"},
       kSingle,
       Action::bisect},
      {"Prometheus: out of order, many",
       sent_v1(500),
       {400, {}, "out of order sample\n"},
       kFirst,
       Action::bisect},
      {"Prometheus: out of order, many, in doubt",
       sent_v1(500),
       {400, {}, "out of order sample\n"},
       kDoubt,
       Action::bisect},
      {"Prometheus: out of order, one: rejected by the sender",
       sent_v1(1),
       {400, {}, "out of order sample\n"},
       kSingle,
       Action::bisect},
      {"Prometheus: out of order, one, in doubt",
       sent_v1(1),
       {400, {}, "out of order sample\n"},
       kSingleDoubt,
       Action::advance,
       {},
       false,
       true},
      {"Prometheus: out of order, many, overtaken: none of them is stored",
       sent_v1(500),
       {400, {}, "out of order sample\n"},
       kOvertaken,
       Action::bisect},
      {"Prometheus: out of order, one, overtaken: kept",
       sent_v1(1),
       {400, {}, "out of order sample\n"},
       kSingleOvertaken,
       Action::park},
      {"Prometheus: an invalid histogram in doubt is no duplicate",
       sent_v1(1),
       {400, {}, "histogram has negative count\n"},
       kSingleDoubt,
       Action::bisect},
      {"Thanos: tenant", sent_v1(9), {400, {}, "tenant name not valid\n"}, kFirst, Action::bisect},
      {"422", sent_v1(9), {422, {}, "no\n"}, kFirst, Action::bisect},
      // Prometheus 400 to 2.0: the rest is written, and counted
      {"2.0: two of 500 out of order",
       sent_v2(500),
       {400, written(498, 0), "out of order sample" + series + "\nout of order sample" + series + "\n"},
       kFirst,
       Action::advance,
       {{Reason::out_of_order, 2}}},
      {"2.0: what is named is refused, although the counts say that all was written",
       sent_v2(500),
       {400, written(500, 0), "out of order sample" + series + "\nout of order sample" + series + "\n"},
       kFirst,
       Action::advance,
       {{Reason::out_of_order, 2}}},
      {"2.0: reasons are told apart",
       sent_v2(500),
       {400, written(490, 7),
        "out of order sample" + series + "\nduplicate sample for timestamp" + series +
            "\ninvalid metric name or labels\n"},
       kFirst,
       Action::advance,
       {{Reason::out_of_order, 1}, {Reason::duplicate, 2}}},
      {"2.0: a few too old",
       sent_v2(500),
       {400, written(499, 0), "too old sample" + series + "\n"},
       kFirst,
       Action::bisect,
       {},
       true},
      {"2.0: most too old",
       sent_v2(500),
       {400, written(9, 0), "too old sample" + series + "\n"},
       kFirst,
       Action::park,
       {},
       true},
      {"2.0: nothing written",
       sent_v2(500),
       {400, written(0, 0), "invalid metric name or labels\n"},
       kFirst,
       Action::bisect},
      {"2.0: out of order after an ambiguous attempt",
       sent_v2(500),
       {400, written(498, 0), "out of order sample" + series + "\n"},
       kDoubt,
       Action::advance,
       {},
       false,
       true},
      {"2.0: invalid after an ambiguous attempt",
       sent_v2(500),
       {400, written(499, 0), "invalid metric name or labels, got {}\n"},
       kDoubt,
       Action::advance,
       {{Reason::bad_request, 1}}},
      // 415
      {"no 2.0", sent_v2(500), {415, {}, "unsupported\n"}, kFirst, Action::downgrade},
      {"1.0 refused by a receiver that took it before", sent_v1(500), {415, {}, ""}, kWorks, Action::pause},
      {"no receiver at all", sent_v1(500), {415, {}, ""}, kFirst, Action::pause},
      // the common part
      {"Thanos is not ready", sent_v1(5), {503, {}, "target not ready\n"}, kFirst, Action::retry},
      {"Thanos: head series limit",
       sent_v1(5),
       {429, {}, "tenant is above active series limit\n"},
       kFirst,
       Action::retry},
      {"Thanos: size", sent_v1(5), {413, {}, "write request too large\n"}, kFirst, Action::halve},
      {"wrong path", sent_v1(5), {404, {}, "404 page not found\n"}, kFirst, Action::pause},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const Verdict verdict = classify(row.sent, row.answer, row.before);
    CHECK(verdict.action == row.action);
    CHECK(verdict.losses == row.losses);
    CHECK(verdict.rest_stored == row.rest_stored);
    CHECK(verdict.probable_duplicate == row.probable_duplicate);
    CHECK(verdict.beside.under_reported == row.under_reported);
    CHECK(verdict.sentence.starts_with("HTTP " + std::to_string(row.answer.status)));
  }
}

TEST_CASE("no answer means once more") {
  for (const Errc code : {Errc::connect_failed, Errc::timeout, Errc::connection_lost}) {
    const Result<http::Response> none = fail(code, "gone");
    CHECK(classify(sent_v1(5), none, kFirst).action == Action::retry);
  }
}

}  // namespace
}  // namespace tideover::thanos
