/* libgcrypt and libgpg-error for Swift.

   gcry_control() is variadic, which Swift cannot call. Each wrapper below is
   one command of it, with the arguments that its manual page gives. */
#ifndef PENGUINDOME_CGCRYPT_SHIM_H
#define PENGUINDOME_CGCRYPT_SHIM_H

#include <gcrypt.h>
#include <gpg-error.h>

static inline gcry_error_t pd_gcry_init_secmem(unsigned int bytes) {
    return gcry_control(GCRYCTL_INIT_SECMEM, bytes, 0);
}

static inline gcry_error_t pd_gcry_auto_expand_secmem(unsigned int chunk) {
    return gcry_control(GCRYCTL_AUTO_EXPAND_SECMEM, chunk, 0);
}

static inline gcry_error_t pd_gcry_disable_secmem_warn(void) {
    return gcry_control(GCRYCTL_DISABLE_SECMEM_WARN, 0);
}

static inline gcry_error_t pd_gcry_initialization_finished(void) {
    return gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static inline int pd_gcry_is_initialized(void) {
    return gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P, 0) != 0;
}

#endif
