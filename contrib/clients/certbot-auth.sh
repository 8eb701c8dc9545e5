#!/bin/sh
# Sets what certbot proves with that a name is yours (ACME DNS-01); certbot-cleanup.sh deletes it.
#
#   certbot certonly --manual --preferred-challenges dns -d home.example.org \
#       --manual-auth-hook /etc/redyn/certbot-auth.sh --manual-cleanup-hook /etc/redyn/certbot-cleanup.sh
#
# certbot renew runs without your environment, so the settings are in a file (chmod 600),
# /etc/redyn/acme.env or the one that REDYN_ACME names:
#
#   APIURL=https://dyn.example.org
#   TOKEN=...                      # redyn credential add --host home.example.org --type TXT
set -eu

# shellcheck source=/dev/null
. "${REDYN_ACME:-/etc/redyn/acme.env}"

# Others can see the arguments of curl, but not what it reads.
printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" |
	curl --config - --silent --show-error --fail --max-time 30 --output /dev/null \
		--header "Content-Type: application/json" --data \
		"{\"fqdn\": \"_acme-challenge.$CERTBOT_DOMAIN.\", \"value\": \"$CERTBOT_VALIDATION\"}" "$APIURL/present"
