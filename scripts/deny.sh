#!/bin/sh
# Licences, sources and advisories of the dependencies, as deny.toml has them. What cannot be done here is said.
set -eu
if ! cargo deny --version >/dev/null 2>&1; then
    echo "skipped: licences, sources and advisories of dependencies: cargo install --locked cargo-deny"
    exit 0
fi
cargo deny --log-level error check licenses bans sources
# The database of advisories is fetched; a machine without a network has none.
if timeout 60 cargo deny fetch db >/dev/null 2>&1; then
    cargo deny --log-level error check advisories
else
    echo "skipped: advisories of dependencies: their database cannot be fetched here"
fi
