#!/usr/bin/env bash
# Apache 2.4 with mod_dav as the file service of one tenant, on loopback, as an unprivileged user.
#
#   apache.sh run DIRECTORY PORT [--users N] [--login basic|digest] [--tls-port PORT]
#
# A person's files are at /dav/u0000/ … and in DIRECTORY/files/u0000. People have the password "pw" and reach their own
# files; "mover", password "masterpw", reaches all. Certificate: DIRECTORY/cert.pem, for 127.0.0.1 and localhost.
. "$(dirname "$0")/library.sh"
[ $# -ge 3 ] && [ "$1" = run ] || complain "usage: $0 run DIRECTORY PORT [options]" 64
directory=$2 port=$3
shift 3
users=20 login=basic tls_port=
while [ $# -gt 0 ]; do
    case $1 in
    --users) users=$2 ;;
    --login) login=$2 ;;
    --tls-port) tls_port=$2 ;;
    *) complain "there is no option $1" 64 ;;
    esac
    shift 2
done
modules=/usr/lib/apache2/modules
[ -x /usr/sbin/apache2 ] && [ -e "$modules/mod_dav.so" ] || lacks apache2-bin
command -v curl >/dev/null || lacks curl
command -v openssl >/dev/null || lacks openssl

make_directory "$directory"
mkdir -p "$directory"/{run,lock,files/u0000}
add() { # user password
    case $login in
    basic) printf '%s:{SHA}%s\n' "$1" "$(printf %s "$2" | openssl dgst -sha1 -binary | base64)" ;;
    digest) printf '%s:ferry:%s\n' "$1" "$(printf '%s:ferry:%s' "$1" "$2" | openssl dgst -md5 -r | cut -d' ' -f1)" ;;
    *) complain "login is basic or digest" 64 ;;
    esac
}
{
    add mover masterpw
    [ "$login" = digest ] || one=$(add u pw)
    for ((number = 0; number < users; number++)); do
        name=$(printf 'u%04d' "$number")
        if [ "$login" = digest ]; then add "$name" pw; else printf '%s:%s\n' "$name" "${one#u:}"; fi
    done
} >"$directory/passwords"
case $login in
basic) authentication="AuthType Basic
  AuthUserFile $directory/passwords" ;;
digest) authentication="AuthType Digest
  AuthUserFile $directory/passwords" ;;
esac
tls=
if [ -n "$tls_port" ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
        -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
        -keyout "$directory/key.pem" -out "$directory/cert.pem" >/dev/null 2>&1
    # For those who speak HTTP/2 only, so that whoever gets an answer has spoken it.
    tls="LoadModule ssl_module $modules/mod_ssl.so
LoadModule http2_module $modules/mod_http2.so
Listen $host:$tls_port
<VirtualHost $host:$tls_port>
  SSLEngine On
  Protocols h2 http/1.1
  <If \"%{SERVER_PROTOCOL} != 'HTTP/2.0'\">
    Require all denied
  </If>
  SSLCertificateFile $directory/cert.pem
  SSLCertificateKeyFile $directory/key.pem
</VirtualHost>"
fi
cat >"$directory/httpd.conf" <<END
ServerRoot "$directory"
ServerName localhost
Listen $host:$port
PidFile $directory/run/httpd.pid
DefaultRuntimeDir $directory/run
Mutex file:$directory/run
ErrorLog $directory/run/error.log
LogLevel warn
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authn_file_module $modules/mod_authn_file.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule auth_${login}_module $modules/mod_auth_${login}.so
LoadModule alias_module $modules/mod_alias.so
LoadModule dav_module $modules/mod_dav.so
LoadModule dav_fs_module $modules/mod_dav_fs.so
$tls
DAVLockDB $directory/lock/DAVLock
LimitXMLRequestBody 0
LimitRequestBody 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
DocumentRoot "$directory/files"
Alias /dav "$directory/files"
<Directory "$directory/files">
  Dav On
  Options None
  AllowOverride None
  AuthName ferry
  $authentication
  Require user mover
  Require expr "%{REQUEST_URI} =~ m#^/dav/([^/]+)# && \$1 == %{REMOTE_USER}"
</Directory>
END
own "$directory"
answers=answers_propfind probed_path=/dav/u0000/
supervise "$port" u0000 pw "$directory/output" /usr/sbin/apache2 -d "$directory" -f "$directory/httpd.conf" -DFOREGROUND
