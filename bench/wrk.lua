-- Asks for the addresses of the file PATHS in turn, each connection for the next one, and prints one line of figures:
-- requests, microseconds, failures, and the 50th and 99th percentile of the latency in microseconds, bytes.
local paths = {}
for line in io.lines(os.getenv("PATHS")) do
  paths[#paths + 1] = line
end

local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end

done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %d %d %d\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99), summary.bytes))
end
