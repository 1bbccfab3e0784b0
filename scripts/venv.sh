# Sourced by the other scripts: goes to the project's root and makes sure of .venv, with the wanted extras.
# A stamp keyed by pyproject.toml makes the second time quick; a lock lets several scripts start at once.
# shellcheck shell=bash
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
VENV=${SIPVEIL_VENV:-$PWD/.venv}

say() { printf '%s\n' "$*" >&2; }
die() { say "$0: $*"; exit 1; }

# Prints the first Python that is new enough.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "needs Python 3.11 or newer, and found none. On Debian: apt-get install python3 python3-venv; or say PYTHON=/path/to/python3."
}

# Whether a virtual environment is there whose Python still runs.
venv_works() { "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Stamps: one says that Sipveil is installed, another that its [test] extra is too.
stamp_of() { printf '%s/sipveil-%s-%s' "$VENV" "$1" "$({ cat pyproject.toml; pwd; } | cksum | tr ' ' -)"; }

make_venv() {
  local python
  python=$(find_python)
  say "making $VENV with $python"
  "$python" -m venv "$VENV" || die "cannot make a virtual environment. On Debian: apt-get install python3-venv"
}

# install RUN|TEST: what the stamp asks for.
install() {
  local target=.
  [ "$1" = test ] && target='.[test]'
  venv_works || make_venv
  say "installing Sipveil${2:+ $2} into $VENV"
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --editable "$target" ||
    die "pip could not install what pyproject.toml names; its message is above. Is the package index reachable?"
  rm -f "$VENV"/sipveil-"$1"-*
  touch "$(stamp_of "$1")"
  [ "$1" = run ] || touch "$(stamp_of run)"
}

# need_venv run|test: make sure of everything; quick when there is nothing to do.
need_venv() {
  if [ -e "$(stamp_of "$1")" ] && venv_works; then return; fi
  mkdir -p "$(dirname "$VENV")"
  (
    if command -v flock >/dev/null; then flock 9; fi
    if [ ! -e "$(stamp_of "$1")" ] || ! venv_works; then install "$1" "$( [ "$1" = test ] && echo 'with its tests')"; fi
  ) 9>"$VENV.lock"
}
