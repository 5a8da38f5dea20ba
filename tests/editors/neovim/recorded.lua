-- Prints what the plug-in shows of a recorded server: nvim -l recorded.lua PLUGIN FILE COMMAND...
local plugin, file = table.remove(arg, 1), table.remove(arg, 1)
vim.opt.runtimepath:prepend(plugin)
require("twotrack").setup({ cmd = arg })

local notified = {}
---@diagnostic disable-next-line: duplicate-set-field
vim.notify = function(text)
  notified[#notified + 1] = text
end

local function wait(condition, what)
  assert(vim.wait(20000, condition, 10), "no " .. what .. "\n" .. table.concat(notified, "\n"))
end

local function say(title, lines)
  print(("== %s\n%s"):format(title, table.concat(lines, "\n")))
end

local function float_title()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    local title = vim.api.nvim_win_get_config(window).title
    if title then
      return title[1][1]
    end
  end
end

local status = require("twotrack.status")
vim.cmd.edit(file)
wait(function()
  local known = status.get(0)
  return known and known.last and known.last ~= vim.NIL and #notified > 0
end, "status and notice")
say("notice", notified)
say("line", { status.line(0) })
say("status", status.lines(assert(status.get(0))))

for _, subcommand in ipairs({ "requests", "ledger" }) do
  vim.cmd("Twotrack " .. subcommand)
  wait(function()
    return vim.bo.filetype == "markdown"
  end, subcommand)
  say(subcommand, vim.api.nvim_buf_get_lines(0, 0, -1, false))
  vim.cmd.close()
end

for _, words in ipairs({ "explain", "edit swap the factors" }) do
  vim.cmd("Twotrack " .. words)
  wait(float_title, words)
  say(words, { float_title() })
  vim.cmd("fclose!")
end
