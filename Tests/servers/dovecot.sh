#!/usr/bin/env bash
# Dovecot 2.3 as the mail service of one tenant, on loopback, as an unprivileged user.
#
#   dovecot.sh run DIRECTORY PORT [--format maildir|maildir++|sdbox|mdbox] [--separator C] [--prefix P]
#              [--users N] [--quota RULE] [--tls-port PORT] [--sieve-port PORT] [--limit N]
#              [--append-limit N]
#              [--without CAPABILITY ...]
#
# People are u0000 … at example.test, password "pw"; the master user is "mover", password "masterpw", written
# u0000@example.test*mover or given as SASL authentication identity. Certificate: DIRECTORY/ca.pem, for 127.0.0.1 and
# localhost. A JSON Web Token signed with the key in DIRECTORY/keys/default/HS256/default is taken for OAUTHBEARER and
# XOAUTH2. --sieve-port: ManageSieve, with STARTTLS and without; mail that dovecot-lda delivers goes through the person's
# script, and what that sends on is written into DIRECTORY/sent, a line with the arguments of sendmail each. --quota takes Dovecot's rule, such as "*:storage=2M". --limit: connections per user.
# --append-limit: octets of a message, as APPENDLIMIT (RFC 7889) says it; nothing keeps to it.
. "$(dirname "$0")/library.sh"
[ $# -ge 3 ] && [ "$1" = run ] || complain "usage: $0 run DIRECTORY PORT [options]" 64
directory=$2 port=$3
shift 3
format=maildir separator=/ prefix= users=20 quota= tls_port= sieve_port= limit=50 append_limit= without=
while [ $# -gt 0 ]; do
    case $1 in
    --format) format=$2 ;;
    --separator) separator=$2 ;;
    --prefix) prefix=$2 ;;
    --users) users=$2 ;;
    --quota) quota=$2 ;;
    --tls-port) tls_port=$2 ;;
    --sieve-port) sieve_port=$2 ;;
    --limit) limit=$2 ;;
    --append-limit) append_limit=$2 ;;
    --without) without="$without $2" ;;
    *) complain "there is no option $1" 64 ;;
    esac
    shift 2
done
dovecot=$(command -v dovecot || echo /usr/sbin/dovecot)
[ -x "$dovecot" ] || lacks dovecot-imapd
command -v openssl >/dev/null || lacks openssl

[ -z "$sieve_port" ] || [ -x /usr/lib/dovecot/managesieve ] || lacks dovecot-managesieved

make_directory "$directory"
mkdir -p "$directory"/{run,state,mail,keys/default/HS256,keys/default/RS256}
case $format in
maildir) location='maildir:~/Maildir:LAYOUT=fs' ;;
maildir++) location='maildir:~/Maildir' ;;
sdbox | mdbox) location="$format:~/$format" ;;
*) complain "there is no format $format" 64 ;;
esac
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
    -keyout "$directory/key.pem" -out "$directory/ca.pem" >/dev/null 2>&1
for ((number = 0; number < users; number++)); do printf 'u%04d@example.test:{PLAIN}pw::::::\n' "$number"; done \
    >"$directory/users"
echo 'mover:{PLAIN}masterpw::::::' >"$directory/masters"
cat >"$directory/oauth2.conf" <<END
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$directory/keys/
username_attribute = email
END

plugins=acl imap_plugins='acl imap_acl zlib imap_zlib' quota_block=
if [ -n "$quota" ]; then
    plugins="$plugins quota"
    imap_plugins="$imap_plugins quota imap_quota"
    quota_block="quota = count:User quota
  quota_vsizes = yes
  quota_rule = $quota"
fi
case " $without " in *' COMPRESS=DEFLATE '*) ;; *) imap_plugins="$imap_plugins zlib imap_zlib" ;; esac
capability=
for name in $without; do
    case $name in
    COMPRESS=DEFLATE) ;;
    # The words are all that a client goes by; the server would still understand the commands.
    *) capability=yes ;;
    esac
done
words='IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT THREAD=REFERENCES MULTIAPPEND UNSELECT CHILDREN NAMESPACE
UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE
SNIPPET=FUZZY PREVIEW=FUZZY LITERAL+ NOTIFY SPECIAL-USE COMPRESS=DEFLATE ACL RIGHTS=texk QUOTA'
if [ -n "$capability" ]; then
    kept=
    for word in $words; do
        case " $without " in *" $word "*) ;; *) kept="$kept $word" ;; esac
    done
    capability="imap_capability =$kept${append_limit:+ APPENDLIMIT=$append_limit}"
elif [ -n "$append_limit" ]; then
    capability="imap_capability = +APPENDLIMIT=$append_limit"
fi

sieve_block=
if [ -n "$sieve_port" ]; then
    record_sent "$directory"
    sieve_block="sendmail_path = $directory/sendmail
protocol lda {
  mail_plugins = $plugins sieve
}
plugin {
  sieve = file:~/sieve;active=~/.dovecot.sieve
}
service managesieve-login {
  chroot =
  inet_listener sieve {
    port = $sieve_port
  }
}"
fi

cat >"$directory/dovecot.conf" <<END
base_dir = $directory/run
state_dir = $directory/state
instance_name = ferry-$port
default_vsz_limit = 1G
default_internal_user = $account
default_internal_group = $group
default_login_user = $account
mail_uid = $account
mail_gid = $group
first_valid_uid = 1
first_valid_gid = 1
listen = $host
protocols = imap${sieve_port:+ sieve}
ssl = yes
ssl_cert = <$directory/ca.pem
ssl_key = <$directory/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login oauthbearer xoauth2
auth_username_format = %Lu
auth_master_user_separator = *
auth_verbose = yes
log_path = $directory/dovecot.log
mail_location = $location
mail_home = $directory/mail/%n
mail_plugins = $plugins
mail_attribute_dict = file:~/attributes
imap_metadata = yes
# An answer that is OK must mean that the message is on disk.
mail_fsync = optimized
passdb {
  driver = passwd-file
  args = username_format=%u $directory/masters
  master = yes
  result_success = continue
}
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = $directory/oauth2.conf
}
passdb {
  driver = passwd-file
  args = username_format=%u $directory/users
}
userdb {
  driver = passwd-file
  args = username_format=%u $directory/users
}
namespace inbox {
  inbox = yes
  separator = $separator
  prefix = $prefix
  mailbox Drafts {
    special_use = \\Drafts
  }
  mailbox Sent {
    special_use = \\Sent
  }
  mailbox Junk {
    special_use = \\Junk
  }
  mailbox Trash {
    special_use = \\Trash
  }
}
protocol imap {
  mail_plugins = $imap_plugins
  mail_max_userip_connections = $limit
  $capability
}
plugin {
  acl = vfile
  # Else the master user's own rights would count, who has none.
  acl_user = %u
  $quota_block
}
service imap-login {
  chroot =
  service_count = 0
  client_limit = 1000
  process_min_avail = 1
  inet_listener imap {
    port = $port
  }
  inet_listener imaps {
    port = ${tls_port:-0}
    ssl = yes
  }
}
service imap {
  process_limit = 512
}
$sieve_block
service anvil {
  chroot =
}
service stats {
  chroot =
}
END
own "$directory"
supervise "$port" u0000@example.test pw "$directory/output" "$dovecot" -F -c "$directory/dovecot.conf"
