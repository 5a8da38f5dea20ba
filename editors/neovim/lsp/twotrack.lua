-- Found by vim.lsp.enable("twotrack"), which is all that is needed without options.
return require("twotrack.client").config()
