# Makes, once, what all gateways of one database share. Nothing that is there is overwritten. Keep a copy: without them records stay sealed and keys are worth nothing.
# The folder is closed to others; the files in it are not, for each container mounts its own and is a user of its own.
set -eu
mkdir -p -m 700 "${1:-secrets}"
cd "${1:-secrets}"
umask 022
make() {
  [ -e "$1" ] || { "$2" > "$1.new" && mv "$1.new" "$1"; }
}
bytes() { openssl rand 32; }
digits() { openssl rand -hex 32; }
pair() { openssl genpkey -algorithm ed25519; }
make audit.db.key digits
make signing-key pair
make keys.pepper bytes
make handles.key bytes
make credentials.key bytes
make database-password digits
make redis-password digits
make metrics-token digits
