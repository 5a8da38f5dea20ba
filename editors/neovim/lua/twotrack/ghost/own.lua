--- Ghost text by extmarks: on 0.11, and where a person asked for a completion by hand.
---
--- One proposal is shown at a time, in the current buffer. It stays while what is typed is its
--- beginning; an answer counts only where nothing has moved since the question.
local M = {}

local api = vim.api
local namespace = api.nvim_create_namespace("twotrack.ghost")

---@class twotrack.Proposal what goes into a buffer from a place on
---@field bufnr integer
---@field row integer
---@field col integer
---@field tail integer bytes after the cursor that it replaces
---@field text string lines end with "\n", whatever the file's do
---@field behind? string what stood behind the cursor; nil: that is not known
---@field command? lsp.Command tells the server that it was accepted
---@field client_id? integer whose it is

---@type twotrack.Proposal[], integer, twotrack.Proposal?
local proposals, index, shown = {}, 1, nil
---@type { client: vim.lsp.Client, id?: integer }?
local pending
---@type string where the last question was asked
local asked_at = ""

---@return integer row, integer col both from 0
local function cursor()
  local at = api.nvim_win_get_cursor(0)
  return at[1] - 1, at[2]
end

---@return string a name for this place in this state of this buffer
local function here()
  local row, col = cursor()
  local bufnr = api.nvim_get_current_buf()
  return ("%d %d %d %d"):format(bufnr, api.nvim_buf_get_changedtick(bufnr), row, col)
end

--- What is left of a proposal behind the cursor; nil: something else was typed.
---@param proposal twotrack.Proposal
---@return string?
function M.rest(proposal)
  local row, col = cursor()
  if
    api.nvim_get_current_buf() ~= proposal.bufnr
    or row < proposal.row
    or (row == proposal.row and col < proposal.col)
  then
    return nil
  end
  local typed = api.nvim_buf_get_text(0, proposal.row, proposal.col, row, col, {})
  local begun = table.concat(typed, "\n")
  local behind = api.nvim_get_current_line():sub(col + 1)
  if
    not vim.startswith(proposal.text, begun)
    or #behind < proposal.tail
    or behind ~= (proposal.behind or behind)
  then
    return nil
  end
  return proposal.text:sub(#begun + 1)
end

--- Virtual text shows a tab as it comes, so it is drawn as the blanks that it will be.
---@param text string
---@param column integer where it begins on the screen, from 0
---@return string
local function untabbed(text, column)
  local stop = vim.bo.tabstop
  local parts = vim.split(text, "\t", { plain = true })
  for i = 1, #parts - 1 do
    column = column + vim.fn.strdisplaywidth(parts[i])
    local width = stop - column % stop
    parts[i] = parts[i] .. (" "):rep(width)
    column = column + width
  end
  return table.concat(parts)
end

---@param proposal twotrack.Proposal
---@param rest string
local function draw(proposal, rest)
  local row, col = cursor()
  local lines = vim.split(rest, "\n", { plain = true })
  local tail = api.nvim_get_current_line():sub(col + 1, col + proposal.tail)
  local position = "inline" ---@type "inline"|"overlay"
  local column = vim.fn.virtcol(".") --[[@as integer]]
  local first = untabbed(lines[1], column - 1)
  if tail ~= "" then
    if #lines == 1 and vim.endswith(first, tail) then
      first = first:sub(1, -1 - #tail)
    else -- what it replaces is covered
      position = "overlay"
      local gap = vim.fn.strdisplaywidth(tail) - vim.fn.strdisplaywidth(first)
      first = first .. (" "):rep(gap)
    end
  end
  local below = {}
  for i = 2, #lines do
    below[#below + 1] = { { untabbed(lines[i], 0), "TwotrackGhost" } }
  end
  api.nvim_buf_set_extmark(proposal.bufnr, namespace, row, col, {
    virt_text = { { first, "TwotrackGhost" } },
    virt_text_pos = position,
    virt_lines = below,
    hl_mode = "combine",
  })
end

local function erase()
  if shown and api.nvim_buf_is_valid(shown.bufnr) then
    api.nvim_buf_clear_namespace(shown.bufnr, namespace, 0, -1)
  end
  shown = nil
end

--- Draws the chosen proposal anew, as far as it is not typed yet.
local function refresh()
  erase()
  local proposal = proposals[index]
  local rest = proposal and M.rest(proposal)
  if not proposal or not rest or rest == "" then
    proposals = {}
    return
  end
  shown = proposal
  draw(proposal, rest)
end

local function cancel()
  if pending and pending.id then
    pending.client:cancel_request(pending.id)
    pending = nil
  end
end

--- Forgets what is shown and asked.
function M.clear()
  cancel()
  erase()
  proposals, asked_at = {}, ""
end

---@return boolean
function M.visible()
  return shown ~= nil and (M.rest(shown) or "") ~= ""
end

---@param client vim.lsp.Client
---@param bufnr integer
---@param items lsp.InlineCompletionItem[]
local function take(client, bufnr, items)
  local row, col = cursor()
  local line = api.nvim_get_current_line()
  proposals, index = {}, 1
  for _, item in ipairs(items) do
    local range, text = item.range, item.insertText
    local from, to = col, col
    if range then
      local encoding = client.offset_encoding
      from = vim.str_byteindex(line, encoding, range.start.character, false)
      to = vim.str_byteindex(line, encoding, range["end"].character, false)
    end
    local on_this_line = not range or (range.start.line == row and range["end"].line == row)
    if type(text) == "string" and on_this_line and from <= col and to >= col then
      proposals[#proposals + 1] = {
        bufnr = bufnr,
        row = row,
        col = from,
        tail = to - col,
        text = (text:gsub("\r\n?", "\n")),
        behind = line:sub(col + 1),
        command = item.command,
        client_id = client.id,
      }
    end
  end
  refresh()
end

--- Asks for proposals at the cursor, in the place of what was asked before.
---@param client vim.lsp.Client
---@param kind lsp.InlineCompletionTriggerKind 1 by hand, 2 while typing
function M.request(client, kind)
  cancel()
  local bufnr, at = api.nvim_get_current_buf(), here()
  asked_at = at
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  ---@cast params lsp.InlineCompletionParams
  params.context = { triggerKind = kind }
  local question = { client = client } ---@type { client: vim.lsp.Client, id?: integer }
  local sent, id = client:request("textDocument/inlineCompletion", params, function(err, result)
    if pending ~= question then
      return
    end
    pending = nil
    local inserting = api.nvim_get_mode().mode:sub(1, 1) == "i"
    -- No answer leaves what is typed through; an empty one takes it away.
    if err or not result or not inserting or here() ~= at then
      return
    end
    take(client, bufnr, result.items or result)
  end, bufnr)
  if sent then
    question.id = id
    pending = question
  end
end

--- Follows the cursor: what was typed through stays, and the server is asked at each new place.
---@param client_id integer
---@param automatic boolean
local function follow(client_id, automatic)
  local client = vim.lsp.get_client_by_id(client_id)
  local at = here()
  if at == asked_at or not client then
    return
  end
  if not automatic then
    return M.clear() -- Neovim's own ghost text goes on
  end
  refresh()
  M.request(client, 2)
end

--- Follows the person's typing in a buffer.
---@param client vim.lsp.Client
---@param bufnr integer
---@param automatic boolean whether typing asks; else only M.request does
function M.attach(client, bufnr, automatic)
  local group = api.nvim_create_augroup("twotrack.ghost." .. bufnr, {})
  api.nvim_create_autocmd({ "InsertEnter", "TextChangedI", "TextChangedP", "CursorMovedI" }, {
    group = group,
    buffer = bufnr,
    callback = function()
      follow(client.id, automatic)
    end,
  })
  api.nvim_create_autocmd("LspDetach", {
    group = group,
    buffer = bufnr,
    callback = function(event)
      if event.data.client_id == client.id then
        M.clear()
        api.nvim_del_augroup_by_id(group)
      end
    end,
  })
end

-- Also for what was asked by hand, wherever that was.
api.nvim_create_autocmd({ "InsertLeave", "BufLeave" }, {
  group = api.nvim_create_augroup("twotrack.ghost", {}),
  callback = M.clear,
})

--- Shows another of the proposals; where there is one, others are asked for.
---@param count integer
function M.select(count)
  local client = shown and shown.client_id and vim.lsp.get_client_by_id(shown.client_id)
  if #proposals == 1 and client then
    M.request(client, 1)
  elseif #proposals > 0 then
    index = (index - 1 + count) % #proposals + 1
    refresh()
  end
end

--- The part of a text that a key accepts.
---@param text string
---@param how "all"|"word"|"line"
---@return string
local function part(text, how)
  if how == "word" then
    local word = vim.fn.matchstr(text, [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)]])
    return word ~= "" and word or text
  elseif how == "line" then
    return text:match("^\n*[^\n]+") or text
  end
  return text
end

--- Tells the server what became of a proposal.
---@param proposal twotrack.Proposal
---@param what { accepted?: string, dismissed?: boolean } accepted: of the text, from its start
function M.tell(proposal, what)
  local client = proposal.client_id and vim.lsp.get_client_by_id(proposal.client_id)
  if not client or not proposal.command then
    return
  end
  local item = { command = proposal.command }
  ---@param method string
  ---@param params table
  local function notify(method, params)
    ---@diagnostic disable-next-line: param-type-mismatch # Neovim's types know LSP's methods only
    client:notify(method, params)
  end
  if what.dismissed then
    notify("twotrack/didRejectCompletion", { item = item })
  elseif what.accepted == proposal.text then
    client:exec_cmd(proposal.command, { bufnr = proposal.bufnr })
  else
    local units = vim.str_utfindex(what.accepted or "", "utf-16")
    local params = { item = item, acceptedLength = units }
    notify("textDocument/didPartiallyAcceptCompletion", params)
  end
end

--- Puts a proposal, or the beginning of it, into the buffer.
---@param proposal twotrack.Proposal
---@param how "all"|"word"|"line"
---@return boolean false: the buffer has moved on, and nothing is changed
function M.insert(proposal, how)
  local rest = M.rest(proposal)
  if not rest or rest == "" then
    return false
  end
  -- It is undone by itself, without what was typed before it.
  local levels = vim.bo.undolevels
  vim.bo.undolevels = levels
  local text = part(rest, how)
  local row, col = cursor()
  -- What stands behind the cursor goes only with the whole.
  local to = col + (text == rest and proposal.tail or 0)
  local lines = vim.split(text, "\n", { plain = true })
  api.nvim_buf_set_text(proposal.bufnr, row, col, row, to, lines)
  api.nvim_win_set_cursor(0, { row + #lines, (#lines == 1 and col or 0) + #lines[#lines] })
  M.tell(proposal, { accepted = proposal.text:sub(1, #proposal.text - #rest + #text) })
  return true
end

--- Takes away what is shown, because the person wants it gone.
function M.dismiss()
  if shown then
    M.tell(shown, { dismissed = true })
  end
  M.clear()
end

--- Accepts what is shown, or the beginning of it.
---@param how "all"|"word"|"line"
---@return boolean
function M.accept(how)
  local proposal = shown
  if not proposal or not M.visible() then
    return false
  end
  local done = M.insert(proposal, how)
  if how == "all" then
    M.clear()
  end
  return done
end

return M
