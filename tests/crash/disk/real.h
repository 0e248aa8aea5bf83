// What a wrapper of a function of the C library calls in the end.
#pragma once

#include <dlfcn.h>

namespace tideover::disk {

template <class Function>
Function* next_definition(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace tideover::disk

// The next definition of a function of the C library, found once.
#define REAL(name)                                                                         \
  ([] {                                                                                    \
    static auto* const found = ::tideover::disk::next_definition<decltype(::name)>(#name); \
    return found;                                                                          \
  }())
