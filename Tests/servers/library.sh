# What the server scripts of this folder share. Sourced, never run.
#
#   NAME.sh run DIRECTORY PORT [options]   stays in the foreground until it is told to stop (SIGTERM)
#
# DIRECTORY takes everything the server writes; PORT is free and on loopback. "ready PORT" on standard output says that
# a real LOGIN has succeeded. Whoever starts a script ends it by its process id; it takes the server with it. The same
# happens when its standard input ends, so that a test that is killed leaves nothing behind.
set -eu
host=127.0.0.1

complain() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

# Exit code 77: this machine has not what is needed; a test that sees it says so and is skipped.
lacks() { complain "missing: $1. script/bootstrap test installs it." 77; }

# Servers refuse to run as root, so that root becomes this user for them.
account=$(id -un)
group=$(id -gn)
if [ "$(id -u)" = 0 ]; then
    account=nobody
    group=$(id -gn nobody)
fi

own() { [ "$(id -u)" != 0 ] || chown -R "$account:$group" "$@"; }

# Lets the unprivileged user reach the directory; the parents belong to the caller.
make_directory() {
    mkdir -p "$1"
    chmod 755 "$1"
}

# Makes DIRECTORY/sendmail, which sends nothing and writes its arguments into DIRECTORY/sent.
record_sent() {
    printf '#!/bin/sh\ncat >/dev/null\necho "$*" >>"%s/sent"\n' "$1" >"$1/sendmail"
    chmod 755 "$1/sendmail"
}

answers_login() { # port user password
    local answer
    answer=$( (
        exec 3<>"/dev/tcp/$host/$1"
        printf 'a LOGIN "%s" "%s"\r\nb LOGOUT\r\n' "$2" "$3" >&3
        timeout 5 cat <&3
    ) 2>/dev/null || true)
    case $answer in *"a OK"*) return 0 ;; esac
    return 1
}

# The same for what is reached by HTTP: PROPFIND of the path that the script has put into $probed_path.
answers_propfind() { # port user password
    [ "$(curl -s -o /dev/null -m 5 --anyauth -u "$2:$3" -X PROPFIND -H 'Depth: 0' -w '%{http_code}' \
        "http://$host:$1$probed_path" || true)" = 207 ]
}
answers=answers_login

# Starts a command as the unprivileged user (as the caller where $as_caller is yes), announces it once it takes logins, and stays with it.
supervise() { # port user password log command...
    local port=$1 user=$2 password=$3 log=$4 tries=0
    shift 4
    local as=()
    [ "$(id -u)" != 0 ] || [ "${as_caller:-no}" = yes ] || as=(setpriv --reuid="$account" --regid="$group" --clear-groups --)
    # In a session of its own, so that ending the group ends every process the server has made.
    setsid "${as[@]}" "$@" >"$log" 2>&1 </dev/null &
    server=$!
    trap 'stop' EXIT
    trap 'exit 0' TERM INT HUP
    until "$answers" "$port" "$user" "$password"; do
        kill -0 "$server" 2>/dev/null || complain "the server ended: $(tail -n 5 "$log")"
        tries=$((tries + 1))
        [ "$tries" -lt 150 ] || complain "no login within 30 seconds: $(tail -n 5 "$log")"
        sleep 0.2
    done
    printf 'ready %s\n' "$port"
    # Ends with standard input, which is the test's end of a pipe; a signal interrupts the wait. (A shell gives its
    # background commands no standard input of its own accord.)
    exec 4<&0
    cat <&4 >/dev/null &
    wait "$!" || true
}

stop() {
    trap - EXIT
    kill -TERM "$server" 2>/dev/null || return 0
    local tries=0
    while kill -0 "$server" 2>/dev/null && [ "$tries" -lt 50 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    kill -KILL -- "-$server" 2>/dev/null || true
}
