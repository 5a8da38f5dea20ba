--- Asks for an edit or an explanation, and shows what comes back.
local client = require("twotrack.client")
local options = require("twotrack.options")
local status = require("twotrack.status")

local M = {}

local api = vim.api
local namespace = api.nvim_create_namespace("twotrack.edit")

---@type fun()[] ends each edit that is under way
local running = {}

---@class twotrack.Selection a range as marks have it: lines from 1, columns in bytes from 0
---@field from [integer, integer]
---@field to [integer, integer] its end is exclusive

--- The range of a command, as exact as the selection that it came from.
---@param command vim.api.keyset.create_user_command.command_args
---@return twotrack.Selection
function M.selection(command)
  if command.range == 0 then
    local at = api.nvim_win_get_cursor(0)
    return { from = at, to = at }
  end
  local from, to = api.nvim_buf_get_mark(0, "<"), api.nvim_buf_get_mark(0, ">")
  local selected = from[1] == command.line1 and to[1] == command.line2
  if selected and vim.fn.visualmode() == "v" then
    local line = api.nvim_buf_get_lines(0, to[1] - 1, to[1], false)[1]
    local last = math.min(to[2], #line)
    -- The mark stands at the beginning of the last character, which may have several bytes.
    local width = last < #line and vim.str_utf_end(line, last + 1) + 1 or 0
    return { from = from, to = { to[1], last + width } }
  end
  local line = api.nvim_buf_get_lines(0, command.line2 - 1, command.line2, false)[1]
  return { from = { command.line1, 0 }, to = { command.line2, #line } }
end

---@param at [integer, integer]
---@param encoding lsp.PositionEncodingKind
---@return lsp.Position
local function position(at, encoding)
  local line = api.nvim_buf_get_lines(0, at[1] - 1, at[1], false)[1] or ""
  local col = math.min(at[2], #line)
  return { line = at[1] - 1, character = vim.str_utfindex(line, encoding, col, false) }
end

--- A selection of the present buffer as a request names it.
---@param selection twotrack.Selection
---@return twotrack.SubjectParams
local function place(selection)
  local encoding = client.encoding()
  return {
    textDocument = vim.lsp.util.make_text_document_params(0),
    range = {
      start = position(selection.from, encoding),
      ["end"] = position(selection.to, encoding),
    },
  }
end

--- Shows a text of a model in a window of its own.
---@param title string
---@param text string
function M.show_text(title, text)
  local lines = vim.split(vim.trim((text:gsub("\r\n?", "\n"))), "\n")
  vim.lsp.util.open_floating_preview(lines, "markdown", {
    title = " " .. title .. " ",
    border = "rounded",
    focus_id = "twotrack",
    max_width = math.min(100, vim.o.columns - 4),
    wrap = true,
  })
end

--- Marks the place of an edit that is under way.
---@param bufnr integer
---@param row integer
---@param text string
---@return fun() unmark
local function mark(bufnr, row, text)
  local id = api.nvim_buf_set_extmark(bufnr, namespace, row, 0, {
    virt_text = { { "  " .. text, "DiagnosticVirtualTextInfo" } },
    virt_text_pos = "eol",
  })
  return function()
    if api.nvim_buf_is_valid(bufnr) then
      api.nvim_buf_del_extmark(bufnr, namespace, id)
    end
  end
end

---@param result twotrack.EditResult
---@param encoding lsp.PositionEncodingKind
local function show(result, encoding)
  local seconds, money = result.ms / 1000, status.money(result.costUsd)
  local title = ("%s · %s · %.1f s · %s"):format(result.title, result.model, seconds, money)
  if result.text and result.text ~= vim.NIL then
    M.show_text(title, result.text)
  end
  if not result.edit or result.edit == vim.NIL then
    return
  end
  local preview = require("twotrack.preview")
  if options.get().preview then
    preview.show(title, result.edit, encoding)
  else
    preview.apply(result.edit, encoding)
  end
end

--- Does something in Normal mode, where no key that is being typed goes astray.
---@param act fun()
local function in_normal_mode(act)
  local mode = api.nvim_get_mode().mode
  if (mode == "n" or mode == "nt") and vim.fn.getcmdwintype() == "" then
    return act()
  end
  api.nvim_create_autocmd("ModeChanged", {
    pattern = { "*:n", "*:nt" },
    once = true,
    callback = vim.schedule_wrap(function()
      in_normal_mode(act)
    end),
  })
end

--- Asks for an edit of the present buffer.
---@param task string "refactor", "document", or another code action
---@param selection twotrack.Selection
---@param more? { instruction?: string, diagnostic?: string }
function M.ask(task, selection, more)
  if api.nvim_buf_get_name(0) == "" and task ~= "explain" then
    -- Neovim would put the edit into a new buffer without a name.
    return vim.notify("twotrack: give the file a name first, by :saveas", vim.log.levels.WARN)
  end
  ---@type twotrack.EditParams
  local params = vim.tbl_extend("force", place(selection), { task = task }, more or {})
  local encoding = client.encoding()
  local bufnr, row = api.nvim_get_current_buf(), selection.from[1] - 1
  local unmark, cancel, done
  local function ended()
    done = true
    if unmark then
      unmark()
    end
    running = vim.tbl_filter(function(other)
      return other ~= cancel
    end, running)
  end
  ---@param result twotrack.EditResult
  local stop = client.request("twotrack/edit", params, function(result)
    in_normal_mode(function()
      if not done then
        ended()
        show(result, encoding)
      end
    end)
  end, ended)
  if not stop or done then
    return
  end
  unmark = mark(bufnr, row, ("twotrack: %s … (:Twotrack cancel)"):format(task))
  cancel = function()
    stop()
    ended()
  end
  running[#running + 1] = cancel
end

--- Edits by an instruction, which is asked for where there is none.
---@param selection twotrack.Selection
---@param instruction string
function M.by_instruction(selection, instruction)
  if instruction ~= "" then
    return M.ask("refactor", selection, { instruction = instruction })
  end
  local bufnr = api.nvim_get_current_buf()
  local tick = api.nvim_buf_get_changedtick(bufnr)
  ---@param named twotrack.Subject
  client.request("twotrack/subject", place(selection), function(named)
    vim.ui.input({ prompt = ("Edit %s: "):format(named.subject) }, function(given)
      if not given or vim.trim(given) == "" then
        return
      end
      if api.nvim_get_current_buf() ~= bufnr or api.nvim_buf_get_changedtick(bufnr) ~= tick then
        return vim.notify("twotrack: the text has changed; select it again", vim.log.levels.WARN)
      end
      M.ask("refactor", selection, { instruction = given })
    end)
  end)
end

--- Fixes what is reported at the cursor or in the selected lines.
---@param selection twotrack.Selection
function M.fix(selection)
  local worst
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    local row = diagnostic.lnum + 1
    if row >= selection.from[1] and row <= selection.to[1] then
      if not worst or diagnostic.severity < worst.severity then
        worst = diagnostic
      end
    end
  end
  if not worst then
    return vim.notify("twotrack: no diagnostic on this line", vim.log.levels.WARN)
  end
  local there = {
    from = { worst.lnum + 1, worst.col },
    to = { (worst.end_lnum or worst.lnum) + 1, worst.end_col or worst.col },
  }
  M.ask("fix", there, { diagnostic = worst.message })
end

--- Ends all edits that are under way.
function M.cancel()
  if #running == 0 then
    return vim.notify("twotrack: nothing is under way", vim.log.levels.INFO)
  end
  for _, cancel in ipairs(vim.list_extend({}, running)) do
    cancel()
  end
end

return M
