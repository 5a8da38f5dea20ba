if vim.g.loaded_twotrack then
  return
end
vim.g.loaded_twotrack = true

vim.api.nvim_create_user_command("Twotrack", function(command)
  require("twotrack.commands").run(command)
end, {
  nargs = "*",
  range = true,
  complete = function(lead, line)
    return require("twotrack.commands").complete(lead, line)
  end,
  desc = "twotrack: AI completions and code actions (:help twotrack)",
})

vim.api.nvim_create_autocmd("LspAttach", {
  group = vim.api.nvim_create_augroup("twotrack", {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "twotrack" then
      require("twotrack.client").attached(client, event.buf)
    end
  end,
})
