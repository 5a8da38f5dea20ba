# Emacs 30, lsp-mode, what else people have in it and package-lint (Debian's forky), and tmux to see what it shows.
. "$(dirname "$0")/common.sh"
system_packages tmux
remember TMUX_PROGRAM "$(command -v tmux)"

debian_suite_packages forky emacs-nox elpa-lsp-mode elpa-company elpa-evil elpa-package-lint
tree=$(debian_tree forky)
use_own_libraries "$tree" "$tree/usr/bin/emacs-nox" "$tree/usr/bin/emacsclient.emacs"

# Emacs looks for its Lisp where it was built for; this tells it where that is here. The dump of
# its preloaded Lisp is found beside the program, under its name.
lisp=$(echo "$tree"/usr/share/emacs/30.*)
libexec=$(echo "$tree"/usr/libexec/emacs/30.*/*-linux-gnu)
ln -sf "$(echo "$libexec"/*.pdmp)" "$tree/usr/bin/emacs-nox.pdmp"
mkdir -p "$TWOTRACK_EDITORS/bin"
cat >"$TWOTRACK_EDITORS/bin/emacs" <<WRAPPER
#!/bin/sh
export EMACSLOADPATH="$lisp/lisp" EMACSDATA="$lisp/etc" EMACSDOC="$lisp/etc" EMACSPATH="$libexec"
exec "$tree/usr/bin/emacs-nox" --no-site-file --no-site-lisp "\$@"
WRAPPER
chmod +x "$TWOTRACK_EDITORS/bin/emacs"
remember EMACS "$TWOTRACK_EDITORS/bin/emacs"
remember EMACSCLIENT "$tree/usr/bin/emacsclient.emacs"

# As Debian does when it installs them: uncompiled, lsp-mode alone takes seconds to load.
packages=$tree/usr/share/emacs/site-lisp/elpa-src
options=()
for folder in "$packages"/*/; do options+=(-L "$folder"); done
compile=(--batch -Q "${options[@]}" --eval '(setq byte-compile-warnings nil)' -f batch-byte-compile)
"$TWOTRACK_EDITORS/bin/emacs" "${compile[@]}" "$packages"/*/{dash,s,f,ht,lv,spinner,markdown-mode,lsp-protocol,lsp-mode}.el
remember EMACS_PACKAGES "$packages"

"$TWOTRACK_EDITORS/bin/emacs" --batch --eval '(message "GNU Emacs %s" emacs-version)'
