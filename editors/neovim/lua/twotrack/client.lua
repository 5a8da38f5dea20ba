--- The connection to the server: how it is started, found, asked, and started again.
local options = require("twotrack.options")

local M = {}

--- So often and within so many seconds a crashing server is started again.
local RESTARTS, WITHIN_S = 4, 180

---@type number[] when it was started again, the latest last
local restarts = {}
---@type table<integer, true> clients that end because they shall start anew
local restarting = {}

--- Starts a client like an ended one, in the same buffers.
---@param ended vim.lsp.Client
---@param buffers integer[]
local function start_again(ended, buffers)
  for _, bufnr in ipairs(buffers) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      vim.lsp.start(ended.config, { bufnr = bufnr })
    end
  end
end

---@param code integer
---@param signal integer
---@param client_id integer
local function on_exit(code, signal, client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  local asked = restarting[client_id]
  restarting[client_id] = nil
  -- SIGTERM is how Neovim itself ends a server that it need not wait for.
  local crashed = code ~= 0 or (signal ~= 0 and signal ~= 15)
  if not client or vim.v.exiting ~= vim.NIL or not (asked or crashed) then
    return
  end
  local buffers = vim.tbl_keys(client.attached_buffers)
  if asked then
    return vim.defer_fn(function()
      start_again(client, buffers)
    end, 0)
  end
  if not options.get().restart then
    return
  end
  local now = vim.uv.now() / 1000
  restarts = vim.tbl_filter(function(at)
    return now - at < WITHIN_S
  end, restarts)
  restarts[#restarts + 1] = now
  vim.schedule(function()
    if #restarts > RESTARTS then
      local said = "twotrack: the server keeps crashing; :Twotrack log says why, :Twotrack restart"
      return vim.notify(said .. " tries again", vim.log.levels.ERROR)
    end
    -- At once after the first crash, then after longer and longer pauses.
    vim.defer_fn(function()
      start_again(client, buffers)
    end, (#restarts - 1) * 2000)
  end)
end

--- The configuration for vim.lsp.config.
---@return vim.lsp.Config
function M.config()
  -- A plugin manager may have added this folder after Neovim sourced those of the runtime path.
  vim.cmd.runtime("plugin/twotrack.lua")
  local opts = options.get()
  ---@type twotrack.ClientCapabilities
  local ours = { events = true }
  local capabilities = { experimental = { twotrack = ours } }
  if opts.ghost.enabled then
    -- 0.11 does not know inline completion; twotrack.ghost.own shows it there.
    capabilities.textDocument = { inlineCompletion = { dynamicRegistration = false } }
  end
  return {
    cmd = opts.cmd,
    filetypes = opts.filetypes,
    root_markers = opts.root_markers,
    init_options = opts.settings,
    settings = { twotrack = opts.settings },
    capabilities = capabilities,
    -- Neovim holds changes back for 150 ms, and applies an edit that was made without them where
    -- the file was not changed before.
    flags = { debounce_text_changes = 0 },
    handlers = {
      ---@param status twotrack.Status
      ["twotrack/didChangeStatus"] = function(_, status, context)
        require("twotrack.status").take(context.client_id, status)
      end,
      -- A page to read, in a file that goes with the server: nothing else is shown so.
      ["window/showDocument"] = function(_, params)
        local lines = vim.fn.readfile(vim.uri_to_fname(params.uri))
        local title = table.remove(lines, 1):gsub("^# ", "")
        require("twotrack.edit").show_text(title, table.concat(lines, "\n"))
        return { success = true }
      end,
      ---@param notice twotrack.Notice
      ["twotrack/notice"] = function(_, notice)
        M.tell(notice, notice.type == 1 and vim.log.levels.ERROR or vim.log.levels.WARN)
      end,
      ---@param more twotrack.DidExtend
      ["twotrack/didExtend"] = function(_, more, context)
        require("twotrack.ghost").extend(context.client_id, more)
      end,
      -- Known, so that Neovim does not complain: the status says what is needed of them.
      ["twotrack/didAnswer"] = function() end,
      ["twotrack/modelLoading"] = function() end,
      ["twotrack/ready"] = function() end,
    },
    on_init = function(client)
      if opts.ghost.enabled and not opts.menu then
        -- The same completion must not stand in the menu too, whichever plugin fills that.
        client.server_capabilities.completionProvider = nil
      end
    end,
    on_exit = on_exit,
  }
end

--- Sets up what belongs to a buffer that the server serves.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attached(client, bufnr)
  require("twotrack.status").ask(client)
  if options.get().ghost.enabled then
    require("twotrack.ghost").attach(client, bufnr)
  end
  if options.get().forward_diagnostics then
    require("twotrack.diagnostics").forward(client, bufnr)
  end
end

--- Tells running servers that setup() brought other settings.
function M.settings_changed()
  for _, client in ipairs(vim.lsp.get_clients({ name = "twotrack" })) do
    client.settings = { twotrack = options.get().settings }
    client:notify("workspace/didChangeConfiguration", { settings = client.settings })
  end
end

--- The client that serves a buffer, or any one.
---@param bufnr integer
---@return vim.lsp.Client?
function M.get(bufnr)
  return vim.lsp.get_clients({ name = "twotrack", bufnr = bufnr })[1]
    or vim.lsp.get_clients({ name = "twotrack" })[1]
end

--- How positions are counted in the present buffer.
---@return lsp.PositionEncodingKind
function M.encoding()
  local client = M.get(0)
  return client and client.offset_encoding or "utf-16"
end

--- What mends a failure, by the server's name for it.
---@type table<string, string>
local REMEDIES = {
  key = ":Twotrack setup",
  add = ":Twotrack setup",
  settings = ":Twotrack doctor",
  model = ":Twotrack model",
  start = ":Twotrack model",
}

---@type string, number what was said last of a failure, and when
local said, said_at = "", 0

--- Says why something failed, once, and which command mends it; the details go to the log.
---@param notice { message: string, reason?: string, remedy?: string }
---@param level integer
function M.tell(notice, level)
  local remedy = REMEDIES[notice.remedy]
  local reason = notice.reason or notice.message
  local text = ("twotrack: %s%s"):format(reason, remedy and (" " .. remedy) or "")
  vim.lsp.log.error("twotrack", notice.message)
  local now = vim.uv.now()
  if text ~= said or now - said_at > 2000 then
    vim.notify(text, level)
  end
  said, said_at = text, now
end

--- Asks a server; an error is shown to the person. The function that comes back cancels.
---@param method twotrack.Request
---@param params table
---@param take fun(result: any, client: vim.lsp.Client)
---@param failed? fun()
---@return fun()? cancel nil: there is no server
function M.request(method, params, take, failed)
  local client = M.get(0)
  if not client then
    vim.notify("twotrack does not run here; see :checkhealth twotrack", vim.log.levels.WARN)
    return nil
  end
  local cancelled = false
  ---@diagnostic disable-next-line: param-type-mismatch  -- a method of twotrack's own
  local sent, id = client:request(method, params, function(err, result)
    if cancelled then
      return
    end
    if err then
      ---@type twotrack.Reason|{}
      local data = type(err.data) == "table" and err.data or {}
      local notice = { message = err.message, reason = data.reason, remedy = data.remedy }
      M.tell(notice, vim.log.levels.ERROR)
      if failed then
        failed()
      end
      return
    end
    take(result, client)
  end)
  if not sent or not id then
    return nil
  end
  return function()
    cancelled = true
    client:cancel_request(id)
  end
end

--- Ends every server, one that hangs after two seconds, and starts it anew in the same buffers.
function M.restart()
  restarts = {}
  local clients = vim.lsp.get_clients({ name = "twotrack" })
  for _, client in ipairs(clients) do
    restarting[client.id] = true
    client:stop()
    vim.defer_fn(function()
      if not client.rpc.is_closing() then
        client.rpc.terminate()
      end
    end, 2000)
  end
  if #clients == 0 then
    vim.lsp.enable("twotrack", false)
    vim.lsp.enable("twotrack")
  end
end

return M
