#!/usr/bin/env bash
# `rclone serve webdav` as the file service of one tenant, on loopback, as an unprivileged user.
#
#   rclone.sh run DIRECTORY PORT
#
# A person's files are at /u0000/ … and in DIRECTORY/files/u0000. "mover", password "masterpw", reaches all.
. "$(dirname "$0")/library.sh"
[ $# -eq 3 ] && [ "$1" = run ] || complain "usage: $0 run DIRECTORY PORT" 64
directory=$2 port=$3
command -v rclone >/dev/null || lacks rclone
command -v curl >/dev/null || lacks curl

make_directory "$directory"
mkdir -p "$directory"/{cache,files/u0000}
: >"$directory/rclone.conf"
own "$directory"
answers=answers_propfind probed_path=/u0000/
# What tests do to the files behind rclone's back is seen at once.
supervise "$port" mover masterpw "$directory/output" env HOME="$directory" rclone --config "$directory/rclone.conf" \
    --cache-dir "$directory/cache" serve webdav "$directory/files" --addr "$host:$port" --user mover --pass masterpw \
    --vfs-cache-mode off --dir-cache-time 0s
