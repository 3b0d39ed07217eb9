#!/usr/bin/env bash
# `rclone serve webdav` as the file service of one tenant, on loopback, as an unprivileged user.
#
#   rclone.sh run DIRECTORY PORT CONTROL-PORT
#
# POST to http://127.0.0.1:CONTROL-PORT/vfs/forget makes it look at the disk anew.
# A person's files are at /u0000/ … and in DIRECTORY/files/u0000. "mover", password "masterpw", reaches all.
. "$(dirname "$0")/library.sh"
[ $# -eq 4 ] && [ "$1" = run ] || complain "usage: $0 run DIRECTORY PORT CONTROL-PORT" 64
directory=$2 port=$3 control=$4
command -v rclone >/dev/null || lacks rclone
command -v curl >/dev/null || lacks curl

make_directory "$directory"
mkdir -p "$directory"/{cache,files/u0000}
: >"$directory/rclone.conf"
own "$directory"
answers=answers_propfind probed_path=/u0000/
supervise "$port" mover masterpw "$directory/output" env HOME="$directory" rclone --config "$directory/rclone.conf" \
    --cache-dir "$directory/cache" serve webdav "$directory/files" --addr "$host:$port" --user mover --pass masterpw \
    --vfs-cache-mode off --rc --rc-no-auth --rc-addr "$host:$control"
