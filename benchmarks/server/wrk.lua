-- Sends the lines of a file, "PATH TAB BODY", in their order, and prints what came of it as JSON.

local lines, position, threads = {}, 0, 0

function setup(thread)
  thread:set("place", threads)
  threads = threads + 1
end

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(args[1]) do
    local path, body = line:match("^(%S+)\t(.*)$")
    table.insert(lines, wrk.format("POST", path, headers, body))
  end
  position = place * 7 -- so that threads are not in step
end

function request()
  position = position % #lines + 1
  return lines[position]
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "refused": %d, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status, failed))
end
