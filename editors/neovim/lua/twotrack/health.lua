--- :checkhealth twotrack
local options = require("twotrack.options")

local M = {}

local health = vim.health

local function check_neovim()
  if vim.fn.has("nvim-0.11") == 0 then
    health.error("Neovim 0.11 or newer is needed")
    return
  end
  local ghost = require("twotrack.ghost")
  if not options.get().ghost.enabled then
    health.info("Ghost text is off; completions come in the completion menu")
  elseif ghost.is_native() then
    health.ok("Ghost text is shown by vim.lsp.inline_completion")
  else
    health.ok("Ghost text is shown by the plugin")
  end
end

local function check_options()
  for _, problem in ipairs(require("twotrack.options").problems) do
    health.warn("Option " .. problem, ":help twotrack-options")
  end
end

local function check_program()
  local cmd = options.get().cmd
  if vim.fn.executable(cmd[1]) == 0 then
    health.error(("%s is not a program on PATH"):format(cmd[1]), {
      "Install it: uv tool install 'twotrack[local]', or pipx install 'twotrack[local]'",
      'Or say where it is: require("twotrack").setup({ cmd = { "/path/to/twotrack" } })',
    })
    return
  end
  local words = vim.list_extend(vim.list_extend({}, cmd), { "--version" })
  local result = vim.system(words, { text = true, timeout = 10000 }):wait()
  local version = vim.trim(result.stdout or "")
  if result.code == 0 and version ~= "" then
    health.ok(("%s: %s"):format(vim.fn.exepath(cmd[1]), version))
  else
    health.error(("%s --version fails"):format(cmd[1]), vim.trim(result.stderr or ""))
  end
end

---@param status twotrack.Status
local function check_status(status)
  for _, problem in ipairs(status.problems) do
    health.warn("Settings: " .. problem)
  end
  if #status.models == 0 then
    health.warn("No model is set up: recall completes from your own code", {
      "Set a key in the environment, or name a model in the settings (:help twotrack-settings)",
    })
  end
  for _, model in ipairs(status.models) do
    local what = ("Model %s (%s, %s)"):format(model.name, model.provider, model.model)
    if model.problem and model.problem ~= vim.NIL then
      health.warn(what .. ": " .. model.problem, ":Twotrack doctor says more")
    else
      health.ok(what)
    end
  end
end

local function check_servers()
  local clients = vim.lsp.get_clients({ name = "twotrack" })
  if #clients == 0 then
    local enabled = vim.lsp.is_enabled("twotrack")
    health.warn("The server does not run", {
      enabled and "It starts with the first file that is opened; :Twotrack log says why it ended"
        or 'Start it: require("twotrack").setup()',
    })
  end
  for _, client in ipairs(clients) do
    local info = client.server_info or {}
    local files = vim.tbl_count(client.attached_buffers)
    local where = client.root_dir or "no project folder"
    local text = "Server %s serves %s, %d file(s), %s"
    health.ok(text:format(info.version or "?", where, files, client.offset_encoding))
    local answer = client:request_sync("twotrack/status", vim.empty_dict(), 3000)
    if answer and answer.result then
      check_status(answer.result)
    else
      local err = answer and answer.err
      health.error("It does not say its status: " .. (err and err.message or "no answer in 3 s"))
    end
  end
end

local function check_keys()
  for name, key in pairs(options.get().ghost.enabled and options.get().keys or {}) do
    for _, client in ipairs(key and vim.lsp.get_clients({ name = "twotrack" }) or {}) do
      for bufnr in pairs(client.attached_buffers) do
        local map = vim.api.nvim_buf_call(bufnr, function()
          return vim.fn.maparg(key, "i", false, true)
        end)
        if not vim.startswith(map.desc or "", "twotrack: ") then
          health.warn(
            ("%s (%s) is mapped by someone else: %s"):format(key, name, map.desc or map.rhs or "?"),
            {
              ":help twotrack-other-plugins",
            }
          )
          break
        end
      end
    end
  end
end

function M.check()
  health.start("twotrack")
  check_neovim()
  check_options()
  check_program()
  check_servers()
  check_keys()
  health.info("Log: " .. vim.lsp.log.get_filename())
end

return M
