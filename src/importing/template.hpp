// The template of an inventory: CloudFormation in YAML, which `weir up` runs and AWS takes too.
//
// What belongs to the place (VPC, subnets, certificates) becomes parameters; what is in the
// template is referred to by !Ref. Nothing is opened by what Weir cannot do: where an action has no
// counterpart, its rule answers 503; a rule with a condition that Weir does not know is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "importing/reader.hpp"

namespace weir::importing {

struct ImportedTemplate {
  std::string text;                  // with the notices as comments at its head
  std::vector<std::string> notices;  // a line each, printable
};

// `source`: where it is from, for people: "eu-west-1". Any inventory gives a template that can be
// parsed.
[[nodiscard]] ImportedTemplate make_template(const Inventory& inventory, std::string_view source);

}  // namespace weir::importing
