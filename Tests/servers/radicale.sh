#!/usr/bin/env bash
# Radicale 3 as the calendars and address books of one tenant, on loopback.
#
#   radicale.sh run DIRECTORY PORT [--users N]
#
# People are u0000 …, password "pw", and reach their own collections at /u0000/; "mover", password "masterpw", reaches all.
# A collection lies in DIRECTORY/data/collection-root/u0000/NAME. FERRY_RADICALE names the Python that has Radicale; else it
# is the one in .build/venv, which script/bootstrap makes.
. "$(dirname "$0")/library.sh"
[ $# -ge 3 ] && [ "$1" = run ] || complain "usage: $0 run DIRECTORY PORT [options]" 64
directory=$2 port=$3
shift 3
users=20
while [ $# -gt 0 ]; do
    case $1 in
    --users) users=$2 ;;
    *) complain "there is no option $1" 64 ;;
    esac
    shift 2
done
python=${FERRY_RADICALE:-$(cd "$(dirname "$0")/../.." && pwd)/.build/venv/bin/python}
"$python" -c 'import radicale' 2>/dev/null || lacks radicale
command -v curl >/dev/null || lacks curl

make_directory "$directory"
mkdir -p "$directory/data"
{
    printf 'mover:masterpw\n'
    for ((number = 0; number < users; number++)); do printf 'u%04d:pw\n' "$number"; done
} >"$directory/passwords"
cat >"$directory/rights" <<END
[mover]
user: mover
collection: .*
permissions: RrWw
[root]
user: .+
collection:
permissions: R
[principal]
user: .+
collection: {user}
permissions: RW
[collections]
user: .+
collection: {user}/[^/]+
permissions: rw
END
cat >"$directory/config" <<END
[server]
hosts = $host:$port
max_connections = 64
max_content_length = 100000000
timeout = 120
[auth]
type = htpasswd
htpasswd_filename = $directory/passwords
htpasswd_encryption = plain
delay = 0
[rights]
type = from_file
file = $directory/rights
[storage]
filesystem_folder = $directory/data
[logging]
level = warning
END
# Its program may be where only its owner can read, so it runs as whoever starts it.
as_caller=yes answers=answers_propfind probed_path=/u0000/
supervise "$port" u0000 pw "$directory/output" env HOME="$directory" "$python" -m radicale --config "$directory/config"
