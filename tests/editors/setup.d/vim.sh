# Vim 9 of the system, ALE (Debian's forky), coc.nvim (npm), and tmux to see what they show.
. "$(dirname "$0")/common.sh"
system_packages tmux vim
command -v npm >/dev/null || system_packages nodejs npm
remember TMUX_PROGRAM "$(command -v tmux)"
remember VIM_PROGRAM "$(command -v vim)"

debian_suite_packages forky vim-ale
remember VIM_ALE "$(debian_tree forky)/usr/share/vim-ale"

coc=$TWOTRACK_EDITORS/tools/coc.nvim
npm install --prefix "$coc" --silent --no-audit --no-fund --no-package-lock --ignore-scripts coc.nvim@0.0.82
remember VIM_COC "$coc/node_modules/coc.nvim"

vim --version | head -1
