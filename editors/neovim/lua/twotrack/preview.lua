--- Shows what an edit would change, and applies it.
local M = {}

local api = vim.api

---@class twotrack.FileChange
---@field uri string
---@field before string[]
---@field after string[]
---@field new boolean

--- A workspace edit's text edits by file, whichever of its two forms it has.
---@param edit lsp.WorkspaceEdit
---@return { uri: string, version?: integer, edits: lsp.TextEdit[] }[]
local function text_edits(edit)
  local found = {}
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.edits then
      local document = change.textDocument
      local version = document.version
      if version == vim.NIL then
        version = nil
      end
      found[#found + 1] = { uri = document.uri, version = version, edits = change.edits }
    end
  end
  if not edit.documentChanges then
    for uri, edits in pairs(edit.changes or {}) do
      found[#found + 1] = { uri = uri, edits = edits }
    end
  end
  return found
end

--- What each file would become; nothing is changed.
---@param edit lsp.WorkspaceEdit
---@param encoding lsp.PositionEncodingKind
---@return twotrack.FileChange[]
local function changes(edit, encoding)
  local result = {}
  for _, file in ipairs(text_edits(edit)) do
    local path = vim.uri_to_fname(file.uri)
    local new = vim.fn.bufexists(path) == 0 and not vim.uv.fs_stat(path)
    local before = {}
    if not new then
      local bufnr = vim.uri_to_bufnr(file.uri)
      vim.fn.bufload(bufnr)
      before = api.nvim_buf_get_lines(bufnr, 0, -1, false)
    end
    local scratch = api.nvim_create_buf(false, true)
    api.nvim_buf_set_lines(scratch, 0, -1, false, before)
    vim.lsp.util.apply_text_edits(vim.deepcopy(file.edits), scratch, encoding)
    local after = api.nvim_buf_get_lines(scratch, 0, -1, false)
    api.nvim_buf_delete(scratch, { force = true })
    result[#result + 1] = { uri = file.uri, before = before, after = after, new = new }
  end
  return result
end

--- A unified diff of an edit.
---@param edit lsp.WorkspaceEdit
---@param encoding lsp.PositionEncodingKind
---@return string[]
function M.diff(edit, encoding)
  local compare = vim.text and vim.text.diff or vim.diff
  local lines = {}
  for _, change in ipairs(changes(edit, encoding)) do
    local name = vim.fn.fnamemodify(vim.uri_to_fname(change.uri), ":.")
    local function text(of)
      return #of == 0 and "" or table.concat(of, "\n") .. "\n"
    end
    local diff = compare(text(change.before), text(change.after), { ctxlen = 3 })
    if diff ~= "" then
      lines[#lines + 1] = "--- " .. (change.new and "/dev/null" or name)
      lines[#lines + 1] = "+++ " .. name
      vim.list_extend(lines, vim.split(vim.trim(diff --[[@as string]]), "\n"))
    end
  end
  return lines
end

--- Applies an edit, all of it or nothing.
---@param edit lsp.WorkspaceEdit
---@param encoding lsp.PositionEncodingKind
---@return boolean
function M.apply(edit, encoding)
  for _, file in ipairs(text_edits(edit)) do
    local bufnr = vim.uri_to_bufnr(file.uri)
    local said
    if file.version and vim.lsp.util.buf_versions[bufnr] ~= file.version then
      said = "twotrack: %s has changed since; nothing was applied. Ask again."
    elseif not vim.bo[bufnr].modifiable then
      said = "twotrack: %s is 'nomodifiable'; nothing was applied."
    end
    if said then
      local name = vim.fn.fnamemodify(vim.uri_to_fname(file.uri), ":.")
      vim.notify(said:format(name), vim.log.levels.WARN)
      return false
    end
  end
  local created = {}
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.kind == "create" then
      created[#created + 1] = change.uri
    end
  end
  vim.lsp.util.apply_workspace_edit(edit, encoding)
  for _, uri in ipairs(created) do
    vim.cmd.sbuffer(vim.uri_to_bufnr(uri)) -- a new file is not left where nobody sees it
  end
  return true
end

--- Shows an edit as a diff in a floating window; keys there apply or reject it.
---@param title string
---@param edit lsp.WorkspaceEdit
---@param encoding lsp.PositionEncodingKind
function M.show(title, edit, encoding)
  local lines = M.diff(edit, encoding)
  if #lines == 0 then
    return vim.notify("twotrack: " .. title .. ": nothing to change", vim.log.levels.INFO)
  end
  local bufnr = api.nvim_create_buf(false, true)
  api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].filetype = "diff"
  vim.bo[bufnr].bufhidden = "wipe"
  vim.bo[bufnr].modifiable = false
  local width = 40
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  width = math.min(width + 1, vim.o.columns - 4)
  local height = math.min(#lines, vim.o.lines - 6)
  local window = api.nvim_open_win(bufnr, true, {
    relative = "editor",
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 2),
    col = math.floor((vim.o.columns - width) / 2),
    width = width,
    height = height,
    style = "minimal",
    border = "rounded",
    title = " " .. title .. " ",
    footer = " a apply · q reject ",
  })
  local function close()
    if api.nvim_win_is_valid(window) then
      api.nvim_win_close(window, true)
    end
  end
  local function on(keys, act, what)
    for _, key in ipairs(keys) do
      vim.keymap.set("n", key, act, { buffer = bufnr, nowait = true, desc = "twotrack: " .. what })
    end
  end
  on({ "a", "<CR>" }, function()
    close()
    M.apply(edit, encoding)
  end, "apply the edit")
  on({ "q", "<Esc>" }, close, "reject the edit")
  api.nvim_create_autocmd("BufLeave", { buffer = bufnr, once = true, callback = close })
end

return M
