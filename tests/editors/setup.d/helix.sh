# Helix 25.07.1 (Debian's forky), and tmux to see what it shows.
. "$(dirname "$0")/common.sh"
system_packages tmux
remember TMUX_PROGRAM "$(command -v tmux)"

debian_suite_packages forky hx
tree=$(debian_tree forky)
use_own_libraries "$tree" "$tree/usr/lib/hx/hx"
remember HELIX "$tree/usr/lib/hx/hx"
remember HELIX_RUNTIME "$tree/usr/lib/hx/runtime"

HELIX_RUNTIME=$tree/usr/lib/hx/runtime "$tree/usr/lib/hx/hx" --version
