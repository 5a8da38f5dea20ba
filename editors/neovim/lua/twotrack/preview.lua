--- Shows what an edit would change, and applies it.
local M = {}

local api = vim.api

---@class twotrack.FileChange
---@field uri string
---@field before string[]
---@field after string[]
---@field new boolean

---@class twotrack.Hunk lines of a file that change; all of a new file
---@field file twotrack.FileChange
---@field from integer the first old line, from 0
---@field to integer the end of the old lines, exclusive
---@field lines string[] the new ones
---@field place integer the first new line, from 0

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

--- The name of a file as a line shows it, whatever it holds: line ends, codes, hidden characters.
---@param uri string
---@return string
local function shown(uri)
  return vim.fn.strtrans(vim.fn.fnamemodify(vim.uri_to_fname(uri), ":."))
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

--- Where an old and a new text differ.
---@param file twotrack.FileChange
---@return twotrack.Hunk[]
local function hunks(file)
  if file.new then
    return { { file = file, from = 0, to = 0, lines = file.after, place = 0 } }
  end
  local function text(of)
    return table.concat(of, "\n") .. "\n"
  end
  local compare = vim.text and vim.text.diff or vim.diff
  local found = {}
  local indices = compare(text(file.before), text(file.after), { result_type = "indices" })
  for _, each in
    ipairs(indices --[[@as integer[][] ]])
  do
    local from, count, to, more = each[1], each[2], each[3], each[4] ---@type integer, integer, integer, integer
    -- Of nothing, the line before it is named.
    local first, place = count > 0 and from - 1 or from, more > 0 and to - 1 or to
    found[#found + 1] = {
      file = file,
      from = first,
      to = first + count,
      lines = vim.list_slice(file.after, place + 1, place + more),
      place = place,
    }
  end
  return found
end

--- The lines of a unified diff, each hunk by itself, and the hunk that each line belongs to.
---@param files twotrack.FileChange[]
---@return string[] lines, table<integer, twotrack.Hunk> hunk_at
local function diff(files)
  local lines, hunk_at = {}, {}
  for _, file in ipairs(files) do
    local found = hunks(file)
    if #found > 0 then
      local name = shown(file.uri)
      lines[#lines + 1] = "--- " .. (file.new and "/dev/null" or name)
      lines[#lines + 1] = "+++ " .. name
    end
    for i, hunk in ipairs(found) do
      local from = math.max(hunk.from - 3, i > 1 and found[i - 1].to or 0)
      local to = math.min(hunk.to + 3, i < #found and found[i + 1].from or #file.before)
      local part = {}
      local function add(sign, first, last, of)
        for n = first + 1, last do
          part[#part + 1] = sign .. of[n]
        end
      end
      add(" ", from, hunk.from, file.before)
      add("-", hunk.from, hunk.to, file.before)
      add("+", 0, #hunk.lines, hunk.lines)
      add(" ", hunk.to, to, file.before)
      local new_count = to - from + #hunk.lines - (hunk.to - hunk.from)
      local place = hunk.place - (hunk.from - from)
      local count = to - from
      table.insert(
        part,
        1,
        ("@@ -%d,%d +%d,%d @@"):format(
          count > 0 and from + 1 or from,
          count,
          new_count > 0 and place + 1 or place,
          new_count
        )
      )
      for _, line in ipairs(part) do
        lines[#lines + 1] = line
        hunk_at[#lines] = hunk
      end
    end
  end
  return lines, hunk_at
end

--- A unified diff of an edit.
---@param edit lsp.WorkspaceEdit
---@param encoding lsp.PositionEncodingKind
---@return string[]
function M.diff(edit, encoding)
  local lines = diff(changes(edit, encoding))
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
      local name = shown(file.uri)
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

--- Applies one hunk to its file, which must be as it was.
---@param hunk twotrack.Hunk
---@return boolean
local function apply_hunk(hunk)
  local file = hunk.file
  local bufnr = vim.uri_to_bufnr(file.uri)
  local name = shown(file.uri)
  vim.fn.bufload(bufnr)
  local present = api.nvim_buf_get_lines(bufnr, 0, -1, false)
  if not file.new and not vim.deep_equal(present, file.before) then
    local said = "twotrack: %s has changed since; nothing was applied. Ask again."
    vim.notify(said:format(name), vim.log.levels.WARN)
    return false
  end
  api.nvim_buf_set_lines(bufnr, hunk.from, file.new and -1 or hunk.to, false, hunk.lines)
  if file.new then
    vim.bo[bufnr].buflisted = true
  end
  return true
end

---@param lines string[]
---@param from integer
---@param to integer
---@param with string[]
---@return string[]
local function replaced(lines, from, to, with)
  local result = vim.list_slice(lines, 1, from)
  vim.list_extend(result, with)
  return vim.list_extend(result, lines, to + 1)
end

--- Notes that a hunk is decided: the file has it now, or what is proposed has it no more.
---@param hunk twotrack.Hunk
---@param applied boolean
local function settle(hunk, applied)
  local file = hunk.file
  if file.new then
    file.before, file.after, file.new = {}, {}, false
  elseif applied then
    file.before = replaced(file.before, hunk.from, hunk.to, hunk.lines)
  else
    local old = vim.list_slice(file.before, hunk.from + 1, hunk.to)
    file.after = replaced(file.after, hunk.place, hunk.place + #hunk.lines, old)
  end
end

---@param bufnr integer
---@param window integer
---@param lines string[]
local function draw(bufnr, window, lines)
  vim.bo[bufnr].modifiable = true
  api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modifiable = false
  local width = 56 -- of the footer
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  width = math.min(width + 1, vim.o.columns - 4)
  local height = math.min(#lines, vim.o.lines - 6)
  api.nvim_win_set_config(window, {
    relative = "editor",
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 2),
    col = math.floor((vim.o.columns - width) / 2),
    width = width,
    height = height,
  })
end

--- Shows an edit as a diff in a floating window; keys there decide about all of it or a hunk.
---@param title string
---@param edit lsp.WorkspaceEdit
---@param encoding lsp.PositionEncodingKind
function M.show(title, edit, encoding)
  local files = changes(edit, encoding)
  local lines, hunk_at = diff(files)
  if #lines == 0 then
    local said = ("twotrack: %s: nothing to change"):format(vim.fn.strtrans(title))
    return vim.notify(said, vim.log.levels.INFO)
  end
  local several = #vim.tbl_filter(function(line)
    return vim.startswith(line, "@@")
  end, lines) > 1
  local bufnr = api.nvim_create_buf(false, true)
  vim.bo[bufnr].bufhidden = "wipe"
  local window = api.nvim_open_win(bufnr, true, {
    relative = "editor",
    row = 0,
    col = 0,
    width = 1,
    height = 1,
    style = "minimal",
    border = "rounded",
    title = " " .. title .. " ",
    footer = " a apply · q reject" .. (several and " · h, x this hunk" or "") .. " · w why ",
  })
  draw(bufnr, window, lines)
  vim.bo[bufnr].filetype = "diff"
  local begun = false -- whether a hunk was decided by itself
  local function close()
    if api.nvim_win_is_valid(window) then
      api.nvim_win_close(window, true)
    end
  end
  local function decide(hunk, apply)
    if apply and not apply_hunk(hunk) then
      return close()
    end
    begun = true
    settle(hunk, apply)
    lines, hunk_at = diff(files)
    if #lines == 0 then
      return close()
    end
    draw(bufnr, window, lines)
  end
  local function on(keys, act, what)
    for _, key in ipairs(keys) do
      vim.keymap.set("n", key, act, { buffer = bufnr, nowait = true, desc = "twotrack: " .. what })
    end
  end
  local function on_hunk(key, apply, what)
    on({ key }, function()
      local hunk = hunk_at[api.nvim_win_get_cursor(window)[1]]
      if hunk then
        decide(hunk, apply)
      end
    end, what)
  end
  on({ "a", "<CR>" }, function()
    if not begun then
      close()
      return M.apply(edit, encoding)
    end
    while #lines > 0 and api.nvim_win_is_valid(window) do
      decide(hunk_at[#lines], true)
    end
  end, "apply the edit")
  on_hunk("h", true, "apply this hunk")
  on_hunk("x", false, "leave this hunk out")
  on({ "w" }, function()
    require("twotrack.commands").requests()
  end, "what was asked and answered")
  on({ "q", "<Esc>" }, close, "reject the edit")
  api.nvim_create_autocmd("BufLeave", { buffer = bufnr, once = true, callback = close })
end

return M
