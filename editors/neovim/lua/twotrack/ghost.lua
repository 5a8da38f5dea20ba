--- Ghost text, shown by Neovim or by the plugin itself, and its keys.
local native = require("twotrack.ghost.native")
local options = require("twotrack.options")
local own = require("twotrack.ghost.own")

local M = {}

--- The style of ghost text: Neovim's own where it has one.
local function define_highlight()
  local link = vim.fn.hlexists("ComplHint") == 1 and "ComplHint" or "NonText"
  vim.api.nvim_set_hl(0, "TwotrackGhost", { link = link, default = true })
end

---@return boolean whether Neovim shows ghost text
function M.is_native()
  return native.available() and options.get().ghost.native
end

---@param how "all"|"word"|"line"
---@return boolean
function M.accept(how)
  return own.accept(how) or (M.is_native() and native.accept(how))
end

---@param count integer
function M.select(count)
  if own.visible() then
    own.select(count)
  elseif M.is_native() then
    native.select(count)
  end
end

---@return boolean
function M.dismiss()
  if own.visible() then
    own.clear()
    return true
  end
  return M.is_native() and native.dismiss()
end

function M.suggest()
  local client = require("twotrack.client").get(0)
  if not client then
    return
  end
  if M.is_native() then
    native.dismiss() -- Neovim cannot ask by hand, so ours shows it until the next key
  end
  own.request(client, 1)
end

-- The keys ---------------------------------------------------------------------------------------

---@type table<string, fun(): boolean>
local actions = {
  accept = function()
    return M.accept("all")
  end,
  accept_word = function()
    return M.accept("word")
  end,
  accept_line = function()
    return M.accept("line")
  end,
  next = function()
    M.select(1)
    return own.visible() or M.is_native()
  end,
  previous = function()
    M.select(-1)
    return own.visible() or M.is_native()
  end,
  dismiss = M.dismiss,
  suggest = function()
    M.suggest()
    return true
  end,
}

--- Does what a key did before it was ours: its mapping, else the key itself.
---@param key string
---@param before table what maparg gave for the buffer
local function fall_back(key, before)
  local map = before
  if vim.tbl_isempty(map) then
    for _, global in ipairs(vim.api.nvim_get_keymap("i")) do
      if vim.keycode(global.lhs or "") == vim.keycode(key) then
        map = global
      end
    end
  end
  local keys, remap = vim.keycode(key), false
  if map.callback and map.expr ~= 1 then
    return map.callback()
  elseif map.callback or map.expr == 1 then
    local value = map.callback and map.callback() or vim.api.nvim_eval(map.rhs)
    keys = (map.callback and map.replace_keycodes ~= 1) and value or vim.keycode(value or "")
    remap = map.noremap == 0
  elseif map.rhs then
    keys, remap = vim.keycode(map.rhs), map.noremap == 0
  end
  vim.api.nvim_feedkeys(keys or "", remap and "im" or "in", false)
end

---@param bufnr integer
---@param name string
---@param key string
local function map(bufnr, name, key)
  local before = vim.api.nvim_buf_call(bufnr, function()
    return vim.fn.maparg(key, "i", false, true)
  end)
  if before.desc and vim.startswith(before.desc, "twotrack: ") then
    return -- attached anew
  end
  before = before.buffer == 1 and before or {}
  local act = actions[name]
  vim.keymap.set("i", key, function()
    -- What is accepted is undone by itself, without what was typed before it.
    local levels = vim.bo.undolevels
    vim.bo.undolevels = levels
    if not act() then
      fall_back(key, before)
    end
  end, { buffer = bufnr, desc = "twotrack: " .. name:gsub("_", " ") })
end

--- Shows ghost text in a buffer, with its keys.
---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  define_highlight()
  if M.is_native() then
    native.attach(bufnr)
  end
  own.attach(client, bufnr, not M.is_native())
  for name, key in pairs(options.get().keys) do
    if key then
      map(bufnr, name, key)
    end
  end
end

return M
