--- twotrack in Neovim: what a person's init.lua calls. :help twotrack
local M = {}

local set_up = false

--- Takes the options and starts the server in the files that are open and opened.
---@param options? twotrack.Options
function M.setup(options)
  require("twotrack.options").set(options)
  local client = require("twotrack.client")
  if set_up then
    -- What an earlier call said must not shine through.
    ---@diagnostic disable-next-line: inject-field
    vim.lsp.config.twotrack = client.config()
    client.settings_changed()
  else
    vim.lsp.config("twotrack", client.config())
  end
  set_up = true
  if require("twotrack.options").get().enable then
    vim.lsp.enable("twotrack")
  end
end

--- The model of completions in the present buffer, whether it works, and what today has cost.
--- "" where twotrack does not serve the buffer.
---@return string
function M.statusline()
  return require("twotrack.status").line(0)
end

--- Accepts what ghost text proposes; false: there is none.
---@return boolean
function M.accept()
  return require("twotrack.ghost").accept("all")
end

--- Accepts its next word.
---@return boolean
function M.accept_word()
  return require("twotrack.ghost").accept("word")
end

--- Accepts the rest of its line.
---@return boolean
function M.accept_line()
  return require("twotrack.ghost").accept("line")
end

--- Shows the next of several proposals, or the previous one (-1).
---@param count? integer
function M.next(count)
  require("twotrack.ghost").select(count or 1)
end

--- Hides the ghost text until the next key.
---@return boolean
function M.dismiss()
  return require("twotrack.ghost").dismiss()
end

--- Asks for a completion here and now, of several lines where that fits.
function M.suggest()
  require("twotrack.ghost").suggest()
end

return M
