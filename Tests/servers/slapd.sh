#!/usr/bin/env bash
# OpenLDAP as the directory of one tenant, on loopback, as an unprivileged user.
#
#   slapd.sh run DIRECTORY PORT TLS-PORT [--people N] [--name DNS-NAME]
#
# The suffix is dc=contoso,dc=example. "cn=ferry,…", password "ferrypw", reads, 1000 entries a page and 500 without pages;
# "cn=admin,…", password "adminpw", may do everything. --people makes uid=p0001 … below ou=people. ldap:// is at PORT, with
# STARTTLS; ldaps:// at TLS-PORT. The certificate is for 127.0.0.1, or for DNS-NAME alone, and DIRECTORY/ca.pem vouches for
# it; DIRECTORY/other-ca.pem does not.
. "$(dirname "$0")/library.sh"
[ $# -ge 4 ] && [ "$1" = run ] || complain "usage: $0 run DIRECTORY PORT TLS-PORT [options]" 64
directory=$2 port=$3 secure=$4
shift 4
people=0 name="IP:$host"
while [ $# -gt 0 ]; do
    case $1 in
    --people) people=$2 ;;
    --name) name="DNS:$2" ;;
    *) complain "there is no option $1" 64 ;;
    esac
    shift 2
done
[ -x /usr/sbin/slapd ] || lacks slapd
command -v ldapwhoami >/dev/null || lacks ldap-utils
command -v openssl >/dev/null || lacks openssl

suffix=dc=contoso,dc=example
make_directory "$directory"
mkdir -p "$directory/db"
# Ubuntu confines the installed program to its own folders.
cp /usr/sbin/slapd "$directory/slapd"
(
    cd "$directory"
    key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2)
    for authority in ca other-ca; do
        openssl req -x509 "${key[@]}" -subj "/CN=$authority" -keyout $authority.key -out $authority.pem
    done
    openssl req "${key[@]}" -subj /CN=directory -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem \
        -extfile <(printf 'subjectAltName=%s\n' "$name")
) 2>/dev/null
printf adminpw >"$directory/admin.secret"
printf ferrypw >"$directory/ferry.secret"
cat >"$directory/slapd.conf" <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
attributetype ( 1.3.6.1.4.1.4203.666.1.1 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.2 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.3 NAME 'mailAlternateAddress' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.4 NAME 'objectGUID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.4203.666.2.1 NAME 'suitePerson' AUXILIARY MAY ( userPrincipalName \$ proxyAddresses \$ mailAlternateAddress \$ objectGUID ) )
pidfile $directory/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile $directory/ca.pem
TLSCertificateFile $directory/server.pem
TLSCertificateKeyFile $directory/server.key
database mdb
suffix "$suffix"
rootdn "cn=admin,$suffix"
rootpw adminpw
directory $directory/db
maxsize 268435456
index objectClass,uid eq
limits dn.exact="cn=ferry,$suffix" size.soft=500 size.hard=500 size.pr=1000 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=ferry,$suffix" read by anonymous auth by * none
END
{
    printf 'dn: %s\nobjectClass: domain\ndc: contoso\n\n' "$suffix"
    for unit in people groups; do printf 'dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n' $unit "$suffix" $unit; done
    printf 'dn: cn=ferry,%s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: ferry\nuserPassword: ferrypw\n\n' \
        "$suffix"
    for ((number = 1; number <= people; number++)); do
        printf 'dn: uid=p%04d,ou=people,%s\nobjectClass: inetOrgPerson\nuid: p%04d\ncn: Person %d\nsn: %d\nmail: p%04d@contoso.example\n\n' \
            $number "$suffix" $number $number $number $number
    done
} >"$directory/start.ldif"
slapadd -q -f "$directory/slapd.conf" -l "$directory/start.ldif" >"$directory/output" 2>&1 ||
    complain "slapadd: $(tail -n 5 "$directory/output")"
own "$directory"

answers_bind() { # port user password
    ldapwhoami -x -o nettimeout=5 -H "ldap://$host:$1" -D "$2" -w "$3" >/dev/null 2>&1
}
answers=answers_bind
supervise "$port" "cn=ferry,$suffix" ferrypw "$directory/output" "$directory/slapd" -d 0 -f "$directory/slapd.conf" \
    -h "ldap://$host:$port ldaps://$host:$secure"
