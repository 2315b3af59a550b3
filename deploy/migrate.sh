#!/bin/sh
# Brings both databases to what the code expects. Run before a new version
# takes requests; running it again changes nothing.
set -eu
python manage.py migrate --no-input
python manage.py migrate --no-input --database=versioned
