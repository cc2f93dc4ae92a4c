#include "routing/target_list.hpp"

#include "routing/snapshot.hpp"

namespace weir::routing {

TargetList::Pointers& TargetList::own() {
  if (!pointers_ || pointers_.use_count() > 1)
    pointers_ = std::make_shared<Pointers>(pointers_ ? *pointers_ : Pointers());
  return *pointers_;
}

void TargetList::push_back(Target target) {
  own().push_back(std::make_shared<const Target>(std::move(target)));
}

// Positions: making the list our own may move it.
void TargetList::insert(Iterator before, Target target) {
  const auto position = before - begin();
  Pointers& mine = own();
  mine.insert(mine.begin() + position, std::make_shared<const Target>(std::move(target)));
}

void TargetList::replace(Iterator at, Target target) {
  const auto position = static_cast<std::size_t>(at - begin());
  own()[position] = std::make_shared<const Target>(std::move(target));
}

void TargetList::erase(Iterator at) {
  const auto position = at - begin();
  Pointers& mine = own();
  mine.erase(mine.begin() + position);
}

}  // namespace weir::routing
