// The targets of a group, shared by all snapshots in which nothing about them changes.
//
// A value: copying costs a pointer, editing a copy of it copies the pointers to the targets, not
// the targets. Reading is for any thread, editing for the one that makes the list.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace weir::routing {

struct Target;

class TargetList {
  using Pointers = std::vector<std::shared_ptr<const Target>>;

 public:
  class Iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Target;
    using difference_type = std::ptrdiff_t;
    using pointer = const Target*;
    using reference = const Target&;

    Iterator() = default;
    explicit Iterator(Pointers::const_iterator at) : at_(at) {}
    reference operator*() const { return **at_; }
    pointer operator->() const { return at_->get(); }
    reference operator[](difference_type by) const { return *at_[by]; }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this += -1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    Iterator& operator+=(difference_type by) {
      at_ += by;
      return *this;
    }
    Iterator& operator-=(difference_type by) { return *this += -by; }
    friend Iterator operator+(Iterator at, difference_type by) { return at += by; }
    friend Iterator operator+(difference_type by, Iterator at) { return at += by; }
    friend Iterator operator-(Iterator at, difference_type by) { return at -= by; }
    friend difference_type operator-(Iterator a, Iterator b) { return a.at_ - b.at_; }
    friend auto operator<=>(Iterator, Iterator) = default;

   private:
    Pointers::const_iterator at_;
  };

  [[nodiscard]] std::size_t size() const { return pointers().size(); }
  [[nodiscard]] bool empty() const { return pointers().empty(); }
  [[nodiscard]] Iterator begin() const { return Iterator(pointers().begin()); }
  [[nodiscard]] Iterator end() const { return Iterator(pointers().end()); }
  [[nodiscard]] const Target& operator[](std::size_t at) const { return *pointers()[at]; }
  [[nodiscard]] const Target& at(std::size_t at) const { return *pointers().at(at); }
  [[nodiscard]] const Target& front() const { return *pointers().front(); }
  [[nodiscard]] const Target& back() const { return *pointers().back(); }

  void push_back(Target target);
  void insert(Iterator before, Target target);
  void replace(Iterator at, Target target);
  void erase(Iterator at);
  void clear() { pointers_.reset(); }
  void reserve(std::size_t count) { own().reserve(count); }

 private:
  [[nodiscard]] const Pointers& pointers() const {
    static const Pointers none;
    return pointers_ ? *pointers_ : none;
  }
  // To write to: shared with nobody.
  [[nodiscard]] Pointers& own();

  std::shared_ptr<Pointers> pointers_;
};

}  // namespace weir::routing
