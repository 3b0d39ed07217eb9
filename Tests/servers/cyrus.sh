#!/usr/bin/env bash
# Cyrus IMAP 3.6 as the mail service of one tenant, on loopback, as an unprivileged user.
#
#   cyrus.sh run DIRECTORY PORT [--users N] [--names unix|netnews] [--conversations yes|no]
#             [--sieve-port PORT] [--http-port PORT]
#
# People are u0000 …, password "pw". The administrator "cyrus", password "pw", may become anybody (SASL PLAIN with an
# authorization identity). --sieve-port: ManageSieve without TLS. --http-port: CalDAV and CardDAV, with scheduling on, at
# /dav/calendars/user/u0000/ and /dav/addressbooks/user/u0000/; what it would send lies in DIRECTORY/sent.
# --names netnews gives Cyrus's own default: separator "." and prefix "INBOX.".
#
# Debian's package cannot be installed beside Dovecot, so script/bootstrap unpacks it: FERRY_CYRUS names the directory,
# .build/cyrus by default.
. "$(dirname "$0")/library.sh"
[ $# -ge 3 ] && [ "$1" = run ] || complain "usage: $0 run DIRECTORY PORT [options]" 64
directory=$2 port=$3
shift 3
users=20 names=unix conversations=no sieve_port= http_port=
while [ $# -gt 0 ]; do
    case $1 in
    --users) users=$2 ;;
    --names) names=$2 ;;
    --conversations) conversations=$2 ;;
    --sieve-port) sieve_port=$2 ;;
    --http-port) http_port=$2 ;;
    *) complain "there is no option $1" 64 ;;
    esac
    shift 2
done
unpacked=${FERRY_CYRUS:-$(cd "$(dirname "$0")/../.." && pwd)/.build/cyrus}
root=
[ -x /usr/lib/cyrus/bin/imapd ] && [ -x /usr/sbin/cyrmaster ] || root=$unpacked
[ -x "$root/usr/sbin/cyrmaster" ] || lacks cyrus-imapd
command -v saslpasswd2 >/dev/null || lacks sasl2-bin
programs=$root/usr/lib/cyrus/bin
[ -z "$http_port" ] || [ -x "$programs/httpd" ] || lacks cyrus-caldav
if [ -n "$root" ]; then
    libraries=$(dirname "$(find "$root" -name 'libcyrus_imap.so.0' | head -n 1)")
    export LD_LIBRARY_PATH=$libraries
fi

make_directory "$directory"
mkdir -p "$directory"/{conf,spool,sockets,proc,lock,sieve}
case $names in
unix) namespace=yes ;;
netnews) namespace=no ;;
*) complain "names are unix or netnews" 64 ;;
esac
people=
for ((number = 0; number < users; number++)); do people="$people $(printf 'u%04d' "$number")"; done
# Cyrus's own default where there are calendars: else its sync tokens are void after every deletion.
expunge=immediate
[ -z "$http_port" ] || expunge=delayed
# Only these get an INBOX when they come first; a stranger who is let in by the administrator has none.
cat >"$directory/imapd.conf" <<END
configdirectory: $directory/conf
proc_path: $directory/proc
mboxname_lockpath: $directory/lock
defaultpartition: default
partition-default: $directory/spool
cyrus_user: $account
cyrus_group: $group
admins: cyrus
proxyservers: cyrus
allowplaintext: yes
altnamespace: $namespace
unixhierarchysep: $namespace
virtdomains: off
autocreate_quota: 0
autocreate_inbox_folders: Sent|Drafts|Trash
autocreate_subscribe_folders: Sent
autocreate_users:$people
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
conversations: $conversations
conversations_db: twoskip
search_engine: none
maxmessagesize: 0
idlesocket: $directory/sockets/idle
lmtpsocket: $directory/sockets/lmtp
notifysocket: $directory/sockets/notify
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $directory/sasldb2
sasl_mech_list: PLAIN LOGIN
sievedir: $directory/sieve
sieve_extensions: fileinto reject copy include
httpmodules: caldav carddav
caldav_allowscheduling: on
carddav_allowaddmember: yes
calendar_user_address_set: contoso.example fabrikam.example example.test
sendmail: $directory/sendmail
expunge_mode: $expunge
delete_mode: immediate
END
configuration="-C $directory/imapd.conf"
record_sent "$directory"
http_service=
if [ -n "$http_port" ]; then
    http_service="http cmd=\"$programs/httpd $configuration -U 30\" listen=\"$host:$http_port\" proto=\"tcp4\" prefork=1 maxchild=50"
fi
sieve_service=
if [ -n "$sieve_port" ]; then
    sieve_service="sieve cmd=\"$programs/timsieved $configuration\" listen=\"$host:$sieve_port\" proto=\"tcp4\" prefork=0"
fi
cat >"$directory/cyrus.conf" <<END
START {
  recover cmd="$programs/ctl_cyrusdb $configuration -r"
}
SERVICES {
  imap cmd="$programs/imapd $configuration -U 30" listen="$host:$port" proto="tcp4" prefork=1 maxchild=100
  $sieve_service
  $http_service
}
EVENTS {
  checkpoint cmd="$programs/ctl_cyrusdb $configuration -c" period=30
}
END
for ((number = 0; number < users; number++)); do
    printf pw | saslpasswd2 -p -c -f "$directory/sasldb2" -u "$(hostname)" "$(printf 'u%04d' "$number")"
done
printf pw | saslpasswd2 -p -c -f "$directory/sasldb2" -u "$(hostname)" cyrus
own "$directory"
cd "$directory"
export CYRUS_PREFIX=
supervise "$port" u0000 pw "$directory/output" "$root/usr/sbin/cyrmaster" \
    -C "$directory/imapd.conf" -M "$directory/cyrus.conf" -p "$directory/master.pid"
