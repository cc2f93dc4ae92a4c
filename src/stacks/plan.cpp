#include "stacks/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stacks/convert.hpp"
#include "stacks/resolve.hpp"
#include "stacks/schema.hpp"

namespace weir::stacks {

namespace {

using Graph = std::map<std::string, std::set<std::string>>;

class Planner {
 public:
  Planner(const CreateInput& input, Prepared& prepared, Diagnostics& diagnostics)
      : input_(input), prepared_(prepared), diagnostics_(diagnostics) {}

  void run() {
    const Template& tmpl = prepared_.tmpl;
    prepared_.parameters =
        bind_parameters(tmpl, input_.parameters, prepared_.environment, diagnostics_);
    are_parameters_known_ = std::ranges::none_of(
        prepared_.parameters.values, [](const auto& one) { return one.second.value.is_unknown(); });
    Resolver resolver(tmpl, prepared_.parameters, prepared_.environment, nothing_made_,
                      diagnostics_);
    for (const NamedValue& condition : tmpl.conditions) {
      static_cast<void>(resolver.condition(condition.name));
    }
    for (const NamedValue& rule : tmpl.rules) check_rule(resolver, rule);
    for (const ResourceDeclaration& resource : tmpl.resources) {
      if (resolver.is_active(resource)) plan_resource(resolver, resource);
    }
    for (const OutputDeclaration& output : tmpl.outputs) plan_output(resolver, output);
    set_order();
    set_plan();
  }

 private:
  void plan_resource(Resolver& resolver, const ResourceDeclaration& resource) {
    const std::string path = fmt::format("Resources.{}.Properties", resource.logical_id);
    static_cast<void>(resolver.take_references());
    const auto properties = resolver.resolve(resource.properties, path);
    std::set<std::string> dependencies = resolver.take_references();
    for (const Reference& reference : resource.depends_on) {
      const ResourceDeclaration* other = prepared_.tmpl.resource(reference.name);
      if (other != nullptr && resolver.is_active(*other)) dependencies.insert(reference.name);
    }
    graph_[resource.logical_id] = std::move(dependencies);
    const ResourceType* type = find_type(resource.type);
    if (type == nullptr || !properties) return;
    check_properties(*type, resource.logical_id, *properties, diagnostics_, notices_);
    if (are_parameters_known_ && !diagnostics_.is_full()) {
      Diagnostics later(prepared_.tmpl.file_name);
      check_convertible(resource.type, *properties, {path, later});
      diagnostics_.merge(later);
    }
  }

  void plan_output(Resolver& resolver, const OutputDeclaration& output) {
    if (output.condition && resolver.condition(output.condition->name) == false) return;
    const std::string path = fmt::format("Outputs.{}.Value", output.key);
    const auto value = resolver.resolve(output.value, path);
    if (!value || !(value->is_scalar() || value->is_unknown())) {
      diagnostics_.add(
          output.value.mark, path,
          fmt::format("an output is a string, not {}", value ? kind_name(value->kind) : "nothing"));
    }
    if (output.export_name) exports_.push_back(output.key);
  }

  void check_rule(Resolver& resolver, const NamedValue& rule) {
    const std::string path = "Rules." + rule.name;
    const Value* condition = rule.value.find("RuleCondition");
    if (condition != nullptr && resolver.is_true(*condition, path) != true) return;
    const Value* assertions = rule.value.find("Assertions");
    if (assertions == nullptr) return;
    for (const Value& assertion : assertions->items) {
      const Value* test = assertion.find("Assert");
      if (test == nullptr || resolver.is_true(*test, path) != false) continue;
      const Value* description = assertion.find("AssertDescription");
      diagnostics_.add(assertion.mark, path,
                       description != nullptr && description->is_scalar()
                           ? description->text
                           : "an assertion about the parameters does not hold");
    }
  }

  void set_order() {
    std::vector<std::string> names;
    for (const ResourceDeclaration& resource : prepared_.tmpl.resources) {
      if (graph_.contains(resource.logical_id)) names.push_back(resource.logical_id);
    }
    std::vector<std::string> cycle;
    order_ = topological_order(names, graph_, cycle);
    if (cycle.empty()) {
      if (names.empty() && !prepared_.tmpl.resources.empty()) {
        diagnostics_.add(prepared_.tmpl.resources[0].mark, "Resources",
                         "the conditions leave no resource");
      }
      return;
    }
    const ResourceDeclaration* first = prepared_.tmpl.resource(cycle.front());
    diagnostics_.add(
        first->mark, "Resources." + first->logical_id,
        fmt::format("resources depend on each other in a circle: {}", fmt::join(cycle, " → ")));
  }

  void set_plan() {
    Plan& plan = prepared_.plan;
    plan.description = prepared_.tmpl.description;
    for (const ParameterDeclaration& parameter : prepared_.tmpl.parameters) {
      const BoundParameter& bound = prepared_.parameters.values.at(parameter.name);
      plan.parameters.push_back({parameter.name, parameter.type,
                                 parameter.no_echo ? "****" : bound.text, parameter.description,
                                 bound.is_default});
    }
    for (const std::string& name : order_) {
      const std::set<std::string>& needs = graph_.at(name);
      plan.resources.push_back(
          {name, prepared_.tmpl.resource(name)->type, {needs.begin(), needs.end()}});
    }
    plan.notices = prepared_.parameters.notices;
    for (const auto& [property, use] : notices_.uses) {
      const std::vector<std::string_view> who(use.logical_ids.begin(), use.logical_ids.end());
      plan.notices.push_back(
          fmt::format("{} has no effect on Weir: {} ({})", property, use.note,
                      who.size() <= 3 ? join_words(who) : fmt::format("{} resources", who.size())));
    }
    if (!exports_.empty()) {
      const std::vector<std::string_view> keys(exports_.begin(), exports_.end());
      plan.notices.push_back(fmt::format(
          "Export has no effect on Weir: stacks share no values ({})", join_words(keys)));
    }
  }

  const CreateInput& input_;
  Prepared& prepared_;
  Diagnostics& diagnostics_;
  const std::map<std::string, Made> nothing_made_;
  bool are_parameters_known_ = false;
  Graph graph_;
  std::vector<std::string> order_;
  std::vector<std::string> exports_;
  Notices notices_;
};

// Depth first, remembering the way; recursion is as deep as a chain of resources, at most 500.
class Sorter {
 public:
  Sorter(const Graph& graph, std::vector<std::string>& order, std::vector<std::string>& cycle)
      : graph_(graph), order_(order), cycle_(cycle) {}

  bool visit(const std::string& name) {
    const auto needs = graph_.find(name);
    if (needs == graph_.end() || done_.contains(name)) return true;
    if (const auto start = std::ranges::find(way_, name); start != way_.end()) {
      cycle_.assign(start, way_.end());
      cycle_.push_back(name);
      return false;
    }
    way_.push_back(name);
    for (const std::string& need : needs->second) {
      if (!visit(need)) return false;
    }
    way_.pop_back();
    done_.insert(name);
    order_.push_back(name);
    return true;
  }

 private:
  const Graph& graph_;
  std::vector<std::string>& order_;
  std::vector<std::string>& cycle_;
  std::vector<std::string> way_;
  std::set<std::string> done_;
};

}  // namespace

std::vector<std::string> topological_order(const std::vector<std::string>& names,
                                           const Graph& graph, std::vector<std::string>& cycle) {
  std::vector<std::string> order;
  Sorter sorter(graph, order, cycle);
  for (const std::string& name : names) {
    if (!sorter.visit(name)) return {};
  }
  return order;
}

Result<Prepared> prepare(const CreateInput& input, Environment environment) {
  const Result<Value> root = parse_template(input.template_body, input.file_name);
  if (!root) return std::unexpected(root.error());
  Diagnostics diagnostics(input.file_name);
  Prepared prepared;
  prepared.tmpl = read_template(*root, input.file_name, diagnostics);
  prepared.environment = std::move(environment);
  Planner(input, prepared, diagnostics).run();
  if (!diagnostics.empty()) return std::unexpected(diagnostics.error());
  return prepared;
}

}  // namespace weir::stacks
