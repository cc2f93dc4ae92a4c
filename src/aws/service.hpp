// One AWS service: its description, and what answers each of its operations.
//
// Description (operations, shapes, constraints, errors with their HTTP status, XML namespace) is a
// text beside the handlers (src/aws/<service>/<service>.api, embedded in the binary, parsed at the
// service's first call). From it follow, for every protocol that the service speaks (query, ec2,
// json, cbor): decoding, validation with AWS's messages, encoding, and the errors' form.
//
// A handler gets a valid input and gives the output or an Error, whose code is the one on the wire
// ("TargetGroupNotFound") and whose message is AWS's sentence. It is called from many threads at
// once. A change must be in force in the data plane when it returns.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "aws/value.hpp"
#include "base/result.hpp"

namespace weir::aws {

// Who calls, once the signature has been looked at.
struct Caller {
  std::string access_key_id;
  std::string parent_key_id;  // the lasting key behind temporary credentials, else the same
  std::string account;        // 123456789012
  std::string user_id;        // the account's number for its root, AROA…:session of a role
  std::string arn;            // arn:aws:iam::123456789012:root, …:assumed-role/ROLE/SESSION
  std::string region;         // of the credential scope: us-east-1
  std::string request_id;     // UUID, in the answer too
};

using Handler = std::function<Result<Value>(const Caller& caller, const Value& input)>;
using Handlers = std::map<std::string, Handler, std::less<>>;  // by operation

class Service {
 public:
  // `description`: the text of the .api file. Every operation described needs a handler, and every
  // handler a described operation (asserted when the description is read, and by a unit test).
  Service(std::string_view description, Handlers handlers);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A page of a listing. Markers are opaque to clients: base64 of what follows, authenticated, so
// that a made-up one is refused ("BadMarker"; "ValidationError"/"InvalidNextToken" is the caller's
// business). They hold until the daemon ends.
[[nodiscard]] std::string make_marker(std::string_view last_key);
[[nodiscard]] Result<std::string> read_marker(std::string_view marker);

}  // namespace weir::aws
