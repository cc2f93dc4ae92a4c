#include "stacks/engine_impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "stacks/plan.hpp"
#include "stacks/provider.hpp"
#include "stacks/secrets.hpp"
#include "stacks/stack_work.hpp"

namespace weir::stacks {

namespace {

constexpr std::size_t stack_name_bytes_max = 128;

Status check_name(const std::string& name) {
  const bool is_plain =
      std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
  if (!name.empty() && name.size() <= stack_name_bytes_max && is_plain &&
      std::isalpha(static_cast<unsigned char>(name.front())) != 0) {
    return {};
  }
  return fail("ValidationError", fmt::format("'{}' is no stack name", name),
              "A name begins with a letter and has letters, digits and hyphens, at most 128.");
}

Error already_exists(const model::Stack& stack) {
  return {"AlreadyExistsException",
          fmt::format("there is a stack {} already, in state {}", stack.name, stack.status),
          fmt::format("Use another name, or remove it first: weir down {}", stack.name)};
}

}  // namespace

Status check_tags(const model::Tags& tags) {
  for (const auto& [key, value] : tags) {
    if (key.starts_with("aws:")) {
      return fail("ValidationError",
                  fmt::format("the tag {} is reserved: it begins with aws:", key));
    }
  }
  return {};
}

Status note_parameters(const Prepared& prepared, model::Stack& stack) {
  for (const PlannedParameter& parameter : prepared.plan.parameters) {
    stack.parameters[parameter.name] = parameter.value;
  }
  for (const ParameterDeclaration& parameter : prepared.tmpl.parameters) {
    if (!parameter.no_echo) continue;
    auto sealed = seal(prepared.parameters.values.at(parameter.name).text);
    if (!sealed) return std::unexpected(sealed.error());
    stack.secrets[parameter.name] = std::move(*sealed);
  }
  return {};
}

std::set<std::string> retained_resources(const std::string& template_body, bool is_roll_back) {
  std::set<std::string> retained;
  const Result<Template> tmpl = load_template(template_body, {});
  if (!tmpl) return retained;
  for (const ResourceDeclaration& resource : tmpl->resources) {
    if (resource.is_retained || (resource.retained_unless_rolled_back && !is_roll_back)) {
      retained.insert(resource.logical_id);
    }
  }
  return retained;
}

Environment Engine::Impl::environment(const std::string& stack_name,
                                      const std::string& stack_id) const {
  Environment out;
  out.account = registry.account();
  out.region = registry.region();
  out.stack_name = stack_name;
  out.stack_id = stack_id;
  registry.read([&](const control::State& state) {
    for (const auto& [id, vpc] : state.vpcs) {
      out.vpc_ids.insert(id);
      if (vpc.is_default) out.default_vpc_id = id;
    }
    for (const auto& [id, subnet] : state.subnets) {
      out.subnet_ids.insert(id);
      if (subnet.is_default_for_zone) out.default_subnets.push_back({subnet.zone, id});
    }
    for (const auto& [id, group] : state.security_groups) out.security_group_ids.insert(id);
  });
  std::ranges::sort(out.default_subnets, {}, &DefaultSubnet::zone);
  return out;
}

std::optional<model::Stack> Engine::Impl::find(const std::string& name) const {
  std::optional<model::Stack> stack;
  registry.read([&](const control::State& state) {
    const auto found = state.stacks.find(name);
    if (found != state.stacks.end()) stack = found->second;
  });
  return stack;
}

// Removes what was made. Success: nothing is left, the record only where it is to be kept.
Status Engine::Impl::roll_back(StackRecord& record, const std::string& reason, bool keeps_record) {
  record.set_status("ROLLBACK_IN_PROGRESS", reason);
  Removal removal(record, provider, retained_resources(record.stack().template_body, true));
  if (removal.run()) {
    record.set_status("ROLLBACK_COMPLETE", reason);
    return keeps_record ? record.save() : record.erase();
  }
  record.set_status("ROLLBACK_FAILED", reason);
  static_cast<void>(record.save());
  return fail("RollbackFailed", fmt::format("this remains:\n{}", removal.remains()),
              fmt::format("Remove it with: weir down {}", record.stack().name));
}

Status Engine::Impl::remove(StackRecord& record) {
  record.set_status("DELETE_IN_PROGRESS");
  if (const Status saved = record.save(); !saved) return saved;
  // What updates left may need the stack's resources, or these it.
  const auto remove_discarded = [&] {
    return Removal(record, provider, {}, &model::Stack::discarded).run();
  };
  const bool is_clean = remove_discarded();
  Removal removal(record, provider, retained_resources(record.stack().template_body, false));
  if (removal.run() && (is_clean || remove_discarded())) {
    record.set_status("DELETE_COMPLETE");
    return record.erase();
  }
  record.set_status("DELETE_FAILED", "some resources could not be removed");
  static_cast<void>(record.save());
  return fail("DeleteFailed",
              fmt::format("the stack {} could not be removed; this remains:\n{}",
                          record.stack().name, removal.remains()),
              fmt::format("Once the reason is gone, try again: weir down {}", record.stack().name));
}

Engine::Engine(control::Registry& registry, control::Elb& elb, control::Ec2& ec2)
    : impl_(std::make_unique<Impl>(registry, elb, ec2)) {}

Engine::~Engine() = default;

std::string Engine::new_stack_id(const std::string& name) const {
  return fmt::format("arn:aws:cloudformation:{}:{}:stack/{}/{}-{}-{}-{}-{}",
                     impl_->registry.region(), impl_->registry.account(), name, random_hex(8),
                     random_hex(4), random_hex(4), random_hex(4), random_hex(12));
}

Result<Plan> Engine::validate(const CreateInput& input) {
  if (const Status valid = check_name(input.name); !valid) return std::unexpected(valid.error());
  if (const Status valid = check_tags(input.tags); !valid) return std::unexpected(valid.error());
  if (const auto stack = impl_->find(input.name)) return std::unexpected(already_exists(*stack));
  Result<Prepared> prepared =
      prepare(input, impl_->environment(input.name, new_stack_id(input.name)));
  if (!prepared) return std::unexpected(prepared.error());
  return std::move(prepared->plan);
}

Result<std::string> Engine::create(const CreateInput& input, const EventHandler& on_event) {
  if (const Status valid = check_name(input.name); !valid) return std::unexpected(valid.error());
  if (const Status valid = check_tags(input.tags); !valid) return std::unexpected(valid.error());
  const Impl::Hold hold(*impl_, input.name);
  if (!hold) {
    return fail("OperationInProgress", fmt::format("the stack {} is being worked on", input.name));
  }
  if (const auto stack = impl_->find(input.name)) return std::unexpected(already_exists(*stack));

  model::Stack stack;
  stack.id = input.stack_id.empty() ? new_stack_id(input.name) : input.stack_id;
  stack.name = input.name;
  stack.template_body = input.template_body;
  stack.created_at_ms = wall_ms();
  stack.tags = input.tags;
  Result<Prepared> prepared = prepare(input, impl_->environment(stack.name, stack.id));
  if (!prepared) return std::unexpected(prepared.error());
  if (const Status noted = note_parameters(*prepared, stack); !noted) {
    return std::unexpected(noted.error());
  }

  StackRecord record(impl_->registry, std::move(stack), on_event);
  record.set_status("CREATE_IN_PROGRESS");
  if (const Status saved = record.save(); !saved) return std::unexpected(saved.error());
  Creation creation(record, impl_->provider, *prepared);
  std::string failure;
  if (!creation.run()) {
    failure = creation.failure().empty() ? "the store failed" : creation.failure();
  } else if (const Status outputs = creation.set_outputs(); !outputs) {
    failure = outputs.error().message;
  } else {
    record.set_status("CREATE_COMPLETE");
    const Status saved = record.save();
    if (saved) return record.stack().id;
    failure = saved.error().message;
  }
  const Status rolled_back = impl_->roll_back(record, failure, input.keeps_rolled_back);
  if (rolled_back) {
    return fail("CreateFailed",
                fmt::format("{}\nEverything made has been removed again.", failure));
  }
  return fail(
      "CreateFailed",
      fmt::format("{}\nRolling back failed as well: {}", failure, rolled_back.error().message),
      rolled_back.error().hint);
}

Status Engine::remove(const std::string& name, const EventHandler& on_event) {
  const Impl::Hold hold(*impl_, name);
  if (!hold) {
    return fail("OperationInProgress", fmt::format("the stack {} is being worked on", name),
                "Wait until that is done, then try again.");
  }
  auto stack = impl_->find(name);
  if (!stack) return fail("StackNotFound", fmt::format("there is no stack {}", name));
  StackRecord record(impl_->registry, std::move(*stack), on_event);
  return impl_->remove(record);
}

Status Engine::Impl::finish(StackRecord& record, const std::string& status) {
  if (status == "DELETE_IN_PROGRESS") return remove(record);
  if (status.starts_with("UPDATE_")) {
    return finish_update(record, status, "the daemon ended while the stack was being updated");
  }
  return roll_back(record, "the daemon ended while the stack was being made");
}

void Engine::resume() {
  std::vector<std::string> open;
  impl_->registry.read([&](const control::State& state) {
    for (const auto& [name, stack] : state.stacks) {
      if (stack.status.ends_with("_IN_PROGRESS")) open.push_back(name);
    }
  });
  const EventHandler quiet;
  for (const std::string& name : open) {
    // A stack that is held is this daemon's own work, begun meanwhile.
    const Impl::Hold hold(*impl_, name);
    auto stack = hold ? impl_->find(name) : std::nullopt;
    if (!stack || !stack->status.ends_with("_IN_PROGRESS")) continue;
    const std::string status = stack->status;
    StackRecord record(impl_->registry, std::move(*stack), quiet);
    const Status done = impl_->finish(record, status);
    if (!done) {
      log::error("stack {}: {}. {}", name, done.error().message, done.error().hint);
    } else {
      log::warn("stack {}: {} when the daemon ended; it is finished or rolled back", name, status);
    }
  }
}

}  // namespace weir::stacks
