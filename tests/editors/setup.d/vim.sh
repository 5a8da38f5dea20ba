# Vim 9 of the system, ALE (Debian's forky), and tmux to see what they show.
. "$(dirname "$0")/common.sh"
system_packages tmux vim
remember TMUX_PROGRAM "$(command -v tmux)"
remember VIM_PROGRAM "$(command -v vim)"

debian_suite_packages forky vim-ale
remember VIM_ALE "$(debian_tree forky)/usr/share/vim-ale"

vim --version | head -1
