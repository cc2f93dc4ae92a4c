#!/usr/bin/env bash
# node_packages.sh FOLDER: what the examples in JavaScript need, into FOLDER/<example>/node_modules.
# Does nothing where that is there already.
set -euo pipefail
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../examples" && pwd)
for example in javascript cdk; do
  folder=$1/$example
  if cmp -s "$examples/$example/package.json" "$folder/package.json"; then continue; fi
  rm -rf "$folder" && mkdir -p "$folder"
  cp "$examples/$example/package.json" "$folder/"
  if ! (cd "$folder" && npm install --no-audit --no-fund --no-package-lock); then
    rm -f "$folder/package.json"
    exit 1
  fi
done
