// A counted pointer for objects of one thread: no atomic operation on a request's way.
#pragma once

#include <cstdint>
#include <utility>

namespace weir {

// T has a public member `std::uint32_t references`, 0 at first.
template <typename T>
class LocalRef {
 public:
  LocalRef() = default;
  explicit LocalRef(T* object) : object_(object) { acquire(); }
  LocalRef(const LocalRef& other) : object_(other.object_) { acquire(); }
  LocalRef(LocalRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  LocalRef& operator=(LocalRef other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~LocalRef() { release(); }

  void reset() { *this = LocalRef(); }
  [[nodiscard]] T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  void acquire() {
    if (object_ != nullptr) ++object_->references;
  }
  void release() {
    if (object_ != nullptr && --object_->references == 0) delete object_;
  }

  T* object_ = nullptr;
};

}  // namespace weir
