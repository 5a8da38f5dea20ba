# Kakoune (Debian's forky), kakoune-lsp (built by cargo: Debian has none), and tmux.
. "$(dirname "$0")/common.sh"
system_packages tmux
remember TMUX_PROGRAM "$(command -v tmux)"

debian_suite_packages forky kakoune
tree=$(debian_tree forky)
use_own_libraries "$tree" "$tree/usr/bin/kak"
# kakoune-lsp calls `kak`; beside it in the tree lie programs that do not run here.
mkdir -p "$TWOTRACK_EDITORS/tools/kakoune"
ln -sf "$tree/usr/bin/kak" "$TWOTRACK_EDITORS/tools/kakoune/kak"
remember KAKOUNE "$TWOTRACK_EDITORS/tools/kakoune/kak"
remember KAKOUNE_RUNTIME "$tree/usr/share/kak"

CARGO_PROFILE_RELEASE_LTO=off cargo_tool kak-lsp kak-lsp@22.0.0
remember KAKOUNE_LSP "$TWOTRACK_EDITORS/tools/kak-lsp/bin/kak-lsp"

KAKOUNE_RUNTIME=$tree/usr/share/kak "$tree/usr/bin/kak" -version
