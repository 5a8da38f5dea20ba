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

--- Accepts at the next event, because the text may not change within an <expr> mapping.
---@param how "all"|"word"|"line"
---@param otherwise? fun() is called then where the proposal does not fit what was typed since
---@return boolean false: nothing is proposed
function M.accept(how, otherwise)
  otherwise = otherwise or function() end
  if own.visible() then
    vim.schedule(function()
      if not own.accept(how) then
        otherwise()
      end
    end)
    return true
  end
  return M.is_native() and native.accept(how, otherwise)
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
    own.dismiss()
    return true
  end
  return M.is_native() and native.dismiss(true)
end

function M.suggest()
  local client = require("twotrack.client").get(0)
  if not client then
    return
  end
  if M.is_native() then
    native.dismiss(false) -- Neovim cannot ask by hand, so ours shows it until the next key
  end
  -- Neovim's own goes at the next event, and ends what is asked until then.
  vim.schedule(function()
    own.request(client, 1)
  end)
end

--- Asks again, as typing does, where there is more of what is shown.
---@param client_id integer
---@param more twotrack.DidExtend
function M.extend(client_id, more)
  local client = vim.lsp.get_client_by_id(client_id)
  local params = vim.lsp.util.make_position_params(0, client and client.offset_encoding or "utf-16")
  local there = params.textDocument.uri == more.textDocument.uri
    and vim.lsp.util.buf_versions[vim.api.nvim_get_current_buf()] == more.textDocument.version
    and vim.deep_equal(params.position, more.position)
  if not client or not there then
    return
  elseif own.visible() then
    own.request(client, 2)
  elseif M.is_native() then
    native.renew()
  end
end

-- The keys ---------------------------------------------------------------------------------------

--- Accepts before the next key is read.
---@param how "all"|"word"|"line"
---@return fun(otherwise: fun()): boolean
local function accept(how)
  return function(otherwise)
    local accepted = M.accept(how, otherwise)
    local over = not accepted
    vim.schedule(function()
      over = true
    end)
    vim.wait(1000, function()
      return over
    end)
    return accepted
  end
end

---@type table<string, fun(otherwise: fun()): boolean>
local actions = {
  accept = accept("all"),
  accept_word = accept("word"),
  accept_line = accept("line"),
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

---@param maps table<string, any>[]
---@param key string
---@return table<string, any>?
local function find(maps, key)
  for _, map in ipairs(maps) do
    if vim.keycode(map.lhs) == vim.keycode(key) then
      return map
    end
  end
end

--- Does what a key did before it was ours: its mapping, else the key itself.
---@param key string
---@param before? table<string, any> its mapping in the buffer
local function fall_back(key, before)
  local map = before or find(vim.api.nvim_get_keymap("i"), key) or {}
  local keys, remap = vim.keycode(key), false
  if map.callback and map.expr ~= 1 then
    return map.callback()
  elseif map.expr == 1 then
    local value
    if map.callback then
      value = map.callback()
    else
      value = vim.api.nvim_eval(map.rhs)
    end
    keys = map.replace_keycodes == 1 and vim.keycode(value or "") or value
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
  local before = find(vim.api.nvim_buf_get_keymap(bufnr, "i"), key)
  if before and vim.startswith(before.desc or "", "twotrack: ") then
    return -- attached anew
  end
  local act = actions[name]
  local function otherwise()
    fall_back(key, before)
  end
  vim.keymap.set("i", key, function()
    if not act(otherwise) then
      otherwise()
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
