--- The plugin's options: their defaults, and what is said of a wrong one.
local M = {}

---@class twotrack.Options
---@field cmd? string[] the server's program
---@field filetypes? string[] where it serves; absent: everywhere
---@field root_markers? string[] what marks a project's folder
---@field settings? table the server's settings, as in its settings file
---@field enable? boolean whether setup() starts the server
---@field ghost? twotrack.GhostOptions
---@field menu? boolean whether completions come in the completion menu too
---@field keys? twotrack.Keys
---@field preview? boolean whether an edit is shown before it is applied
---@field forward_diagnostics? boolean whether the server hears what other servers report
---@field restart? boolean whether a server that crashed is started again

---@class twotrack.GhostOptions
---@field enabled? boolean
---@field native? boolean by vim.lsp.inline_completion, where Neovim has it (0.12)

---@class twotrack.Keys keys of insert mode while there is ghost text; false: none
---@field accept? string|false
---@field accept_word? string|false
---@field accept_line? string|false
---@field next? string|false
---@field previous? string|false
---@field dismiss? string|false
---@field suggest? string|false

---@class twotrack.PresentOptions: twotrack.Options with the defaults where a person said nothing
---@field cmd string[]
---@field root_markers string[]
---@field settings table<string, any>
---@field enable boolean
---@field ghost { enabled: boolean, native: boolean }
---@field menu boolean
---@field keys table<string, string|false>
---@field preview boolean
---@field forward_diagnostics boolean
---@field restart boolean

---@type twotrack.PresentOptions
local defaults = {
  cmd = { "twotrack" },
  root_markers = { ".git" },
  settings = {},
  enable = true,
  ghost = { enabled = true, native = true },
  menu = false,
  keys = {
    accept = "<Tab>",
    accept_word = "<M-Right>",
    accept_line = "<M-Down>",
    next = "<M-]>",
    previous = "<M-[>",
    dismiss = "<C-]>",
    suggest = "<M-Bslash>",
  },
  preview = true,
  forward_diagnostics = true,
  restart = true,
}

--- Where another type than the default's is right, or there is no default.
local types = {
  filetypes = { "table" },
  ["keys.*"] = { "string", "boolean" },
}

--- What they hold is not the plugin's to check, or is a list.
local opaque = { settings = true, cmd = true, root_markers = true, filetypes = true }

local present = vim.deepcopy(defaults)

---@param given table
---@param known table
---@param prefix string
---@param problems string[]
local function check(given, known, prefix, problems)
  for key, value in pairs(given) do
    local name = prefix .. tostring(key)
    local right = types[name] or types[prefix .. "*"] or { type(known[key]) }
    if known[key] == nil and not types[name] then
      problems[#problems + 1] = ("%s is not an option"):format(name)
      given[key] = nil
    elseif not vim.tbl_contains(right, type(value)) then
      local wanted = table.concat(right, " or ")
      problems[#problems + 1] = ("%s is a %s, not a %s"):format(name, wanted, type(value))
      given[key] = nil
    elseif type(value) == "table" and not opaque[name] then
      check(value, known[key], name .. ".", problems)
    end
  end
end

--- Takes a person's options over the defaults; wrong ones are said and left out.
---@param options? twotrack.Options
function M.set(options)
  local given, problems = vim.deepcopy(options or {}), {}
  check(given, defaults, "", problems)
  present = vim.tbl_deep_extend("force", vim.deepcopy(defaults), given)
  M.problems = problems
  if #problems > 0 then
    local said = "twotrack: %s (:help twotrack-options)"
    vim.notify(said:format(table.concat(problems, ", ")), vim.log.levels.WARN)
  end
end

--- What was wrong with the options that were set last.
---@type string[]
M.problems = {}

---@return twotrack.PresentOptions
function M.get()
  return present
end

return M
