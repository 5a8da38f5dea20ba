---@brief
---
--- https://github.com/twotrack/twotrack
---
--- AI completions and code actions with your own models, or with a small one that comes along.
--- It can be installed via `uv tool install` or `pipx install`:
---
--- ```sh
--- uv tool install 'twotrack[local]'
--- ```
---
--- It serves every file type, beside the language's own server. Ghost text (Neovim 0.12):
---
--- ```lua
--- vim.lsp.inline_completion.enable(true)
--- ```

---@type vim.lsp.Config
return {
  cmd = { 'twotrack' },
  root_markers = { '.git' },
  -- Else an edit may land beside what was typed meanwhile.
  flags = { debounce_text_changes = 0 },
}
