--- :Twotrack and its subcommands.
local client = require("twotrack.client")

local M = {}

---@class twotrack.Subcommand
---@field run fun(words: string[], command: vim.api.keyset.create_user_command.command_args)
---@field complete? fun(words: string[]): string[] what may follow these words
---@field help string

--- Lines in a window below that is closed with q.
---@param lines string[]
---@param filetype string
local function show_below(lines, filetype)
  vim.cmd.new({ mods = { split = "botright" } })
  local bufnr = vim.api.nvim_get_current_buf()
  vim.bo[bufnr].buftype, vim.bo[bufnr].bufhidden = "nofile", "wipe"
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  vim.bo[bufnr].filetype = filetype
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr, desc = "twotrack: close" })
end

--- Markdown of the server, rendered, in a window below that is closed with q.
---@param method "twotrack/requests"|"twotrack/ledger"
---@return fun()
local function page(method)
  return function()
    ---@param result twotrack.Page
    client.request(method, vim.empty_dict(), function(result)
      show_below(vim.split(vim.trim(result.markdown), "\n"), "markdown")
      vim.wo.conceallevel, vim.wo.wrap = 2, true
    end)
  end
end

--- Runs the server's program in a terminal below.
---@param word "doctor"|"setup"
---@return fun()
local function in_terminal(word)
  return function()
    local server = client.get(0)
    local program = require("twotrack.options").get().cmd
    if vim.fn.executable(program[1]) == 0 then
      local said = "twotrack: %s is not a program on PATH; see :checkhealth twotrack"
      return vim.notify(said:format(program[1]), vim.log.levels.ERROR)
    end
    vim.cmd.new({ mods = { split = "botright" } })
    local words = vim.list_extend(vim.list_extend({}, program), { word })
    vim.fn.jobstart(words, { term = true, cwd = server and server.root_dir })
  end
end

---@param lines string[]
local function say(lines)
  vim.api.nvim_echo({ { table.concat(lines, "\n") } }, true, {})
end

---@param method twotrack.Request
---@param params table
---@param take fun(status: twotrack.Status)
local function change(method, params, take)
  ---@param status twotrack.Status
  client.request(method, params, function(status, server)
    require("twotrack.status").take(server.id, status)
    take(status)
  end)
end

---@param params twotrack.PauseParams
local function pause(params)
  change("twotrack/pause", params, function(status)
    local lines = require("twotrack.status").pauses(status)
    say(#lines > 0 and lines or { "twotrack is on" })
  end)
end

--- Minutes, "language", or a pattern of files.
---@param words string[]
local function begin_pause(words)
  ---@type twotrack.PauseParams
  local params = { paused = true }
  for _, word in ipairs(words) do
    if tonumber(word) then
      params.minutes = tonumber(word)
    elseif word == "language" then
      local server = client.get(0)
      params.language = server and server.get_language_id(0, vim.bo.filetype) or vim.bo.filetype
    else
      params.files = word
    end
  end
  pause(params)
end

---@param words string[]
local function switch_model(words)
  ---@param track string
  ---@param model string
  local function use(track, model)
    -- null gives the settings' own order back
    local params = { track = track, model = model == "default" and vim.NIL or model }
    change("twotrack/useModel", params, function(status)
      say({ ("%s: %s"):format(track, model), unpack(status.problems) })
    end)
  end
  local track, model = words[1] or "fast", words[2]
  if model then
    return use(track, model)
  end
  ---@param status twotrack.Status
  client.request("twotrack/status", vim.empty_dict(), function(status)
    local names = vim.tbl_map(function(entry)
      return entry.name
    end, status.models)
    names[#names + 1] = "default"
    vim.ui.select(names, { prompt = ("Model of the %s track:"):format(track) }, function(chosen)
      if chosen then
        use(track, chosen)
      end
    end)
  end)
end

---@param words string[]
---@return string[]
local function complete_model(words)
  if #words == 0 then
    return { "fast", "strong" }
  end
  local status = require("twotrack.status").get(0)
  local names = { "default" }
  for _, model in ipairs(#words == 1 and status and status.models or {}) do
    names[#names + 1] = model.name
  end
  return #words == 1 and names or {}
end

---@param task string
---@return fun(words: string[], command: vim.api.keyset.create_user_command.command_args)
local function act(task)
  return function(_, command)
    local edit = require("twotrack.edit")
    edit.ask(task, edit.selection(command))
  end
end

--- Shows what was sent lately, and what was answered.
M.requests = page("twotrack/requests")

---@type table<string, twotrack.Subcommand>
M.subcommands = {
  status = {
    help = "what each task uses, what is wrong, what was spent",
    run = function()
      change("twotrack/status", vim.empty_dict(), function(status)
        say(require("twotrack.status").lines(status))
      end)
    end,
  },
  pause = {
    help = "[MINUTES] [language|PATTERN]: no completions, for a time or until :Twotrack resume",
    run = begin_pause,
    complete = function()
      return { "5", "15", "60", "language" }
    end,
  },
  snooze = {
    help = "no completions for five minutes",
    run = function()
      pause({ paused = true, minutes = 5 })
    end,
  },
  resume = {
    help = "completions again",
    run = function()
      pause({ paused = false })
    end,
  },
  model = {
    help = "[fast|strong] [NAME]: put a model first until a restart; default: undo that",
    run = switch_model,
    complete = complete_model,
  },
  edit = {
    help = "[INSTRUCTION]: edit the selection or the definition at the cursor",
    run = function(words, command)
      local edit = require("twotrack.edit")
      edit.by_instruction(edit.selection(command), table.concat(words, " "))
    end,
  },
  explain = { help = "explain the selection or the definition at the cursor", run = act("explain") },
  test = { help = "add tests for it", run = act("test") },
  document = { help = "document it", run = act("document") },
  simplify = { help = "simplify it", run = act("simplify") },
  fix = {
    help = "fix what is reported on this line",
    run = function(_, command)
      local edit = require("twotrack.edit")
      edit.fix(edit.selection(command))
    end,
  },
  cancel = {
    help = "end the edits that are under way",
    run = function()
      require("twotrack.edit").cancel()
    end,
  },
  requests = {
    help = "what was sent lately, and what was answered",
    run = M.requests,
  },
  ledger = {
    help = "what was spent, by day, model, task and language",
    run = page("twotrack/ledger"),
  },
  setup = {
    help = "look for models and keys, and write the settings",
    run = in_terminal("setup"),
  },
  doctor = {
    help = "try settings, keys and models (asks each model a short question)",
    run = in_terminal("doctor"),
  },
  restart = { help = "end the server and start it anew", run = client.restart },
  log = {
    help = "open the log, with what the server wrote to standard error",
    run = function()
      vim.cmd.tabedit({ vim.lsp.log.get_filename(), magic = { file = false } })
      vim.cmd.normal({ "G", bang = true })
    end,
  },
}

--- The subcommands, and the code actions of the server that have none: what it says of its tasks.
---@return table<string, twotrack.Subcommand>
local function all()
  local found = {} ---@type table<string, twotrack.Subcommand>
  local status = require("twotrack.status").get(0)
  for task, route in pairs(status and status.tasks or {}) do
    if route.track == "strong" and task ~= "refactor" then -- which is `edit`
      found[task] = { help = "code action", run = act(task) }
    end
  end
  return vim.tbl_extend("force", found, M.subcommands)
end

--- Runs `:Twotrack {subcommand} ...`; without a word, its status.
---@param command vim.api.keyset.create_user_command.command_args
function M.run(command)
  local words = vim.list_extend({}, command.fargs)
  local name = table.remove(words, 1) or "status"
  local subcommand = all()[name]
  if not subcommand then
    return vim.notify(("twotrack: no such subcommand: %s"):format(name), vim.log.levels.ERROR)
  end
  subcommand.run(words, command)
end

--- What may stand at the cursor in the command line.
---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local before = line:sub(1, #line - #lead)
  local words =
    vim.split(vim.trim(before:match("Twotrack%s+(.*)$") or ""), "%s+", { trimempty = true })
  local candidates ---@type string[]
  if #words == 0 then
    candidates = vim.tbl_keys(all())
  else
    local subcommand = all()[table.remove(words, 1)]
    candidates = subcommand and subcommand.complete and subcommand.complete(words) or {}
  end
  candidates = vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, candidates)
  table.sort(candidates)
  return candidates
end

return M
