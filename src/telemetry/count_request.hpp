// A finished request, counted: which cells a record moves, and by what.
#pragma once

#include "telemetry/cells.hpp"
#include "telemetry/request_record.hpp"

namespace weir::telemetry {

void count_request(BalancerCells& cells, const RequestRecord& record);
// Only of requests for which a target was chosen.
void count_request(GroupCells& cells, const RequestRecord& record);
void count_request(TargetCells& cells, const RequestRecord& record);

}  // namespace weir::telemetry
