# Emacs 30 and lsp-mode (Debian's forky), and tmux to see what it shows.
. "$(dirname "$0")/common.sh"
system_packages tmux
remember TMUX_PROGRAM "$(command -v tmux)"

debian_suite_packages forky emacs-nox elpa-lsp-mode
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
remember EMACS_PACKAGES "$tree/usr/share/emacs/site-lisp/elpa-src"

"$TWOTRACK_EDITORS/bin/emacs" --batch --eval '(message "GNU Emacs %s" emacs-version)'
