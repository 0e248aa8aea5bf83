#include "agent/operator_verbs.h"

#include <fmt/format.h>

#include "agent/redaction.h"
#include "agent/reject_store.h"

namespace tideover {

Result<Signal*> OperatorVerbs::find(std::string_view name) const {
  if (name.empty() && signals_.size() == 1) return signals_.front().get();
  std::string known;
  for (const auto& signal : signals_) {
    if (signal->name() == name) return signal.get();
    known.append(known.empty() ? "" : ", ").append(signal->name());
  }
  if (known.empty()) return fail(Errc::not_found, "no signal is on");
  return fail(name.empty() ? Errc::bad_input : Errc::not_found,
              fmt::format("name one of the signals that are on: {}", known));
}

Result<> OperatorVerbs::drop_cursor(std::string_view name, std::string_view destination) const {
  const Result<Signal*> signal = find(name);
  if (!signal) return signal.error();
  return (*signal)->drop_cursor(destination);
}

Result<> OperatorVerbs::retry_now(std::string_view name) const {
  const Result<Signal*> one = name.empty() ? Result<Signal*>(nullptr) : find(name);
  if (!one) return one.error();
  for (const auto& signal : signals_)
    if (*one == nullptr || *one == signal.get()) signal->retry_now();
  return boost::system::in_place_value;
}

awaitable<Result<admin::RejectPage>> OperatorVerbs::rejects(std::string name, std::string destination,
                                                            Seq from) const {
  const Result<Signal*> signal = find(name);
  if (!signal) co_return signal.error();
  const Redaction redact = redaction_of(config_, (*signal)->name(), destination);
  Result<admin::RejectPage> page =
      co_await read_rejects(store_, reader_, queue_, std::string((*signal)->name()), destination, from);
  if (page)
    for (admin::Reject& reject : page->rejects) reject.note.sentence = redact(reject.note.sentence);
  co_return page;
}

}  // namespace tideover
