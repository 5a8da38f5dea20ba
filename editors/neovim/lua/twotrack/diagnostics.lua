--- Tells the server what others report: Neovim gives a server only its own diagnostics.
local M = {}

--- A burst of reports is sent as one.
local PAUSE_MS = 100

---@type table<integer, lsp.Diagnostic[]> what was sent last, by buffer
local sent = {}
---@type table<integer, true> buffers whose diagnostics are about to be sent
local waiting = {}

---@param bufnr integer
---@param encoding lsp.PositionEncodingKind
---@param diagnostic vim.Diagnostic
---@return lsp.Diagnostic
local function to_lsp(bufnr, encoding, diagnostic)
  local function position(line, col)
    local text = vim.api.nvim_buf_get_lines(bufnr, line, line + 1, false)[1] or ""
    return { line = line, character = vim.str_utfindex(text, encoding, math.min(col, #text), false) }
  end
  return {
    range = {
      start = position(diagnostic.lnum, diagnostic.col),
      ["end"] = position(
        diagnostic.end_lnum or diagnostic.lnum,
        diagnostic.end_col or diagnostic.col
      ),
    },
    severity = diagnostic.severity,
    message = diagnostic.message,
    source = diagnostic.source,
    code = diagnostic.code,
  }
end

---@param client vim.lsp.Client
---@param bufnr integer
local function send(client, bufnr)
  waiting[bufnr] = nil
  if client:is_stopped() or not vim.api.nvim_buf_is_loaded(bufnr) then
    return
  end
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(bufnr)) do
    local namespace = vim.diagnostic.get_namespace(diagnostic.namespace --[[@as integer]])
    if not namespace.name:find("lsp.twotrack.", 1, true) then
      found[#found + 1] = to_lsp(bufnr, client.offset_encoding, diagnostic)
    end
  end
  if vim.deep_equal(found, sent[bufnr] or {}) then
    return
  end
  sent[bufnr] = found
  ---@type lsp.PublishDiagnosticsParams
  local params = { uri = vim.uri_from_bufnr(bufnr), diagnostics = found }
  ---@diagnostic disable-next-line: param-type-mismatch  -- a method of twotrack's own
  client:notify("twotrack/didChangeDiagnostics", params)
end

--- Sends a buffer's diagnostics now and whenever they change.
---@param client vim.lsp.Client
---@param bufnr integer
function M.forward(client, bufnr)
  local group = vim.api.nvim_create_augroup("twotrack.diagnostics." .. bufnr, {})
  sent[bufnr] = nil -- a server that was started anew knows nothing
  local function soon()
    if not waiting[bufnr] then
      waiting[bufnr] = true
      vim.defer_fn(function()
        send(client, bufnr)
      end, PAUSE_MS)
    end
  end
  vim.api.nvim_create_autocmd("DiagnosticChanged", {
    group = group,
    buffer = bufnr,
    callback = soon,
  })
  vim.api.nvim_create_autocmd({ "LspDetach", "BufDelete" }, {
    group = group,
    buffer = bufnr,
    callback = function(event)
      if event.event == "BufDelete" or event.data.client_id == client.id then
        sent[bufnr] = nil
        vim.api.nvim_del_augroup_by_id(group)
      end
    end,
  })
  soon()
end

return M
