--- What the servers last said of themselves, and the statusline made of it.
local M = {}

---@type table<integer, twotrack.Status> by client
local known = {}

--- JSON's null is vim.NIL in a notification, and nothing in an answer.
---@generic T
---@param value T
---@return T?
local function some(value)
  if value ~= vim.NIL then
    return value
  end
end

---@param client_id integer
---@param status twotrack.Status
function M.take(client_id, status)
  known[client_id] = status
  vim.api.nvim_exec_autocmds("User", { pattern = "TwotrackStatus", modeline = false })
  vim.cmd.redrawstatus({ bang = true })
end

--- Asks a server that has said nothing of itself yet.
---@param client vim.lsp.Client
function M.ask(client)
  if not known[client.id] then
    ---@diagnostic disable-next-line: param-type-mismatch  -- a method of twotrack's own
    ---@param status twotrack.Status
    client:request("twotrack/status", vim.empty_dict(), function(err, status)
      if not err then
        M.take(client.id, status)
      end
    end)
  end
end

--- The status as known for a buffer's server.
---@param bufnr integer
---@return twotrack.Status?
function M.get(bufnr)
  local client = vim.lsp.get_clients({ name = "twotrack", bufnr = bufnr })[1]
  return client and known[client.id]
end

--- "$0.12", with as many digits as a small sum needs, and words where it is not known.
---@param usd? number
---@return string
function M.money(usd)
  usd = some(usd)
  if not usd then
    return "cost unknown"
  elseif usd > 0 and usd < 0.01 then
    return "<$0.01"
  end
  return ("$%.2f"):format(usd)
end

---@param bufnr integer
---@return string
function M.line(bufnr)
  local client = vim.lsp.get_clients({ name = "twotrack", bufnr = bufnr })[1]
  if not client then
    return ""
  end
  local status = known[client.id]
  if not status then
    return "twotrack"
  end
  local completing = status.tasks.complete
  local words = { some(completing and completing.using) or "no model" }
  local poor = some(status.noModel) and not status.paused
  if poor then
    words = { "no model (:Twotrack setup)" }
  elseif status.paused then
    words = { "paused" }
  elseif status.busy > 0 then
    words[#words + 1] = "…"
  end
  if #status.problems > 0 then
    words[#words + 1] = "!"
  end
  if status.spentToday > 0 then
    words[#words + 1] = M.money(status.spentToday)
  end
  -- A statusline reads "%" as its own.
  local text = table.concat(words, " "):gsub("%%", "%%%%")
  return poor and ("%%#DiagnosticWarn#%s%%*"):format(text) or text
end

--- What is paused, a line each.
---@param status twotrack.Status
---@return string[]
function M.pauses(status)
  return vim.tbl_map(function(pause)
    local language, files, till = some(pause.language), some(pause.files), some(pause["until"])
    local where = language and " for " .. language or files and " in " .. files or ""
    local minutes = ""
    if till then
      local left = vim.fn.strptime("%Y-%m-%dT%H:%M:%S", till:sub(1, 19)) - os.time(os.date("!*t"))
      minutes = (" for %d min"):format(math.max(math.ceil(left / 60), 1))
    end
    return "twotrack is paused" .. where .. minutes
  end, status.pauses)
end

--- The status as lines for a person.
---@param status twotrack.Status
---@return string[]
function M.lines(status)
  local lines = M.pauses(status)
  if not status.paused then
    table.insert(lines, 1, "twotrack is on")
  end
  if some(status.noModel) then
    lines[#lines + 1] = ("  %s :Twotrack setup finds some"):format(status.noModel)
  end
  local function add(...)
    lines[#lines + 1] = "  " .. string.format(...)
  end
  for _, task in ipairs(vim.fn.sort(vim.tbl_keys(status.tasks))) do
    local route = status.tasks[task]
    local using = some(route.using) or "no model"
    add("%-10s %s%s", task, using, route.chosen and " (chosen for this session)" or "")
  end
  for _, model in ipairs(status.models) do
    if some(model.problem) then
      add("%s: %s", model.name, model.problem)
    end
  end
  for _, problem in ipairs(status.problems) do
    add("settings: %s", problem)
  end
  local last = some(status.last)
  if last then
    add(
      "last answer: %s by %s in %.0f ms, %s",
      last.task,
      last.model,
      last.ms,
      M.money(last.costUsd)
    )
  end
  vim.list_extend(lines, M.spending(status))
  return lines
end

--- What was spent, and where that is written down.
---@param status twotrack.Status
---@return string[]
function M.spending(status)
  local function of(limit)
    return some(limit) and (" of " .. M.money(limit)) or ""
  end
  return {
    ("  today %s%s"):format(M.money(status.spentToday), of(status.budgetDay)),
    ("  this month %s%s"):format(M.money(status.spentMonth), of(status.budgetMonth)),
    ("  ledger: %s"):format(status.ledger),
  }
end

vim.api.nvim_create_autocmd("LspDetach", {
  group = vim.api.nvim_create_augroup("twotrack.status", {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if not client or vim.tbl_count(client.attached_buffers) <= 1 then
      known[event.data.client_id] = nil
    end
  end,
})

return M
