#!/bin/bash
# Makes both databases and the user that the site signs in as. The server's
# image runs this once, on an empty volume; running it again changes nothing.
#
# The collation of what is branched tells “ada” and “Ada” apart, or Dolt would not
# write one over the other, nor show or merge what differs by case alone. That of
# the accounts does not, as no “Erin” is to be taken for “erin”. The user may do
# what the site and its migrations do, in these two databases alone.
set -euo pipefail

: "${DOLT_ROOT_PASSWORD?}" "${POLLARD_DOLT_PASSWORD:?}"
user=${POLLARD_DOLT_USER:-pollard}
database=${POLLARD_DOLT_DATABASE:-pollard}

# A text literal and a name, as SQL writes them.
text() { local value=${1//\\/\\\\}; printf "'%s'" "${value//\'/\'\'}"; }
name() { printf '`%s`' "${1//\`/\`\`}"; }

account="$(text "$user")@'%'"
{
  echo "CREATE USER IF NOT EXISTS $account IDENTIFIED BY $(text "$POLLARD_DOLT_PASSWORD");"
  for each in "$database" "${database}_console"; do
    collation=utf8mb4_0900_bin
    if [ "$each" != "$database" ]; then collation=utf8mb4_0900_ai_ci; fi
    echo "CREATE DATABASE IF NOT EXISTS $(name "$each")
            CHARACTER SET utf8mb4 COLLATE $collation;"
    echo "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX,
            REFERENCES, EXECUTE ON $(name "$each").* TO $account;"
  done
} | DOLT_CLI_PASSWORD=$DOLT_ROOT_PASSWORD dolt \
  --host=127.0.0.1 --port="${POLLARD_DOLT_PORT:-3306}" --no-tls --user=root sql
