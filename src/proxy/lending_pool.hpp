// Objects that are lent and given back: as many as were ever lent at once, so that a warm worker
// allocates none.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace weir::proxy {

template <typename T>
class LendingPool {
 public:
  // `make` returns a unique_ptr<T>; called where all are lent.
  template <typename Make>
  [[nodiscard]] T* take(Make make) {
    if (idle_.empty()) {
      all_.push_back(make());
      idle_.reserve(all_.capacity());  // so that giving back never allocates
      return all_.back().get();
    }
    T* object = idle_.back();
    idle_.pop_back();
    return object;
  }
  void give(T* object) { idle_.push_back(object); }

 private:
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> idle_;
};

}  // namespace weir::proxy
