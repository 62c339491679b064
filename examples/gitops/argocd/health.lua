-- Health of Slipway's Model, ModelVersion, ModelDeployment and ModelApproval for Argo CD: docs/gitops.md says how to set it up.
-- What waits for approval is Suspended, whether or not an older revision serves meanwhile: only a person lets it go on.

local function find(conditions, kind)
  for _, condition in ipairs(conditions or {}) do
    if condition.type == kind then
      return condition
    end
  end
end

local function health(status, message)
  return { status = status, message = message }
end

local status = obj.status or {}
local ready = find(status.conditions, "Ready")
local stalled = find(status.conditions, "Stalled")
local approved = find(status.conditions, "Approved")

if status.observedGeneration ~= obj.metadata.generation or ready == nil then
  return health("Progressing", "Slipway's operator has not seen this change yet")
end
if stalled ~= nil and stalled.status == "True" then
  return health("Degraded", stalled.reason .. ": " .. stalled.message)
end
if approved ~= nil and approved.status == "False" then
  if approved.reason == "AwaitingApproval" then
    return health("Suspended", "waits for approval: " .. approved.message)
  end
  if approved.reason == "Rejected" then
    return health("Degraded", approved.message)
  end
  return health("Progressing", approved.reason .. ": " .. approved.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
if ready.reason == "Void" then
  return health("Degraded", ready.message)
end
return health("Progressing", ready.message)
