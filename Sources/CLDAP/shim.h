// OpenLDAP's client library.
#ifndef FERRY_CLDAP_SHIM_H
#define FERRY_CLDAP_SHIM_H

#include <ldap.h>

#endif
