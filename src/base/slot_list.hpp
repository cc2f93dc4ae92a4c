// Owned objects that end themselves from within their own event functions.
//
// retire() takes an object out and keeps it until bury(), which the owner calls where no function
// of such an object is on the stack. O(1) each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace weir {

// T has a public member `std::uint32_t slot`.
template <typename T>
class SlotList {
 public:
  T* add(std::unique_ptr<T> object) {
    object->slot = static_cast<std::uint32_t>(objects_.size());
    objects_.push_back(std::move(object));
    return objects_.back().get();
  }

  void retire(T* object) {
    const std::size_t slot = object->slot;
    retired_.push_back(std::move(objects_[slot]));
    if (slot + 1 != objects_.size()) {
      objects_[slot] = std::move(objects_.back());
      objects_[slot]->slot = static_cast<std::uint32_t>(slot);
    }
    objects_.pop_back();
  }

  void bury() { retired_.clear(); }
  [[nodiscard]] bool has_retired() const { return !retired_.empty(); }
  // Those that have not been retired. `use` may retire any.
  template <typename Use>
  void for_each(Use use) {
    std::vector<T*> all;
    all.reserve(objects_.size());
    for (const auto& object : objects_) all.push_back(object.get());
    for (T* object : all) use(*object);
  }
  [[nodiscard]] std::size_t size() const { return objects_.size(); }

 private:
  std::vector<std::unique_ptr<T>> objects_, retired_;
};

}  // namespace weir
