// Waits for a callback: the one bridge from "call me later" to a coroutine.
//
// `start` is called at once with a function that resumes the waiter with its value. That function may be
// called from anywhere, once; the waiter is resumed through its executor and never inline, so that the caller
// finishes first.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "wal/base/clock.h"

namespace tideover {

template <class T, class Start>
awaitable<T> await_callback(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable {
    // std::function wants copies, a handler has none: hence shared, and called by its one caller only.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start([shared](T value) {
      auto executor = boost::asio::get_associated_executor(*shared);
      boost::asio::post(
          executor, [shared, value = std::move(value)]() mutable { std::move (*shared)(std::move(value)); });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      std::move(initiate), boost::asio::use_awaitable);
}

}  // namespace tideover
