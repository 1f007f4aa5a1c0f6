/* OpenSSL, for certificates of TLS ports. */
#ifndef PENGUINDOME_COPENSSL_SHIM_H
#define PENGUINDOME_COPENSSL_SHIM_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif
