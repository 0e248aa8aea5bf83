// Writes the seeds that are made by hand: fuzz_make_seeds CORPUS. Everything else in the corpora was found
// from these.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/wire.h"
#include "tests/fuzz/loki_seeds.h"
#include "tests/support/capture.h"
#include "tests/support/write_request_builder.h"

namespace tideover::fuzz {
namespace {

namespace fs = std::filesystem;
namespace wire = remote_write::wire;
using remote_write::Version;
using test::WriteRequest;

void write(const fs::path& folder, const Seeds& seeds) {
  fs::create_directories(folder);
  for (const auto& [name, bytes] : seeds) std::ofstream(folder / name, std::ios::binary) << bytes;
}

// The first samples of a captured request.
std::string captured(Version version, std::size_t items) {
  const auto records = test::stored_records({test::read_capture(version, 1).front().body}, version);
  const auto message = remote_write::Message::decode(records);
  return test::snappy_plain(message->encode(0, items, version, {}).body);
}

std::string everything(Version version) {
  WriteRequest request;
  request.series({{"__name__", "up"}, {"job", "node"}}).sample(1000, 1.5, 10).stale(2000);
  request.metadata({"up", 2, "Whether it is up.", "ratio"});
  request.exemplar({{"trace_id", "abc"}}, 0.25, 999);
  request.series({{"__name__", "rpc"}, {"größe", "日本"}}).histogram(test::valid_histogram(3000));
  test::HistogramSpec custom = test::valid_histogram(4000);
  custom.is_float = true;
  custom.schema = -53;
  custom.zero_count = custom.zero_threshold = 0;
  custom.custom_values = {1, 2, 3, 4};
  request.series({{"__name__", "custom_seconds_count"}}).histogram(custom);
  request.metadata({"custom_seconds", 3, "", ""});
  return request.encode(version);
}

std::string faulty(Version version) {
  WriteRequest request;
  request.series({{"__name__", "good"}, {"job", "node"}}).sample(1000, 1);
  request.series({{"job", "nameless"}}).sample(1000, 1);
  request.series({{"__name__", "empty"}, {"job", ""}}).sample(1000, 1);
  request.series({{"__name__", "twice"}, {"job", "a"}, {"job", "b"}}).sample(1000, 1);
  request.series({{"__name__", "bytes"}, {"job", "\xc3\x28"}}).sample(1000, 1);
  request.series({{"z", "unsorted"}, {"__name__", "unsorted"}}).sample(-1, 1);
  test::HistogramSpec miscounted = test::valid_histogram(3000);
  miscounted.count += 1;
  request.series({{"__name__", "miscounted"}}).histogram(miscounted);
  return request.encode(version);
}

// Series on both sides of every border of the rules for histograms.
std::string histogram_borders(Version version) {
  WriteRequest request;
  const auto add = [&request](auto change) {
    test::HistogramSpec spec = test::valid_histogram(1000);
    change(spec);
    request.series({{"__name__", "h"}}).histogram(spec);
  };
  const auto custom = [&add](std::vector<double> bounds) {
    add([&bounds](auto& h) {
      h.schema = -53;
      h.count -= h.zero_count;
      h.zero_count = h.zero_threshold = 0;
      h.custom_values = bounds;
    });
  };
  for (const int schema : {-5, -4, 8, 9, 52, 53, -52, -54}) add([schema](auto& h) { h.schema = schema; });
  for (const int offset : {-1, 0}) {
    add([offset](auto& h) { h.positive_spans[0].first = offset; });
    add([offset](auto& h) { h.positive_spans[1].first = offset; });
  }
  for (const double more : {-1.0, 1.0}) {
    add([more](auto& h) { h.count += more; });
    add([more](auto& h) { h.count += more, h.sum = std::nan(""); });
    add([more](auto& h) { h.is_float = true, h.zero_count = more / 2; });
    add([more](auto& h) { h.is_float = true, h.count = more; });
    add([more](auto& h) { h.is_float = true, h.positive_buckets[0] = more; });
    add([more](auto& h) { h.positive_buckets[0] += more; });
  }
  const double infinity = std::numeric_limits<double>::infinity();
  custom({1, 2, 3, 4});
  custom({1, 2, 2, 4});
  custom({1, 2, 3, infinity});
  custom({-infinity, 2, 3, 4});
  custom({1, std::nan(""), 3, 4});
  for (std::vector<double> bounds; bounds.size() < 6; bounds.push_back(static_cast<double>(bounds.size())))
    custom(bounds);
  return request.encode(version);
}

// Names that differ behind their eighth byte, or are prefixes of each other; sorted, unsorted, repeated.
std::string label_borders(Version version) {
  WriteRequest request;
  const auto add = [&request](std::initializer_list<std::string> names) {
    test::Labels labels;
    for (const std::string& name : names) labels.emplace_back(name, "x");
    request.series(labels).sample(1, 1);
  };
  add({"__name__", "abcdefgh1", "abcdefgh2"});
  add({"__name__", "abcdefgh2", "abcdefgh1"});
  add({"__name__", "abcdefgh", "abcdefgh1"});
  add({"__name__", "abcdefgh1", "abcdefgh"});
  add({"__name__", "abcdefgh1", "abcdefgh1"});
  add({"__name__", "abcdefgh1", "abcdefgh2", "abcdefgh1"});
  add({"__name__", "a", std::string("a\0", 2)});
  add({"__name__", std::string("a\0", 2), "a"});
  add({"__name__x"});
  add({"__name_"});
  add({"A", "__name__"});
  for (const std::size_t size : {121u, 122u, 123u, 124u, 127u, 128u})
    request.series({{"__name__", std::string(size, 'v')}}).sample(1, 1);
  return request.encode(version);
}

// Numbers in more bytes than they need, up to one too many: of a tag, of a length, of a value.
Seeds long_numbers() {
  const auto padded = [](unsigned number, int bytes) {
    std::string text(1, static_cast<char>(number | 0x80));
    text.append(static_cast<std::size_t>(bytes - 2), '\x80');
    return text + '\0';
  };
  const std::string unknown = "\x78";  // field 15, a number
  Seeds seeds;
  for (const int bytes : {5, 6}) {
    seeds.emplace_back("tag_of_" + std::to_string(bytes), padded(0x78, bytes) + "\x01");
    seeds.emplace_back("length_of_" + std::to_string(bytes), "\x7a" + padded(1, bytes) + "x");
  }
  for (const int bytes : {10, 11})
    seeds.emplace_back("number_of_" + std::to_string(bytes), unknown + padded(1, bytes));
  seeds.emplace_back("tag_zero", std::string("\0\0", 2));
  seeds.emplace_back("length_beyond_4_gib", std::string("\x7a\x81\x80\x80\x80\x10x", 7));
  return seeds;
}

// Labels of 1.0 in forms that no sender writes: swapped, repeated, with something behind, with nothing.
std::string odd_labels() {
  const auto field = [](std::uint32_t number, std::string_view bytes) {
    std::string out;
    wire::put_bytes(out, number, bytes);
    return out;
  };
  const std::string name = field(1, "__name__");
  const std::string value = field(2, "up");
  std::string request;
  for (const std::string& label :
       {name + value, value + name, name + value + field(2, {}), name + value + field(3, "x"),
        name + value + "\x18\x01", name, value, std::string()})
    request += field(1, field(1, label) + field(2, {}));
  return request;
}

// References of 2.0 on both sides of the end of a table of three symbols.
std::string reference_borders() {
  std::string request;
  for (const std::string_view symbol : {"", "__name__", "up"}) wire::put_bytes(request, 4, symbol);
  const auto add = [&request](const std::string& refs, const std::string& rest) {
    std::string series;
    wire::put_bytes(series, 1, refs);
    wire::put_bytes(series, 2, {});
    wire::put_bytes(request, 5, series + rest);
  };
  const std::string good("\x01\x02", 2);
  for (const char last : {'\x02', '\x03'}) {
    add(std::string("\x01", 1) + last, {});
    add(last + std::string("\x02", 1), {});
    add(good, std::string("\x2a\x04\x18", 3) + last + std::string("\x20\x00", 2));  // metadata: help
    add(good, std::string("\x2a\x02\x20", 3) + last);                               // metadata: unit
    add(good, std::string("\x22\x04\x0a\x02\x01", 5) + last);                       // exemplar
  }
  add(std::string("\x01", 1), {});
  add(good + '\x01', {});
  add(good, std::string("\x2a\x02\x18\x02\x12\x00", 6));          // metadata before the last sample
  add(good, std::string("\x2a\x02\x08\x01\x2a\x02\x18\x02", 8));  // metadata in two parts
  add(std::string("\x80\x80\x80\x80\x10\x01", 6), {});            // 2^32: only its lower half counts
  add(std::string("\x81\x80\x80\x80\x10\x82\x80\x80\x80\x10", 10), {});
  return request;
}

// An unknown field of groups in groups.
std::string nested_groups(int depth) {
  std::string bytes;
  for (int i = 0; i < depth; ++i) wire::put_varint(bytes, wire::tag_of(9, wire::kGroupStart));
  for (int i = 0; i < depth; ++i) wire::put_varint(bytes, wire::tag_of(9, wire::kGroupEnd));
  return bytes;
}

Seeds requests(Version version) {
  const std::string all = everything(version);
  Seeds seeds{{"captured", captured(version, 8)},
              {"everything", all},
              {"faulty", faulty(version)},
              {"groups_as_deep_as_allowed", all + nested_groups(wire::kGroupDepthMax)},
              {"groups_too_deep", all + nested_groups(wire::kGroupDepthMax + 1)},
              {"cut_short", all.substr(0, all.size() - 1)},
              {"twice", all + all},
              {"histogram_borders", histogram_borders(version)},
              {"label_borders", label_borders(version)}};
  for (auto& seed : long_numbers()) seeds.push_back(std::move(seed));
  if (version == Version::v1) {
    seeds.emplace_back("odd_labels", odd_labels());
    return seeds;
  }
  seeds.emplace_back("reference_borders", reference_borders());
  std::string late;  // symbols behind the series that refer to them
  wire::put_bytes(late, 5, std::string("\x0a\x02\x01\x02\x12\x00", 6));
  for (const std::string_view symbol : {"", "__name__", "up"}) wire::put_bytes(late, 4, symbol);
  std::string unpacked;
  for (const std::string_view symbol : {"", "__name__", "up"}) wire::put_bytes(unpacked, 4, symbol);
  wire::put_bytes(unpacked, 5, std::string("\x08\x01\x08\x02\x12\x00", 6));
  std::string not_empty_first;
  wire::put_bytes(not_empty_first, 4, "x");
  seeds.insert(seeds.end(),
               {{"late_symbols", late}, {"unpacked", unpacked}, {"first_symbol_not_empty", not_empty_first}});
  return seeds;
}

std::string records(const std::vector<std::string>& raws, std::uint64_t cut) {
  std::string bytes;
  for (const std::string& raw : raws) wire::put_bytes(bytes, 1, raw);
  wire::put_number(bytes, 2, cut);
  return bytes;
}

Seeds merges(Version version) {
  const std::string all = everything(version);
  const std::string odd = version == Version::v1 ? odd_labels() : reference_borders();
  WriteRequest timeless;  // its points have no say in when the oldest is
  timeless.series({{"__name__", "up"}}).exemplar({{"trace_id", "abc"}}, 0.25, 999);
  timeless.metadata({"up", 2, "help", ""});
  return {{"lone", records({all}, 1)},
          {"three", records({all, faulty(version), all}, 3)},
          {"borders", records({label_borders(version), histogram_borders(version), odd}, 5)},
          {"timeless", records({timeless.encode(version), all, timeless.encode(version)}, 2)},
          {"captured", records({captured(version, 6), captured(version, 9)}, 4)}};
}

}  // namespace
}  // namespace tideover::fuzz

int main(int count, char** arguments) {
  using namespace tideover::fuzz;
  if (count != 2) {
    std::fprintf(stderr, "usage: fuzz_make_seeds CORPUS\n");
    return 2;
  }
  const fs::path corpus(arguments[1]);
  write(corpus / "loki_push", loki_pushes());
  write(corpus / "loki_json", loki_texts());
  write(corpus / "scan_v1", requests(Version::v1));
  write(corpus / "scan_v2", requests(Version::v2));
  write(corpus / "merge_v1", merges(Version::v1));
  write(corpus / "merge_v2", merges(Version::v2));
}
