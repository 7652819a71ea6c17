#!/bin/sh
# Makes ./secrets for docker-compose.yml: passwords and keys are drawn, what only Xero knows is left empty. Existing files stay.
#
# The folder is for its owner alone. The files can be read by everybody who gets that far: compose mounts a file as it is, and the
# processes in the containers are the user 10001.
set -eu
umask 077
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 0700 secrets

write() { # NAME: standard input becomes the secret
    [ -s "secrets/$1" ] || cat > "secrets/$1"
    chmod 0644 "secrets/$1"
}

openssl rand -hex 24 | tr -d '\n' | write postgres_password
openssl rand -base64 32 | tr '+/' '-_' | tr -d '\n' | write encryption_keys
openssl rand -hex 24 | tr -d '\n' | write field_policy_key
url="postgresql://xero_stream:$(cat secrets/postgres_password)@postgres:5432/xero_stream"
printf '%s' "$url" | write database_url_of_owner
# Until deploy/postgres-roles.sql was applied processors and console use the owner's role, too.
printf '%s' "$url" | write database_url
printf '%s' "$url" | write database_url_of_console
for name in xero_client_secret xero_webhook_keys; do
    : | write "$name"
    [ -s "secrets/$name" ] || echo "secrets/$name is empty: fill it in from Xero's developer portal"
done
