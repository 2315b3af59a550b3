#!/bin/bash
# Whether the site could work now: its own user, each of its databases, a
# statement. An open port says less, as it opens before users exist.
set -euo pipefail

database=${POLLARD_DOLT_DATABASE:-pollard}
for each in "$database" "${database}_console"; do
  DOLT_CLI_PASSWORD=$POLLARD_DOLT_PASSWORD dolt \
    --host=127.0.0.1 --port="${POLLARD_DOLT_PORT:-3306}" --no-tls \
    --user="${POLLARD_DOLT_USER:-pollard}" --use-db="$each" \
    sql --query='SELECT 1' >/dev/null
done
