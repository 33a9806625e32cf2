# Takes mounted keys and secrets into the data directory with the mode that the gateway demands (others may not read them), then becomes the command.
set -eu
from=${MCPGW_MOUNTED:-/run/secrets}
to=${MCPGW_DATA_DIR:-/var/lib/mcpgw/data}
umask 077
mkdir -p "$to/secrets"
for file in "$from"/*; do
  [ -f "$file" ] || continue
  name=${file##*/}
  case $name in
    audit.db.key | credentials.key | handles.key | keys.pepper | signing-key) place=$to/$name ;;
    *) place=$to/secrets/$name ;;
  esac
  rm -f "$place"
  cat "$file" > "$place"
done
exec "$@"
