#!/bin/sh
# Deletes what certbot-auth.sh has set, which says how to use both.
set -eu

# shellcheck source=/dev/null
. "${REDYN_ACME:-/etc/redyn/acme.env}"

printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" |
	curl --config - --silent --show-error --fail --max-time 30 --output /dev/null \
		--header "Content-Type: application/json" --data \
		"{\"fqdn\": \"_acme-challenge.$CERTBOT_DOMAIN.\", \"value\": \"$CERTBOT_VALIDATION\"}" "$APIURL/cleanup"
