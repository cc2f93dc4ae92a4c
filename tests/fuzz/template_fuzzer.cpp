// Any text as a template: it is parsed and prepared without a crash, within bounds, and what is
// refused is refused with a reason that names the file.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "stacks/plan.hpp"
#include "stacks/resolve.hpp"

namespace {

using namespace weir::stacks;

Environment make_environment() {
  Environment environment;
  environment.stack_name = "stack";
  environment.stack_id = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/0";
  environment.default_vpc_id = "vpc-1";
  environment.default_subnets = {{"us-east-1a", "subnet-1"}, {"us-east-1b", "subnet-2"}};
  environment.vpc_ids = {"vpc-1"};
  environment.subnet_ids = {"subnet-1", "subnet-2"};
  return environment;
}

// Everything exists: what only a creation resolves is resolved as well.
void resolve_all(const Prepared& prepared) {
  std::map<std::string, Made> made;
  for (const PlannedResource& resource : prepared.plan.resources) {
    made[resource.logical_id] = {"id-1", {{"GroupId", "sg-1"}, {"DNSName", "a.localhost"}}};
  }
  weir::stacks::Diagnostics diagnostics("fuzz.yaml");
  Resolver resolver(prepared.tmpl, prepared.parameters, prepared.environment, made, diagnostics);
  for (const PlannedResource& resource : prepared.plan.resources) {
    const auto properties =
        resolver.resolve(prepared.tmpl.resource(resource.logical_id)->properties, "");
    if (properties) static_cast<void>(to_json(*properties));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Environment environment = make_environment();
  CreateInput input;
  input.name = "stack";
  input.file_name = "fuzz.yaml";
  input.template_body.assign(reinterpret_cast<const char*>(data), size);
  const auto prepared = prepare(input, environment);
  if (prepared) {
    resolve_all(*prepared);
  } else if (!prepared.error().message.starts_with("fuzz.yaml")) {
    std::abort();
  }
  return 0;
}
