#!/bin/sh
# Sets a host's address at redyn with the host's password: curl is all it needs.
#
#   APIURL=https://dyn.example.org DOMAINID=17 PASSWORD=... redyn-update-simple.sh
#
# DOMAINID is the host's number or name; the password is one that redyn made, or took a hash of:
#
#   redyn credential add --host home.example.org --kind password
#
# PASSWORDHASH is another name of PASSWORD; it is no hash. The address is the one that redyn sees; with
# the argument -4 or -6 it is that of this family, and the other one is left as it is. Prints ok, or
# fails with curl's status.
set -eu

: "${APIURL:?is where redyn is, such as https://dyn.example.org}"
: "${DOMAINID:?is the number or the name of the host}"
: "${PASSWORD:=${PASSWORDHASH:?or PASSWORD is the password of the host}}"

ask() { curl --silent --show-error --fail --max-time 30 "$@"; }

ip=$(ask ${1:+"$1"} "$APIURL/myip")
# Others can see the arguments of curl, but not what it reads.
printf %s "$PASSWORD" |
	ask --data-urlencode password@- --data-urlencode "ipAddress=$ip" "$APIURL/update-simple/$DOMAINID"
echo
