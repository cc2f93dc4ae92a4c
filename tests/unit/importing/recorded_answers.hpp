// Answers of an endpoint from a text, without an endpoint: sections that begin with a line
// "=== DescribeRules", each the XML that is answered to a call of that action. The sections of an
// action are answered in their order, the last again and again.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/description/description.hpp"
#include "importing/answer.hpp"
#include "importing/client.hpp"

namespace weir::importing {

inline const aws::Description& elbv2_description() {
  static const auto parsed = aws::parse_description(aws::embedded_description("elbv2"));
  return **parsed;
}

class RecordedAnswers {
 public:
  static constexpr int calls_max = 300;  // then it refuses: what hostile answers ask for has no end

  explicit RecordedAnswers(std::string_view text) {
    constexpr std::string_view mark = "=== ";
    std::vector<std::string>* sections = nullptr;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      const auto line = text.substr(0, end);
      if (line.starts_with(mark)) {
        sections = &sections_[std::string(line.substr(mark.size()))];
        sections->emplace_back();
      } else if (sections != nullptr) {
        sections->back().append(line).append("\n");
      }
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  Result<aws::Value> answer(const std::string& action, const CallParameters& parameters) {
    calls_.push_back(action);
    for (const auto& [name, value] : parameters) calls_.back() += " " + name + "=" + value;
    const auto sections = sections_.find(action);
    if (sections == sections_.end() || calls_.size() > calls_max)
      return fail("AccessDenied", "not recorded: " + action);
    auto& next = next_[action];
    const auto& xml = sections->second[std::min(next, sections->second.size() - 1)];
    ++next;
    if (xml.starts_with("<ErrorResponse")) return std::unexpected(read_refusal(400, xml));
    return read_answer(elbv2_description().operations.at(action), xml);
  }

  [[nodiscard]] Call call() {
    return [this](const std::string& action, const CallParameters& parameters) {
      return answer(action, parameters);
    };
  }

  // "DescribeRules ListenerArn=…"
  [[nodiscard]] const std::vector<std::string>& calls() const { return calls_; }

 private:
  std::map<std::string, std::vector<std::string>> sections_;
  std::map<std::string, std::size_t> next_;
  std::vector<std::string> calls_;
};

}  // namespace weir::importing
