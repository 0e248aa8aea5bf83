#include "forwarders/reject_record.h"

#include <boost/json.hpp>

#include "wal/base/utf8.h"

namespace tideover::forward {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kItemBytes = 1'000;  // a series may have labels without end

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

}  // namespace

wal::NewRecord reject_record(const RejectNote& note, const wal::NewRecord& refused) {
  const boost::json::object head{{"v", kVersion},
                                 {"reason", note.reason},
                                 {"destination", note.destination},
                                 {"refused_ms", note.refused_ms},
                                 {"encoding", note.encoding},
                                 {"units", note.units},
                                 {"item", utf8_front(note.item, kItemBytes)},
                                 {"sentence", note.sentence}};
  wal::NewRecord record;
  record.attributes = refused.attributes;
  record.attributes.encoding = kRejectEncoding;
  record.attributes.flags = 0;
  record.bytes.assign(wal::kEnvelopeBytes, '\0');
  record.bytes += boost::json::serialize(head);
  record.bytes += '\n';
  record.bytes += refused.payload();
  return record;
}

Result<RejectView> read_reject(std::string_view payload) {
  const std::size_t end = payload.find('\n');
  if (end == payload.npos) return fail(Errc::bad_input, "a dead letter begins with a line of JSON");
  boost::system::error_code error;
  const boost::json::value head = boost::json::parse(payload.substr(0, end), error);
  if (error || !head.is_object())
    return fail(Errc::bad_input, "the first line of a dead letter is a JSON object");
  const boost::json::object& object = head.get_object();
  if (number_of(object, "v") != kVersion) return fail(Errc::bad_input, "a dead letter of an unknown version");
  RejectView view;
  view.note.reason = text_of(object, "reason");
  view.note.destination = text_of(object, "destination");
  view.note.refused_ms = number_of(object, "refused_ms");
  view.note.encoding = static_cast<std::uint16_t>(number_of(object, "encoding"));
  view.note.units = static_cast<std::uint64_t>(number_of(object, "units"));
  view.note.item = text_of(object, "item");
  view.note.sentence = text_of(object, "sentence");
  view.message = payload.substr(end + 1);
  return view;
}

}  // namespace tideover::forward
