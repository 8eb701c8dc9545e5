#!/bin/sh
# Sets a host's address at redyn by signing a one-time token: curl and openssl are all it needs.
#
#   APIURL=https://dyn.example.org DOMAINID=17 PRIVATEKEY=/etc/redyn/home.pem redyn-update-signed.sh
#
# DOMAINID is the host's number or name. The key is RSA, ECDSA or Ed25519, and redyn has its public half:
#
#   openssl genpkey -algorithm ed25519 -out home.pem
#   openssl pkey -in home.pem -pubout -out home.pub
#   redyn credential add --host home.example.org --kind publickey --pem home.pub
#
# The address is the one that redyn sees; with the argument -4 or -6 it is that of this family, and the
# other one is left as it is. Prints ok, or fails with curl's status.
set -eu

: "${APIURL:?is where redyn is, such as https://dyn.example.org}"
: "${DOMAINID:?is the number or the name of the host}"
: "${PRIVATEKEY:?is the file of the private key}"

umask 077
message=$(mktemp)
trap 'rm -f "$message"' EXIT
trap 'exit 1' HUP INT TERM

ask() { curl --silent --show-error --fail --max-time 30 "$@"; }

sign() {
	if openssl pkey -in "$PRIVATEKEY" -noout -text | grep -qi '^ed25519'; then
		openssl pkeyutl -sign -rawin -inkey "$PRIVATEKEY" -in "$message"
	else
		openssl dgst -sha256 -sign "$PRIVATEKEY" "$message"
	fi
}

# An assignment of its own fails if its command does.
ip=$(ask ${1:+"$1"} "$APIURL/myip")
token=$(ask "$APIURL/token/$DOMAINID?pure")
printf '%s|%s|%s\n' "$token" "$DOMAINID" "$ip" >"$message"
signature=$(sign | base64)
ask --data-urlencode "signature=$signature" --data-urlencode "ipAddress=$ip" "$APIURL/update/$DOMAINID"
echo
