--- Ghost text by vim.lsp.inline_completion (0.12).
---
--- Neovim shows it and asks for it. Accepting is done here: Neovim would put a proposal at the
--- place it was made for without a look at what was typed since.
local own = require("twotrack.ghost.own")

local M = {}

---@return boolean
function M.available()
  return vim.lsp.inline_completion ~= nil
end

---@param bufnr integer
function M.attach(bufnr)
  -- Not for our client alone: Neovim then forgets to let go of a client that has ended.
  vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
end

---@param item vim.lsp.inline_completion.Item
---@return twotrack.Proposal?
local function proposal(item)
  local text = item.insert_text
  if type(text) ~= "string" or not item.range then
    return nil
  end
  local row, col, end_row, end_col = item.range:to_extmark()
  if row ~= end_row then
    return nil
  end
  return {
    bufnr = vim.api.nvim_get_current_buf(),
    row = row,
    col = col,
    tail = end_col - col, -- the server's ranges begin at the cursor
    text = (text:gsub("\r\n?", "\n")),
    command = item.command,
    client_id = item.client_id,
  }
end

--- Accepts what is shown, or the beginning of it, at the next event.
---@param how "all"|"word"|"line"
---@param otherwise fun() is called then where it does not fit what was typed since
---@return boolean
function M.accept(how, otherwise)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local ours = proposal(item)
      if not ours then
        return item -- another server's, with its own ideas
      end
      if not own.insert(ours, how) then
        otherwise()
      end
    end,
  })
end

--- Asks again for what is shown. Neovim has no function for that: it asks at this event.
function M.renew()
  local bufnr = vim.api.nvim_get_current_buf()
  local namespace = vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  if namespace and #vim.api.nvim_buf_get_extmarks(bufnr, namespace, 0, -1, { limit = 1 }) > 0 then
    local group = "nvim.lsp.inline_completion:" .. bufnr
    pcall(vim.api.nvim_exec_autocmds, "CursorMovedI", { group = group, buffer = bufnr })
  end
end

---@param count integer
function M.select(count)
  vim.lsp.inline_completion.select({ count = count })
end

---@param unwanted boolean whether the person wants it gone; else another way shows it
---@return boolean
function M.dismiss(unwanted)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      local ours = unwanted and proposal(item)
      if ours then
        own.tell(ours, { dismissed = true })
      end
    end,
  })
end

return M
